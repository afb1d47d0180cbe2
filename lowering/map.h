// The mapping strategies, chosen per kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "lowering/effort.h"
#include "lowering/lower.h"
#include "lowering/netlist/map_netlist.h"

namespace bitgrid {

enum class MapMode : uint8_t {
  kAuto,
  kWave,    // II = 1
  kSettle,  // inputs held until everything has settled
};

/// "auto", "wave", "settle". Throws Error listing them.
MapMode parse_mode(const std::string& text);

/// "area", "throughput" or "density". Throws Error listing them.
Optimize parse_optimize(const std::string& text);

struct MapParams {
  uint64_t seed = 1;
  Optimize optimize = Optimize::kArea;
  MapMode mode = MapMode::kAuto;     // of kernels of unknown structure; matrices are systolic in any mode
  uint32_t plane_inputs = 12;        // with at most so many input bits they are tried as planes
  Defects defects = {};              // of a tile: every kernel stands at its north-west corner and goes around them
  Effort effort = Effort::kDefault;  // of netlists
};

/// How a kernel came about. Filled as far as it goes when mapping throws.
struct KernelReport {
  std::optional<NetlistSize> size;      // of kernels that are no matrices, as LUT4s, whatever they became
  std::optional<NetlistStats> netlist;  // of what became a netlist, or failed to
  double seconds = 0;                   // of mapping
  bool reused = false;                  // taken from an earlier compile
  /// The mapping as it would be on a fabric without defects; only where defects are given, and not of netlists.
  struct Flawless {
    int64_t cells = 0;
    int ii = 0;
    int latency = 0;  // cycles
  };
  std::optional<Flawless> flawless;
};

/// `systolic`, `interleaved` or `parallel` where the kernel has the form of a matrix. Other kernels: `wires` where no output is logic; in wave
/// mode what map_wave finds (II = 1: `ripple`, `counter`, `multiplier`, `plane` or `sweep`), in settle mode what map_settle finds
/// (`ripple`, `counter`, `multiplier`, `two-way` or `netlist`). `auto` takes wave mode if it costs at most 24 cells a LUT4 (240 with
/// Optimize::kThroughput), and settle mode otherwise. Throws Error (kernel, why, what to change).
MappedKernel map_kernel(const Kernel& kernel, const KernelForm& form, const MapParams& params, KernelReport* report = nullptr);

struct MapRun {
  int threads = 1;  // kernels mapped at the same time; the result does not depend on it
  /// Called before each kernel, one call at a time.
  std::function<void(size_t done, size_t total, const std::string& name)> progress = nullptr;
  /// An earlier mapping of that kernel to take in place of a new one. May be called by several threads at once.
  std::function<std::optional<MappedKernel>(size_t kernel)> reuse = nullptr;
  std::vector<KernelReport>* reports = nullptr;  // one for each kernel
};

/// All kernels of a lowered model. Throws what map_kernel throws, of the first kernel that does.
std::vector<MappedKernel> map_kernels(const Lowered& lowered, const MapParams& params, const MapRun& run = {});

/// Hash of all that the mapping of a kernel depends on, and that it is verified by: its name, Dag and form, the parameters, and the code.
uint64_t mapping_key(const Kernel& kernel, const KernelForm& form, const MapParams& params);

/// Throws Error naming the first kernel that is larger than the tile, and what to change.
void require_fit(const std::vector<MappedKernel>& mapped, const Tile& tile);

/// Cycles of one token in the steady state: the stages one after another, the steps of a stage side by side, and configuration.
struct TokenCycles {
  int64_t kernels = 0;
  int64_t resident_cells = 0;  // cells whose words a token rewrites (keys and values)
  int64_t configuration = 0;   // resident_cells * 64 / configuration bits per cycle
  int64_t total() const { return kernels + configuration; }
};
TokenCycles cycles_per_token(const Program& program, const std::vector<MappedKernel>& mapped, int configuration_bits_per_cycle);

}  // namespace bitgrid
