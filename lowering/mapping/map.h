// Chooses a mapping strategy for each kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "lowering/mapping/effort.h"
#include "lowering/mapping/problem.h"
#include "lowering/mapping/strategy.h"
#include "lowering/mapping/tile.h"

namespace bitgrid::mapping {

/// Reads "auto", "wave" or "settle". Throws Error that lists them.
MapMode parse_mode(const std::string& text);

/// How a kernel was mapped. If mapping throws, it holds what is known up to then.
struct KernelReport {
  std::optional<NetlistSize> size;      // of kernels that are not matrices, as LUT4s, whatever they became
  std::optional<NetlistStats> netlist;  // of kernels that became a netlist, or failed to
  double seconds = 0;                   // time that mapping took
  struct Candidate {
    std::string strategy;
    std::optional<int64_t> cells;  // nullopt: refused
    std::string refusal;
    double seconds = 0;
  };
  std::vector<Candidate> candidates;  // strategies that were tried, in this order
  bool reused = false;                // taken from an earlier compilation
  /// The mapping on a fabric without defects. Only set if defects are given, and not for netlists.
  struct Flawless {
    int64_t cells = 0;
    int ii = 0;
    int latency = 0;  // cycles
  };
  std::optional<Flawless> flawless;
};

/// Strategies for a matrix, best first: the lowest cost by `params.optimize`, and the order of the table among equals.
struct MatrixChoice {
  const Strategy* strategy = nullptr;
  StrategySize size;
};
std::vector<MatrixChoice> matrix_choices(const MappingProblem& problem);

/// Cells per LUT4 that settle mode is expected to take. The annealed mapper reaches this on small circuits.
inline constexpr int64_t kSettleCellsPerLut = 6;

/// Maps the kernel with `params.strategy`, if that is set and takes kernels of its kind. Otherwise matrices use the first of matrix_choices
/// that the defects allow. Other kernels use, in wave mode (II = 1), an exact array or else the smallest of the strategies for any logic;
/// in settle mode they use the smallest of those and the exact arrays. `auto` takes wave mode if it costs at most 24 cells per LUT4 (240
/// with Optimize::kThroughput), and settle mode otherwise. Throws Error (kernel, why, what to change).
MappedKernel map_kernel(const Kernel& kernel, const MapParams& params, KernelReport* report = nullptr);

struct MapRun {
  int threads = 1;  // kernels mapped at the same time; the result does not depend on it
  /// Called before each kernel, one call at a time.
  std::function<void(size_t done, size_t total, const std::string& name)> progress = nullptr;
  /// Returns an earlier mapping of that kernel to use instead of a new one. Several threads may call it at once.
  std::function<std::optional<MappedKernel>(size_t kernel)> reuse = nullptr;
  std::vector<KernelReport>* reports = nullptr;  // one per kernel
};

/// Maps all kernels of a lowered model. If map_kernel throws, the Error is that of the first kernel for which it does.
std::vector<MappedKernel> map_kernels(const Program& program, const MapParams& params, const MapRun& run = {});

/// Returns a hash of everything that the mapping of a kernel and its verification depend on: its name, Dag and form, the parameters, and
/// the code.
uint64_t mapping_key(const Kernel& kernel, const MapParams& params);

/// Throws Error with the first kernel that is larger than the tile, and what to change.
void require_fit(const std::vector<MappedKernel>& mapped, const Tile& tile);

/// The cycles of one token in the steady state: the stages one after another, the steps of a stage side by side, and configuration.
struct TokenCycles {
  int64_t kernels = 0;
  int64_t resident_cells = 0;  // cells whose words a token rewrites (keys and values)
  int64_t configuration = 0;   // resident_cells * 64 / configuration bits per cycle
  int64_t total() const { return kernels + configuration; }
};
TokenCycles cycles_per_token(const Program& program, const std::vector<MappedKernel>& mapped, int configuration_bits_per_cycle);

}  // namespace bitgrid::mapping
