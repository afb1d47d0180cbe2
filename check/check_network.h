// Engines of an integer network side by side over samples: every value that the definition traces, and the graph in floating point.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engines/engines.h"
#include "engines/network_source.h"

namespace bitgrid::check {

struct NetworkCheckParams {
  std::vector<const engines::Engine*> engines;
  engines::NetworkRunParams run;  // grids start from random latches
  bool graph = true;              // also compare with the graph's own arithmetic in double
};

/// A value of an engine that differs from the definition.
struct NetworkMismatch {
  std::string engine;
  size_t sample = 0;
  std::string name;  // "layers.1.sums"
  size_t index = 0;  // in the order of ONNX
  int64_t expected = 0, got = 0;
};

struct NetworkEngineCheck {
  std::string engine;
  uint64_t compared = 0, mismatches = 0;
  engines::EngineStats stats;
};

/// Scores times gain plus offset against the graph's output tensor, in double.
struct GraphComparison {
  uint64_t compared = 0;
  double largest = 0.0;        // difference, relative to the largest output of the sample
  uint64_t other_answers = 0;  // samples whose answers differ; ties of the integers are none
};

struct NetworkCheckReport {
  size_t samples = 0;
  std::vector<NetworkEngineCheck> engines;
  std::optional<NetworkMismatch> first;
  std::optional<GraphComparison> graph;
  bool ok() const;
};

/// Throws Error if an engine does not run networks.
NetworkCheckReport check_network(const engines::OpenNetwork& open, const NetworkCheckParams& params);

}  // namespace bitgrid::check
