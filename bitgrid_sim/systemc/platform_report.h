// A run of the platform, for people and for programs (docs/platform.md).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bitgrid_sim/systemc/platform.h"

namespace bitgrid::platform {

/// The fields of the architecture file, all of them.
nlohmann::ordered_json platform_json(const Platform& platform);

/// Cycles, tokens a second, and where the cycles went: in total, by token, kernel, tile and bus. `program_cycles`: cycles_per_token of
/// lowering/mapping/map.h, to compare with.
nlohmann::ordered_json platform_result_json(const PlatformResult& result, const Platform& platform, int64_t program_cycles);

/// The same in short: a token's cycles by part, the kernels that take most of them, the busiest buses, the tiles' occupancy.
std::string platform_result_text(const PlatformResult& result, const Platform& platform, int64_t program_cycles);

}  // namespace bitgrid::platform
