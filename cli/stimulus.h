// Reads invocations of a kernel for the commands.
#pragma once

#include <cstdint>
#include <string>

#include "ir/bits.h"

namespace bitgrid::cli {

/// Reads lines {"in": "HEX"}: the kernel's input bits as one number, input bit 0 lowest. Throws Error with file and line.
BitMatrix read_invocations(const std::string& path, uint32_t bits);

}  // namespace bitgrid::cli
