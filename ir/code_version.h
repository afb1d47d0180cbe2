// Identifies the code that produced a result. It is part of the key of everything that is kept between runs.
#pragma once

#include <string>

namespace bitgrid {

/// Returns a hash that the build computes of the sources of all folders but cli/, the default technology, and the compiler with its flags.
/// Results of other versions are not reused.
std::string code_version();

}  // namespace bitgrid
