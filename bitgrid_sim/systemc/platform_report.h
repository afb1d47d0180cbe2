// Reports a run of the platform to people and programs (docs/platform.md).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bitgrid_sim/systemc/platform.h"

namespace bitgrid::platform {

/// Returns all fields of the architecture file.
nlohmann::ordered_json platform_json(const Platform& platform);

/// Reports cycles, tokens per second, and where the cycles went: in total, and by token, kernel, tile and bus. `program_cycles`:
/// cycles_per_token of lowering/mapping/map.h, for comparison.
nlohmann::ordered_json platform_result_json(const PlatformResult& result, const Platform& platform, int64_t program_cycles);

/// A short version: a token's cycles by part, the kernels that take the most, the busiest buses, and the occupancy of the tiles.
std::string platform_result_text(const PlatformResult& result, const Platform& platform, int64_t program_cycles);

}  // namespace bitgrid::platform
