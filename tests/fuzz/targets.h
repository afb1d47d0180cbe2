// The fuzz targets: each takes any bytes, and throws if they bring out a fault.
#pragma once

#include <string_view>

namespace bitgrid::fuzz {

#define TARGET(source, name) void name(std::string_view bytes);
#include "tests/fuzz/targets.inc"
#undef TARGET

}  // namespace bitgrid::fuzz
