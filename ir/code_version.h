// Which code made a result: part of the key of everything that is kept between runs.
#pragma once

#include <string>

namespace bitgrid {

/// A hash of the sources of all folders but cli/, of the default technology, and of the compiler with its flags, made by the build. Results
/// of other versions are not reused.
std::string code_version();

}  // namespace bitgrid
