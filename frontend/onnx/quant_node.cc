#include "frontend/onnx/quant_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace bitgrid::frontend::onnx {
namespace {

constexpr int kMostBits = 16;

[[noreturn]] void refuse(const GraphNode& node, const std::string& where, const std::string& found, const std::string& expected,
                         const std::string& cure) {
  throw NodeProblem{node.name, node.op, where, found, expected, cure};
}

const Constant& constant_input(const GraphNode& node, const std::vector<const Constant*>& inputs, size_t i, const char* name) {
  if (i >= inputs.size() || inputs[i] == nullptr)
    refuse(node, fmt::format("input {} ({})", i, name), "it is missing or computed from the network's input", "a constant",
           "export the quantiser with constant parameters");
  return *inputs[i];
}

}  // namespace

QuantCodes quant_node(const GraphNode& node, const std::vector<const Constant*>& inputs) {
  const Constant& scale = constant_input(node, inputs, 1, "scale");
  for (const double s : scale.values)
    if (!(s > 0.0) || std::isinf(s))
      refuse(node, "input 1 (scale)", fmt::format("it holds {}", s), "scales above 0",
             "train or export the quantiser with positive scales");
  for (const double z : constant_input(node, inputs, 2, "zero point").values)
    if (z != std::floor(z) || std::abs(z) > 65536.0)
      refuse(node, "input 2 (zero point)", fmt::format("it holds {}", z), "whole numbers", "export the quantiser with a whole zero point");
  const Constant& bits = constant_input(node, inputs, 3, "bit width");
  for (const double b : bits.values)
    if (b != bits.values[0] || b != std::floor(b) || b < 1 || b > kMostBits)
      refuse(node, "input 3 (bit width)", fmt::format("it holds {}", b), fmt::format("one whole number from 1 to {}", kMostBits),
             "export the quantiser with one bit width for the tensor");
  if (bits.values.empty())
    refuse(node, "input 3 (bit width)", "it is empty", "one whole number", "export the quantiser with its bit width");
  const std::string mode = text_attribute(node, "rounding_mode", "ROUND");
  const auto rounding = rounding_of(mode);
  if (!rounding)
    refuse(node, "attribute rounding_mode", "it is " + mode, "ROUND, CEIL, FLOOR, UP, DOWN, HALF_UP or HALF_DOWN",
           "export the quantiser with one of these");
  const bool is_signed = whole_attribute(node, "signed", 1) != 0, narrow = whole_attribute(node, "narrow", 0) != 0;
  const QuantCodes q = quant_codes(static_cast<int>(bits.values[0]), is_signed, narrow, *rounding);
  if (q.lo >= q.hi)
    refuse(node, "attribute narrow", "the range of codes has one value", "at least two values",
           "export the quantiser with narrow = 0, or more bits");
  return q;
}

CountedThresholds counted_thresholds(const GraphNode& node, const Constant& t, size_t channels) {
  CountedThresholds out;
  if (t.shape.size() != 2 || (t.shape[0] != 1 && static_cast<size_t>(t.shape[0]) != channels) || t.shape[1] < 1)
    refuse(node, "input 1 (thresholds)", "their shape does not fit the channels", fmt::format("[{} or 1, levels]", channels),
           "export thresholds for each channel, or one row for all");
  out.levels = static_cast<size_t>(t.shape[1]);
  out.at = t.values;
  for (size_t i = 0; i < out.at.size(); ++i)
    if (i % out.levels != 0 && out.at[i] < out.at[i - 1])
      refuse(node, "input 1 (thresholds)", fmt::format("row {} is not in ascending order", i / out.levels), "ascending thresholds",
             "sort the thresholds of each channel");
  out.scale = real_attribute(node, "out_scale", 1.0);
  out.bias = real_attribute(node, "out_bias", 0.0);
  if (out.scale == 0.0 || !std::isfinite(out.scale) || !std::isfinite(out.bias))
    refuse(node, "attribute out_scale", fmt::format("it is {}", out.scale), "a number that is not 0", "export the node with its scale");
  const std::string layout = text_attribute(node, "data_layout", "NCHW");
  if (layout != "NCHW" && layout != "NC")
    refuse(node, "attribute data_layout", "it is " + layout, "NCHW or NC: channels second",
           "export the graph before FINN makes its channels last");
  return out;
}

ClipBounds clip_bounds(const GraphNode& node, const std::vector<const Constant*>& inputs) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const auto bound = [&](size_t i, const char* name, double absent) {
    if (i < node.inputs.size() && !node.inputs[i].empty()) {
      const Constant& c = constant_input(node, inputs, i, name);
      if (c.values.size() != 1)
        refuse(node, fmt::format("input {} ({})", i, name), "it is not one number", "one number", "export the bound as a number");
      return c.values[0];
    }
    return real_attribute(node, name, absent);
  };
  return {bound(1, "min", -infinite), bound(2, "max", infinite)};
}

}  // namespace bitgrid::frontend::onnx
