#include "frontend/onnx/folded.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bitgrid::frontend::onnx {
namespace {

constexpr double kMostWeight = 32768.0, kWeightSlack = 1e-4;

bool moves_only(const std::string& op) {
  static const std::vector<std::string> ops = {"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Cast", "Dropout"};
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

/// Ones in the shape of x times k.
Constant spread_over(const Constant& x, const Constant& k) {
  const Constant ones{x.shape, std::vector<double>(x.values.size(), 1.0)};
  const GraphNode product{"spread", "Mul", "", {}, {}, {}};
  return evaluate(product, {&ones, &k});
}

std::optional<Constant> unit_of(const GraphNode& node, const std::vector<const Folded*>& in, const std::vector<const Constant*>& values) {
  if (node.op == "Quant" || node.op == "IntQuant" || node.op == "BipolarQuant") return spread_over(*values[0], *values[1]);
  if (in.empty() || in[0] == nullptr || !in[0]->unit) return std::nullopt;
  std::vector<const Constant*> units = values;
  units[0] = &*in[0]->unit;
  if (moves_only(node.op)) return evaluate(node, units);
  if ((node.op == "Mul" || node.op == "Div") && in.size() == 2 && in[1] != nullptr) {
    Constant unit = evaluate(node, units);
    for (double& u : unit.values) u = std::abs(u);
    return unit;
  }
  return std::nullopt;
}

/// The unit of a row that no quantiser gave: 1 for whole numbers, else the smallest magnitude.
double assumed_unit(const double* row, size_t n) {
  double least = 0.0;
  bool whole = true;
  for (size_t i = 0; i < n; ++i) {
    const double size = std::abs(row[i]);
    whole &= size == std::floor(size) && size <= kMostWeight;
    if (size > 0.0 && (least == 0.0 || size < least)) least = size;
  }
  return whole || least == 0.0 ? 1.0 : least;
}

}  // namespace

Folded fold(const GraphNode& node, const std::vector<const Folded*>& inputs) {
  std::vector<const Constant*> values;
  for (const Folded* f : inputs) values.push_back(f == nullptr ? nullptr : &f->value);
  Folded out{evaluate(node, values), std::nullopt};
  out.unit = unit_of(node, inputs, values);
  return out;
}

WeightRows weight_rows(const GraphNode& node, size_t input, const Folded& weights) {
  const Constant& w = weights.value;
  const auto rows = static_cast<size_t>(w.shape.at(0)), n = rows == 0 ? 0 : w.values.size() / rows;
  const std::string where = fmt::format("input {} ({})", input, input < node.inputs.size() ? node.inputs[input] : "");
  WeightRows out;
  out.assumed = !weights.unit;
  out.codes.reserve(w.values.size());
  for (size_t r = 0; r < rows; ++r) {
    const double* row = w.values.data() + r * n;
    const double unit = !weights.unit ? assumed_unit(row, n) : n == 0 ? 1.0 : weights.unit->values[r * n];
    for (size_t i = 0; i < n; ++i) {
      if (weights.unit && weights.unit->values[r * n + i] != unit)
        throw NodeProblem{node.name,
                          node.op,
                          where,
                          fmt::format("the weights of output {} have several scales", r),
                          "one scale for each output",
                          "quantise weights per tensor or per output channel"};
      const double code = row[i] / unit;
      if (!(std::abs(code) <= kMostWeight) || std::abs(code - std::nearbyint(code)) > kWeightSlack)
        throw NodeProblem{node.name,
                          node.op,
                          where,
                          fmt::format("weight {} of output {} is {}, no multiple of a step", i, r, row[i]),
                          "quantised weights",
                          "put a Quant or BipolarQuant node before them (Brevitas: weight_bit_width, export_qonnx)"};
      out.codes.push_back(static_cast<int32_t>(std::llround(code)));
    }
    out.scales.push_back(unit);
  }
  return out;
}

}  // namespace bitgrid::frontend::onnx
