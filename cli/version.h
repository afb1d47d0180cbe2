// What `bitgrid --version` says.
#pragma once

#include <string>

namespace bitgrid::cli {

/// Returns the version by git, the instruction sets that are compiled in, those that this processor has, and the optional parts.
std::string version_text();

}  // namespace bitgrid::cli
