// Architecture files (arch/*.yaml).
#pragma once

#include <string>

#include "ir/arch.h"

namespace bitgrid {

/// Reads an architecture file; fields that it leaves out keep their defaults. Throws Error (file, line, cure).
Arch load_arch(const std::string& path);

}  // namespace bitgrid
