// Wave mode (II = 1) of logic of any kind: the smallest of what fits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/dag.h"
#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "lowering/arrays/sweep.h"

namespace bitgrid {

struct WaveParams {
  uint64_t seed = 1;
  uint32_t plane_inputs = 12;     // with at most so many input bits tables are tried as planes
  int64_t max_cells = 1'000'000;  // of the bounding box
  Defects defects = {};           // of the tile whose north-west corner the kernel takes: it relies on none of them
};

struct WaveStats {
  struct Candidate {
    std::string strategy;  // "ripple", "counter", "multiplier", "plane", "sweep"
    int64_t cells = 0;
    double seconds = 0;
  };
  std::vector<Candidate> candidates;  // that were made
};

/// A ripple, counter or multiplier, if the logic is one in whatever form it is written. II = 1. Ripples and counters go around defects;
/// nullopt for multipliers that rely on one.
std::optional<MappedKernel> map_regular(const LogicGraph& graph, const Defects& defects = {});

/// Regular arrays first (map_regular). Otherwise the smaller one of a plane and a sweep, which go around defects in their own ways
/// (docs/defects.md). Resident inputs become ordinary ports. nullopt if that takes more than max_cells. Throws Error if there are no
/// outputs.
std::optional<MappedKernel> try_map_wave(const Dag& dag, const WaveParams& params = {}, WaveStats* stats = nullptr);

/// The same; throws Error (kernel, why it is too large, what settle mode takes instead) in place of nullopt.
MappedKernel map_wave(const Dag& dag, const WaveParams& params = {}, WaveStats* stats = nullptr);

/// Cells that settle mode is expected to take for so many LUT4s: 6 each, which is what the annealed mapper reaches on small circuits.
inline int64_t estimated_settle_cells(size_t luts) {
  return 6 * static_cast<int64_t>(luts);
}

}  // namespace bitgrid
