// What runs an integer network over samples.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engines/engine_stats.h"
#include "ir/defects.h"
#include "ir/integer_network.h"
#include "ir/mapped_kernel.h"
#include "lowering/mapping/objective.h"
#include "lowering/mapping/tile.h"

namespace bitgrid::engines {

struct NetworkRunParams {
  // Of engines that run kernels: of the mapping; told what is mapped or built, and which step runs.
  uint64_t seed = 1;
  mapping::Tile tile = {};  // what is larger is cut
  mapping::Optimize optimize = mapping::Optimize::kArea;
  Defects defects = {};                     // of each tile
  std::optional<uint64_t> latch_seed = {};  // grids start with random latches in place of 0
  int at_once = 64;                         // samples of a batch
  /// Returns the kernels of an earlier mapping of the same lowering, which replaces a new one.
  std::function<std::vector<MappedKernel>()> mapped = nullptr;
  std::function<void(const std::string&)> progress = [](const std::string&) {};
  std::function<void(const std::string&)> step_progress = [](const std::string&) {};
};

/// Told the values of every layer, sample by sample.
using SampleTrace = std::function<void(size_t sample, const std::string& name, std::span<const int64_t> values)>;

struct NetworkRunner {
  /// The scores of each sample's codes.
  std::function<std::vector<std::vector<int64_t>>(const std::vector<std::vector<int64_t>>& codes, const SampleTrace& trace)> run;
  std::function<EngineStats()> stats = [] { return EngineStats{}; };
};

/// The definition, element by element. The network must outlive the runner.
NetworkRunner cpu_network_runner(const IntegerNetwork& network, const NetworkRunParams& params);

}  // namespace bitgrid::engines
