#include "ir/code_version.h"

#include "code_version_hash.h"  // kCodeVersion

namespace bitgrid {

std::string code_version() {
  return kCodeVersion;
}

}  // namespace bitgrid
