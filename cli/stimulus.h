// Invocations of a kernel as the commands take them.
#pragma once

#include <cstdint>
#include <string>

#include "ir/bits.h"

namespace bitgrid::cli {

/// Lines {"in": "HEX"}: the kernel's input bits as one number, input bit 0 lowest. Throws Error naming file and line.
BitMatrix read_invocations(const std::string& path, uint32_t bits);

}  // namespace bitgrid::cli
