// The mapping strategies, chosen per kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "lowering/lower.h"

namespace bitgrid {

enum class MapMode : uint8_t {
  kAuto,
  kWave,    // II = 1
  kSettle,  // inputs held until everything has settled
};

/// What is chosen where a matrix has two forms: the fewest cells, or the smallest II.
enum class Optimize : uint8_t { kArea, kThroughput };
/// "area" or "throughput". Throws Error listing them.
Optimize parse_optimize(const std::string& text);

struct MapParams {
  uint64_t seed = 1;
  Optimize optimize = Optimize::kArea;
  MapMode mode = MapMode::kAuto;  // of kernels of unknown structure; matrices are systolic in any mode
  uint32_t plane_inputs = 10;     // with at most so many input bits they become planes
  Defects defects;                // of a tile: every kernel stands at its north-west corner and goes around them
};

/// `systolic` or `parallel` where the kernel has the form of a matrix; else `plane` (wave mode) for few input bits; else `netlist` (settle
/// mode). Throws Error (kernel, why, what to change).
MappedKernel map_kernel(const Kernel& kernel, const KernelForm& form, const MapParams& params);

/// All kernels of a lowered model. `progress(done, total, name)` is called before each.
std::vector<MappedKernel> map_kernels(const Lowered& lowered, const MapParams& params,
                                      const std::function<void(size_t, size_t, const std::string&)>& progress = nullptr);

/// Cycles of one token in the steady state: the stages one after another, the steps of a stage side by side, and configuration.
struct TokenCycles {
  int64_t kernels = 0;
  int64_t resident_cells = 0;  // cells whose words a token rewrites (keys and values)
  int64_t configuration = 0;   // resident_cells * 64 / configuration bits per cycle
  int64_t total() const { return kernels + configuration; }
};
TokenCycles cycles_per_token(const Program& program, const std::vector<MappedKernel>& mapped, int configuration_bits_per_cycle);

}  // namespace bitgrid
