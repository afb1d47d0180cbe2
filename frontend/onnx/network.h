// A quantised ONNX graph (QONNX, FINN) as an integer network: docs/onnx.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/onnx/graph.h"
#include "frontend/onnx/node_problem.h"
#include "ir/integer_network.h"

namespace bitgrid::frontend::onnx {

/// The values first, first + step, .. that an input without a quantiser takes, in the graph's own units.
struct InputGrid {
  double first = 0.0;
  double step = 1.0;
  int points = 2;
};
/// The grid on which numbers lie: nullopt if they lie on none of at most 65,536 points.
std::optional<InputGrid> grid_of_numbers(const std::vector<double>& values);
/// Reads FIRST:STEP:POINTS. Throws Error.
InputGrid parse_input_grid(const std::string& text);

struct NetworkParams {
  std::optional<InputGrid> grid;  // of an input that no quantiser reads
  int threads = 1;
  int64_t most_sums = int64_t{1} << 31;  // of a layer that are tested to prove its thresholds; a layer with more is refused
};

struct NetworkReading {
  std::vector<NodeProblem> problems;      // in the graph's order
  bool open_grid = false;                 // no quantiser reads the input, and its grid was not given
  std::optional<IntegerNetwork> network;  // where there are no problems and the grid is not open
};

/// All nodes that cannot be converted, or the network. Throws Error only for what is no graph of one input.
NetworkReading read_network(const Graph& graph, const NetworkParams& params = {});

/// The network. Throws Error for the first problem, with the number of others.
IntegerNetwork convert(const Graph& graph, const std::string& source, const NetworkParams& params = {});

}  // namespace bitgrid::frontend::onnx
