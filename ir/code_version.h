// Which code made a result: part of the key of whatever is kept from run to run.
#pragma once

#include <string>

namespace bitgrid {

/// A hash of the sources of all folders but cli/, of the default technology, and of the compiler with its flags, made by the build. Results
/// of other versions are not used again.
std::string code_version();

}  // namespace bitgrid
