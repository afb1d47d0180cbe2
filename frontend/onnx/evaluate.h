// The graph in floating point, node by node: what folds constants, and what the integers of a network are compared with.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/onnx/graph.h"
#include "frontend/onnx/node_problem.h"

namespace bitgrid::frontend::onnx {

/// An attribute, or what it is where the node does not state it. Throws NodeProblem if it is of another kind.
int64_t whole_attribute(const GraphNode& node, const std::string& name, int64_t absent);
double real_attribute(const GraphNode& node, const std::string& name, double absent);
std::string text_attribute(const GraphNode& node, const std::string& name, const std::string& absent);
std::vector<int64_t> list_attribute(const GraphNode& node, const std::string& name, const std::vector<int64_t>& absent);

/// Geometry of a Conv or a pool over maps of height x width. Throws NodeProblem for what is not supported (dilations, ceil_mode with ..).
struct SlidingWindow {
  int64_t height = 1, width = 1, stride_y = 1, stride_x = 1, top = 0, left = 0, bottom = 0, right = 0;
  int64_t out_height = 1, out_width = 1;
};
SlidingWindow sliding_window(const GraphNode& node, int64_t height, int64_t width, int64_t kernel_height, int64_t kernel_width);

/// The shape that a Reshape, Flatten, Squeeze or Unsqueeze gives.
std::vector<int64_t> reshaped(const GraphNode& node, const std::vector<int64_t>& shape, const std::vector<const Constant*>& inputs);

/// Whether there is arithmetic for nodes of that operator.
bool can_evaluate(const GraphNode& node);

/// The node's first output. Inputs that are left out are nullptr. Throws NodeProblem.
Constant evaluate(const GraphNode& node, const std::vector<const Constant*>& inputs);

/// A graph on one value of its input, up to the tensor `last`: every tensor that was computed, by name. Throws Error (node, problem, cure).
std::map<std::string, Constant> evaluate_graph(const Graph& graph, const Constant& input, const std::string& last);

}  // namespace bitgrid::frontend::onnx
