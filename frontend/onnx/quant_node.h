// What the nodes of quantisers state.
#pragma once

#include <vector>

#include "frontend/onnx/evaluate.h"
#include "frontend/onnx/quantiser.h"

namespace bitgrid::frontend::onnx {

/// Of a Quant node, with its constant inputs (X may be nullptr). Throws NodeProblem for what its definition does not allow.
QuantCodes quant_node(const GraphNode& node, const std::vector<const Constant*>& inputs);

/// scale * #{t : x >= t} + bias.
struct CountedThresholds {
  size_t levels = 0;
  std::vector<double> at;  // [channels or 1][levels]
  double scale = 1.0, bias = 0.0;
};
/// Of a MultiThreshold node over so many channels. Throws NodeProblem.
CountedThresholds counted_thresholds(const GraphNode& node, const Constant& thresholds, size_t channels);

/// Of a Clip node. Throws NodeProblem if a bound is no number.
struct ClipBounds {
  double lo, hi;
};
ClipBounds clip_bounds(const GraphNode& node, const std::vector<const Constant*>& inputs);

}  // namespace bitgrid::frontend::onnx
