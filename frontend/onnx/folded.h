// Constants of a graph, with what is known of their quantiser.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/onnx/evaluate.h"
#include "frontend/onnx/graph.h"

namespace bitgrid::frontend::onnx {

/// A constant, and the unit of each element if a quantiser gave it: values are whole multiples of units.
struct Folded {
  Constant value;
  std::optional<Constant> unit;
};

/// The node of constants only. Throws NodeProblem.
Folded fold(const GraphNode& node, const std::vector<const Folded*>& inputs);

/// Rows of whole numbers with a scale each.
struct WeightRows {
  std::vector<int32_t> codes;  // as the constant's elements
  std::vector<double> scales;  // one for each row
  bool assumed = false;        // no quantiser said so: the values happen to be multiples
};
/// The rows of a constant [rows][..]. Throws NodeProblem, of the node that reads the constant as `input`, if they are none.
WeightRows weight_rows(const GraphNode& node, size_t input, const Folded& weights);

}  // namespace bitgrid::frontend::onnx
