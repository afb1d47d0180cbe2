// The walk over a graph that makes layers of it. network.h is the way in.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "frontend/onnx/elementwise.h"
#include "frontend/onnx/evaluate.h"
#include "frontend/onnx/folded.h"
#include "frontend/onnx/network.h"
#include "frontend/onnx/thresholds.h"

namespace bitgrid::frontend::onnx {

/// Values computed from the network's input: the integers of a layer, or the input's floats, through steps that were not converted yet.
struct Stream {
  int layer = -1;     // whose integers; -1: the input
  FeatureMap map;     // of the values now
  bool flat = false;  // [batch, channels] in place of [batch, channels, height, width]
  std::vector<Elementwise> chain;
  std::optional<NetworkPool> pool;  // of the values in front of step `pool_at`, which is to stand behind the quantiser
  size_t pool_at = 0;
  bool decided = false;  // through Softmax or ArgMax: only the answer is left
};

/// What a node could not make anything of; was told where it came from. Where the shape of what follows is known, the walk goes on with
/// something that stands in for it, so that all problems of a graph are found at once.
struct Unknown {};

using Value = std::variant<Folded, Stream, Unknown>;

inline constexpr size_t kMostMapValues = size_t{1} << 24;  // of one sample's feature map

class Walk {
 public:
  Walk(const Graph& graph, const NetworkParams& params) : graph_(graph), params_(params) {}
  NetworkReading run();

 private:
  void node(const GraphNode& node);
  void report(const NodeProblem& problem) { reading_.problems.push_back(problem); }
  /// What is wrong with a node whatever it reads. Throws NodeProblem.
  void check_alone(const GraphNode& node, const std::vector<const Value*>& inputs);
  Value convert(const GraphNode& node, const std::vector<const Value*>& inputs);
  Value stream_node(const GraphNode& node, const std::vector<const Value*>& inputs, size_t at, const Stream& stream);
  Stream reshape(const GraphNode& node, const std::vector<const Value*>& inputs, Stream stream);
  Stream binary(const GraphNode& node, const std::vector<const Value*>& inputs, size_t at, Stream stream);
  Stream normalise(const GraphNode& node, const std::vector<const Value*>& inputs, Stream stream);
  Stream quantise(const GraphNode& node, const std::vector<const Value*>& inputs, Stream stream);
  Stream quantised(const GraphNode& node, const std::vector<const Value*>& inputs, Stream stream);
  Stream dense(const GraphNode& node, const std::vector<const Value*>& inputs, size_t at, Stream stream);
  Stream conv(const GraphNode& node, const std::vector<const Value*>& inputs, Stream stream);
  Stream pool(const GraphNode& node, Stream stream);
  Stream average(const GraphNode& node, Stream stream);

  /// A matrix behind the stream; `rows` has one row of weights for each output channel. The stream of its sums, as reals.
  Stream matrix(const GraphNode& node, const Stream& stream, const WeightRows& rows, NetworkMatrix layer);
  /// Quantised weights; where they are none, that is reported and zeros stand in.
  WeightRows quantised_rows(const GraphNode& node, size_t input, const Folded& weights);
  /// Ends the stream's chain: its thresholds, or the input's codes. The integers that a layer behind it reads.
  CodeGrid close(const GraphNode& node, const Stream& stream);
  CodeGrid close_input(const GraphNode& node, const Stream& stream);
  CodeGrid close_matrix(const GraphNode& node, const Stream& stream, NetworkMatrix& layer);
  CodeGrid close_pool(const GraphNode& node, const Stream& stream, const NetworkPool& layer);
  void finish();

  /// A constant input as steps take it: one number, or one for each channel. Throws NodeProblem.
  Channels channels(const GraphNode& node, size_t input, const Constant& constant, const Stream& stream) const;
  const Folded& constant(const GraphNode& node, const std::vector<const Value*>& inputs, size_t i) const;
  std::vector<int64_t> shape_of(const Stream& stream) const;
  int channel_count(const Stream& stream) const;

  const Graph& graph_;
  const NetworkParams& params_;
  int64_t batch_ = 1;
  IntegerNetwork network_;
  std::vector<std::optional<CodeGrid>> grids_;  // of the integers that each layer gives, once they are known
  std::vector<std::vector<double>> errors_;     // of each matrix's channels: what rounding may add to the graph's sum, in units of S
  std::optional<CodeGrid> input_grid_;
  std::map<std::string, Value> values_;
  NetworkReading reading_;
};

}  // namespace bitgrid::frontend::onnx
