#include "frontend/onnx/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "frontend/onnx/quant_node.h"
#include "frontend/onnx/quantiser.h"
#include "ir/error.h"

namespace bitgrid::frontend::onnx {
namespace {

using Inputs = std::vector<const Constant*>;
constexpr size_t kMostElements = size_t{1} << 20;  // of a result that is larger than its inputs
constexpr size_t kMostProducts = size_t{1} << 32, kMostMapElements = size_t{1} << 26;

[[noreturn]] void refuse(const GraphNode& node, const std::string& where, const std::string& found, const std::string& expected) {
  throw NodeProblem{node.name, node.op, where, found, expected, "export the graph with such a node"};
}

const Constant& input(const GraphNode& node, const Inputs& inputs, size_t i) {
  if (i >= inputs.size() || inputs[i] == nullptr) refuse(node, fmt::format("input {}", i), "it is missing", "a tensor");
  return *inputs[i];
}

std::vector<size_t> strides_of(const std::vector<int64_t>& shape, const std::vector<int64_t>& wide) {
  std::vector<size_t> strides(wide.size(), 0);
  size_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1) strides[i + wide.size() - shape.size()] = stride;
    stride *= static_cast<size_t>(shape[i]);
  }
  return strides;
}

std::vector<int64_t> common_shape(const GraphNode& node, const Inputs& inputs) {
  std::vector<int64_t> wide;
  for (const Constant* c : inputs) {
    if (c == nullptr) continue;
    if (c->shape.size() > wide.size()) wide.insert(wide.begin(), c->shape.size() - wide.size(), 1);
    for (size_t i = 0; i < c->shape.size(); ++i) {
      int64_t& w = wide[i + wide.size() - c->shape.size()];
      if (c->shape[i] == w || c->shape[i] == 1) continue;
      if (w != 1) refuse(node, "", "its inputs have shapes that do not fit together", "shapes that broadcast");
      w = c->shape[i];
    }
  }
  size_t most = kMostElements;
  for (const Constant* c : inputs)
    if (c != nullptr) most = std::max(most, c->values.size());
  if (element_count(wide) > most) refuse(node, "", "its result has too many elements", fmt::format("{} at most", most));
  return wide;
}

/// Element by element over inputs that broadcast: f of one element of each.
Constant broadcast(const GraphNode& node, const Inputs& inputs, const std::function<double(const double*)>& f) {
  Constant out{common_shape(node, inputs), {}};
  const size_t n = element_count(out.shape);
  std::vector<std::vector<size_t>> strides;
  for (const Constant* c : inputs)
    strides.push_back(c == nullptr ? std::vector<size_t>(out.shape.size(), 0) : strides_of(c->shape, out.shape));
  out.values.reserve(n);
  std::vector<int64_t> index(out.shape.size(), 0);
  std::vector<size_t> at(inputs.size(), 0);
  std::vector<double> x(inputs.size(), 0.0);
  for (size_t e = 0; e < n; ++e) {
    for (size_t i = 0; i < inputs.size(); ++i) x[i] = inputs[i] == nullptr ? 0.0 : inputs[i]->values[at[i]];
    out.values.push_back(f(x.data()));
    for (size_t d = out.shape.size(); d-- > 0;) {
      for (size_t i = 0; i < inputs.size(); ++i) at[i] += strides[i][d];
      if (++index[d] < out.shape[d]) break;
      for (size_t i = 0; i < inputs.size(); ++i) at[i] -= strides[i][d] * static_cast<size_t>(out.shape[d]);
      index[d] = 0;
    }
  }
  return out;
}

template <double (*f)(double, double)>
Constant binary(const GraphNode& node, const Inputs& in) {
  input(node, in, 0), input(node, in, 1);
  return broadcast(node, {in[0], in[1]}, [](const double* x) { return f(x[0], x[1]); });
}
template <double (*f)(double)>
Constant unary(const GraphNode& node, const Inputs& in) {
  Constant out = input(node, in, 0);
  for (double& v : out.values) v = f(v);
  return out;
}
Constant same(const GraphNode& node, const Inputs& in) {
  return input(node, in, 0);
}

Constant clip(const GraphNode& node, const Inputs& in) {
  const ClipBounds b = clip_bounds(node, in);
  Constant out = input(node, in, 0);
  for (double& v : out.values) v = std::min(std::max(v, b.lo), b.hi);
  return out;
}

Constant quant(const GraphNode& node, const Inputs& in) {
  input(node, in, 0);
  const QuantCodes q = quant_node(node, in);
  return broadcast(node, {in[0], in[1], in[2]}, [&](const double* x) { return quant_value(quant_code(q, x[0], x[1], x[2]), x[1], x[2]); });
}
Constant bipolar(const GraphNode& node, const Inputs& in) {
  input(node, in, 0), input(node, in, 1);
  return broadcast(node, {in[0], in[1]}, [](const double* x) { return x[0] >= 0.0 ? x[1] : -x[1]; });
}

/// Channels of a batch: the second dimension.
size_t channels_of(const GraphNode& node, const Constant& x) {
  if (x.shape.size() < 2) refuse(node, "input 0", "it has no channels", "a batch with channels behind it");
  return static_cast<size_t>(x.shape[1]);
}
/// f(channel, element) in place.
void by_channel(const GraphNode& node, Constant& x, const std::function<double(size_t, double)>& f) {
  const size_t channels = channels_of(node, x), inner = element_count({x.shape.begin() + 2, x.shape.end()});
  for (size_t i = 0; i < x.values.size(); ++i) x.values[i] = f(i / inner % channels, x.values[i]);
}

Constant multi_threshold(const GraphNode& node, const Inputs& in) {
  Constant x = input(node, in, 0);
  const CountedThresholds t = counted_thresholds(node, input(node, in, 1), channels_of(node, x));
  by_channel(node, x, [&](size_t c, double v) {
    const auto first = t.at.begin() + static_cast<std::ptrdiff_t>(t.at.size() == t.levels ? 0 : c * t.levels);
    return t.scale * static_cast<double>(std::upper_bound(first, first + static_cast<std::ptrdiff_t>(t.levels), v) - first) + t.bias;
  });
  return x;
}

Constant batch_normalisation(const GraphNode& node, const Inputs& in) {
  Constant x = input(node, in, 0);
  const size_t channels = channels_of(node, x);
  for (size_t i = 1; i < 5; ++i)
    if (input(node, in, i).values.size() != channels)
      refuse(node, fmt::format("input {}", i), "it has another number of channels", fmt::format("{}", channels));
  const double epsilon = real_attribute(node, "epsilon", 1e-5);
  by_channel(node, x, [&](size_t c, double v) {
    return (v - in[3]->values[c]) / std::sqrt(in[4]->values[c] + epsilon) * in[1]->values[c] + in[2]->values[c];
  });
  return x;
}

Constant matrix_product(const GraphNode& node, const Constant& a, const Constant& b) {
  if (a.shape.size() != 2 || b.shape.size() != 2 || a.shape[1] != b.shape[0])
    refuse(node, "", "its inputs are no matrices that fit together", "[n, k] and [k, m]");
  const auto n = static_cast<size_t>(a.shape[0]), k = static_cast<size_t>(a.shape[1]), m = static_cast<size_t>(b.shape[1]);
  if (n * m * std::max<size_t>(k, 1) > kMostProducts || n * m > kMostMapElements)
    refuse(node, "", "its result has too many elements", fmt::format("{} at most", kMostMapElements));
  Constant out{{a.shape[0], b.shape[1]}, std::vector<double>(n * m, 0.0)};
  for (size_t i = 0; i < n; ++i)
    for (size_t l = 0; l < k; ++l) {
      const double x = a.values[i * k + l];
      for (size_t j = 0; j < m; ++j) out.values[i * m + j] += x * b.values[l * m + j];
    }
  return out;
}

Constant transposed(const Constant& x) {
  Constant out{{x.shape[1], x.shape[0]}, std::vector<double>(x.values.size())};
  const auto rows = static_cast<size_t>(x.shape[0]), columns = static_cast<size_t>(x.shape[1]);
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) out.values[c * rows + r] = x.values[r * columns + c];
  return out;
}

Constant matmul(const GraphNode& node, const Inputs& in) {
  return matrix_product(node, input(node, in, 0), input(node, in, 1));
}

Constant xnor_popcount(const GraphNode& node, const Inputs& in) {
  Constant a = input(node, in, 0), b = input(node, in, 1);
  const double k = a.shape.empty() ? 0.0 : static_cast<double>(a.shape.back());
  for (Constant* c : {&a, &b})
    for (double& v : c->values) v = 2.0 * v - 1.0;
  Constant out = matrix_product(node, a, b);
  for (double& v : out.values) v = (v + k) / 2.0;
  return out;
}

Constant gemm(const GraphNode& node, const Inputs& in) {
  const Constant &a = input(node, in, 0), &b = input(node, in, 1);
  if (a.shape.size() != 2 || b.shape.size() != 2) refuse(node, "", "its inputs are no matrices", "two dimensions");
  Constant y = matrix_product(node, whole_attribute(node, "transA", 0) != 0 ? transposed(a) : a,
                              whole_attribute(node, "transB", 0) != 0 ? transposed(b) : b);
  const double alpha = real_attribute(node, "alpha", 1.0), beta = real_attribute(node, "beta", 1.0);
  return broadcast(node, {&y, in.size() > 2 ? in[2] : nullptr}, [&](const double* x) { return alpha * x[0] + beta * x[1]; });
}

Constant conv(const GraphNode& node, const Inputs& in) {
  const Constant &x = input(node, in, 0), &w = input(node, in, 1);
  if (x.shape.size() != 4 || w.shape.size() != 4)
    refuse(node, "", "it does not work on maps of two dimensions", "[batch, channels, height, width]");
  const int64_t groups = whole_attribute(node, "group", 1), depth = w.shape[1];
  if (groups < 1 || x.shape[1] % groups != 0 || depth != x.shape[1] / groups || w.shape[0] % groups != 0)
    refuse(node, "attribute group", "it does not fit the channels", "channels of the weights * group");
  const Constant* bias = in.size() > 2 ? in[2] : nullptr;
  if (bias != nullptr && bias->values.size() != static_cast<size_t>(w.shape[0]))
    refuse(node, "input 2", "it has not one number for each channel", fmt::format("{}", w.shape[0]));
  const SlidingWindow s = sliding_window(node, x.shape[2], x.shape[3], w.shape[2], w.shape[3]);
  Constant y{{x.shape[0], w.shape[0], s.out_height, s.out_width}, {}};
  if (element_count(y.shape) > kMostMapElements || element_count(y.shape) * static_cast<size_t>(depth * s.height * s.width) > kMostProducts)
    refuse(node, "", "its result has too many elements", fmt::format("{} at most", kMostMapElements));
  for (int64_t n = 0; n < x.shape[0]; ++n)
    for (int64_t o = 0; o < w.shape[0]; ++o)
      for (int64_t r = 0; r < s.out_height; ++r)
        for (int64_t c = 0; c < s.out_width; ++c) {
          double sum = bias != nullptr ? bias->values[static_cast<size_t>(o)] : 0.0;
          for (int64_t d = 0; d < depth; ++d)
            for (int64_t i = 0; i < s.height; ++i)
              for (int64_t j = 0; j < s.width; ++j) {
                const int64_t row = r * s.stride_y - s.top + i, column = c * s.stride_x - s.left + j;
                if (row < 0 || row >= x.shape[2] || column < 0 || column >= x.shape[3]) continue;
                const int64_t channel = o / (w.shape[0] / groups) * depth + d;
                sum += x.values[static_cast<size_t>(((n * x.shape[1] + channel) * x.shape[2] + row) * x.shape[3] + column)] *
                       w.values[static_cast<size_t>(((o * depth + d) * s.height + i) * s.width + j)];
              }
          y.values.push_back(sum);
        }
  return y;
}

/// Every window of every channel, as the values that lie in the map.
Constant pool(const GraphNode& node, const Constant& x, const SlidingWindow& s,
              const std::function<double(const std::vector<double>&)>& f) {
  Constant y{{x.shape[0], x.shape[1], s.out_height, s.out_width}, {}};
  if (element_count(y.shape) > kMostMapElements || element_count(y.shape) * static_cast<size_t>(s.height * s.width) > kMostProducts)
    refuse(node, "", "its result has too many elements", fmt::format("{} at most", kMostMapElements));
  std::vector<double> window;
  for (int64_t plane = 0; plane < x.shape[0] * x.shape[1]; ++plane)
    for (int64_t r = 0; r < s.out_height; ++r)
      for (int64_t c = 0; c < s.out_width; ++c) {
        window.clear();
        for (int64_t i = 0; i < s.height; ++i)
          for (int64_t j = 0; j < s.width; ++j) {
            const int64_t row = r * s.stride_y - s.top + i, column = c * s.stride_x - s.left + j;
            if (row >= 0 && row < x.shape[2] && column >= 0 && column < x.shape[3])
              window.push_back(x.values[static_cast<size_t>((plane * x.shape[2] + row) * x.shape[3] + column)]);
          }
        y.values.push_back(f(window));
      }
  return y;
}

const Constant& maps(const GraphNode& node, const Inputs& in) {
  const Constant& x = input(node, in, 0);
  if (x.shape.size() != 4) refuse(node, "", "it does not work on maps of two dimensions", "[batch, channels, height, width]");
  return x;
}
SlidingWindow pool_window(const GraphNode& node, const Constant& x) {
  if (node.op.starts_with("Global")) return {x.shape[2], x.shape[3], 1, 1, 0, 0, 0, 0, 1, 1};
  const auto kernel = list_attribute(node, "kernel_shape", {});
  if (kernel.size() != 2) refuse(node, "attribute kernel_shape", "it has no two numbers", "two numbers");
  return sliding_window(node, x.shape[2], x.shape[3], kernel[0], kernel[1]);
}
Constant max_pool(const GraphNode& node, const Inputs& in) {
  const Constant& x = maps(node, in);
  return pool(node, x, pool_window(node, x),
              [](const std::vector<double>& v) { return v.empty() ? 0.0 : *std::max_element(v.begin(), v.end()); });
}
Constant average_pool(const GraphNode& node, const Inputs& in) {
  const Constant& x = maps(node, in);
  const SlidingWindow s = pool_window(node, x);
  const bool all = whole_attribute(node, "count_include_pad", 0) != 0;
  return pool(node, x, s, [&](const std::vector<double>& v) {
    double sum = 0.0;
    for (const double e : v) sum += e;
    return sum / (all ? static_cast<double>(s.height * s.width) : static_cast<double>(std::max<size_t>(1, v.size())));
  });
}

Constant reshape(const GraphNode& node, const Inputs& in) {
  const Constant& x = input(node, in, 0);
  return {reshaped(node, x.shape, in), x.values};
}

Constant transpose(const GraphNode& node, const Inputs& in) {
  const Constant& x = input(node, in, 0);
  std::vector<int64_t> reversed;
  for (size_t i = x.shape.size(); i-- > 0;) reversed.push_back(static_cast<int64_t>(i));
  const auto perm = list_attribute(node, "perm", reversed);
  std::vector<int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  std::reverse(reversed.begin(), reversed.end());
  if (sorted != reversed) refuse(node, "attribute perm", "it is no order of the dimensions", "each once");
  Constant out{{}, {}};
  const auto strides = strides_of(x.shape, x.shape);
  std::vector<size_t> step;
  for (const int64_t p : perm) {
    out.shape.push_back(x.shape[static_cast<size_t>(p)]);
    step.push_back(strides[static_cast<size_t>(p)]);
  }
  std::vector<int64_t> index(perm.size(), 0);
  size_t at = 0;
  out.values.reserve(x.values.size());
  for (size_t e = 0; e < x.values.size(); ++e) {
    out.values.push_back(x.values[at]);
    for (size_t d = perm.size(); d-- > 0;) {
      at += step[d];
      if (++index[d] < out.shape[d]) break;
      at -= step[d] * static_cast<size_t>(out.shape[d]);
      index[d] = 0;
    }
  }
  return out;
}

Constant shape_node(const GraphNode& node, const Inputs& in) {
  const Constant& x = input(node, in, 0);
  Constant out{{static_cast<int64_t>(x.shape.size())}, {}};
  for (const int64_t d : x.shape) out.values.push_back(static_cast<double>(d));
  return out;
}

Constant gather(const GraphNode& node, const Inputs& in) {
  const Constant &x = input(node, in, 0), &index = input(node, in, 1);
  if (x.shape.size() != 1 || whole_attribute(node, "axis", 0) != 0)
    refuse(node, "", "it gathers from more than a list", "a list of numbers");
  Constant out{index.shape, {}};
  for (double i : index.values) {
    if (i < 0) i += static_cast<double>(x.values.size());
    if (!(i >= 0 && i < static_cast<double>(x.values.size())))
      refuse(node, "input 1", "an index is beyond the list", "an element of the list");
    out.values.push_back(x.values[static_cast<size_t>(i)]);
  }
  return out;
}

Constant slice(const GraphNode& node, const Inputs& in) {
  const Constant& x = input(node, in, 0);
  if (x.shape.size() != 1) refuse(node, "", "it cuts more than a list", "a list of numbers");
  const auto bound = [&](size_t i, const char* name, double absent) {
    if (i < in.size() && in[i] != nullptr) return in[i]->values.empty() ? absent : in[i]->values[0];
    const auto list = list_attribute(node, name, {});
    return list.empty() ? absent : static_cast<double>(list[0]);
  };
  const auto n = static_cast<double>(x.values.size());
  const auto within = [&](double v) { return std::clamp(v < 0 ? v + n : v, 0.0, n); };
  if (bound(4, "steps", 1.0) != 1.0) refuse(node, "input 4", "it steps over elements", "steps of 1");
  const auto first = static_cast<size_t>(within(bound(1, "starts", 0.0))), last = static_cast<size_t>(within(bound(2, "ends", n)));
  Constant out{{0}, {}};
  for (size_t i = first; i < last; ++i) out.values.push_back(x.values[i]);
  out.shape[0] = static_cast<int64_t>(out.values.size());
  return out;
}

Constant concat(const GraphNode& node, const Inputs& in) {
  Constant out{{0}, {}};
  for (size_t i = 0; i < in.size(); ++i) {
    const Constant& x = input(node, in, i);
    if (x.shape.size() != 1) refuse(node, fmt::format("input {}", i), "it joins more than lists", "lists of numbers");
    out.values.insert(out.values.end(), x.values.begin(), x.values.end());
  }
  out.shape[0] = static_cast<int64_t>(out.values.size());
  return out;
}

Constant constant(const GraphNode& node, const Inputs&) {
  for (const auto& [name, value] : node.attributes) {
    if (const auto* c = std::get_if<Constant>(&value)) return *c;
    if (const auto* v = std::get_if<double>(&value)) return {{}, {*v}};
    if (const auto* i = std::get_if<int64_t>(&value)) return {{}, {static_cast<double>(*i)}};
    if (const auto* list = std::get_if<std::vector<double>>(&value)) return {{static_cast<int64_t>(list->size())}, *list};
    if (const auto* list = std::get_if<std::vector<int64_t>>(&value))
      return {{static_cast<int64_t>(list->size())}, std::vector<double>(list->begin(), list->end())};
  }
  refuse(node, "", "it has no value that is read", "a tensor or numbers");
}

double add(double a, double b) {
  return a + b;
}
double subtract(double a, double b) {
  return a - b;
}
double multiply(double a, double b) {
  return a * b;
}
double divide(double a, double b) {
  return a / b;
}
double power(double a, double b) {
  return b == 0.5 ? std::sqrt(a) : std::pow(a, b);
}
double larger(double a, double b) {
  return std::max(a, b);
}
double smaller(double a, double b) {
  return std::min(a, b);
}
double negate(double a) {
  return -a;
}
double root(double a) {
  return std::sqrt(a);
}
double reciprocal(double a) {
  return 1.0 / a;
}
double absolute(double a) {
  return std::abs(a);
}
double relu(double a) {
  return std::max(a, 0.0);
}
double sign(double a) {
  return a > 0.0 ? 1.0 : a < 0.0 ? -1.0 : 0.0;
}

using Function = Constant (*)(const GraphNode&, const Inputs&);

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> table = {
      {"Add", binary<add>},
      {"Sub", binary<subtract>},
      {"Mul", binary<multiply>},
      {"Div", binary<divide>},
      {"Pow", binary<power>},
      {"Max", binary<larger>},
      {"Min", binary<smaller>},
      {"Neg", unary<negate>},
      {"Sqrt", unary<root>},
      {"Reciprocal", unary<reciprocal>},
      {"Abs", unary<absolute>},
      {"Relu", unary<relu>},
      {"Sign", unary<sign>},
      {"Clip", clip},
      {"Identity", same},
      {"Dropout", same},
      {"Cast", same},
      {"Quant", quant},
      {"IntQuant", quant},
      {"BipolarQuant", bipolar},
      {"MultiThreshold", multi_threshold},
      {"BatchNormalization", batch_normalisation},
      {"MatMul", matmul},
      {"XnorPopcountMatMul", xnor_popcount},
      {"Gemm", gemm},
      {"Conv", conv},
      {"MaxPool", max_pool},
      {"AveragePool", average_pool},
      {"GlobalMaxPool", max_pool},
      {"GlobalAveragePool", average_pool},
      {"Reshape", reshape},
      {"Flatten", reshape},
      {"Squeeze", reshape},
      {"Unsqueeze", reshape},
      {"Transpose", transpose},
      {"Shape", shape_node},
      {"Gather", gather},
      {"Slice", slice},
      {"Concat", concat},
      {"Constant", constant},
  };
  return table;
}

}  // namespace

bool can_evaluate(const GraphNode& node) {
  return functions().contains(node.op);
}

Constant evaluate(const GraphNode& node, const Inputs& inputs) {
  const auto it = functions().find(node.op);
  if (it == functions().end()) refuse(node, "", "there is no arithmetic for this operator", "one of the operators of docs/onnx.md");
  return it->second(node, inputs);
}

std::map<std::string, Constant> evaluate_graph(const Graph& graph, const Constant& value, const std::string& last) {
  std::map<std::string, Constant> values = graph.constants;
  if (!graph.inputs.empty()) values[graph.inputs[0].name] = value;
  for (const GraphNode& node : graph.nodes) {
    if (values.contains(last)) break;
    Inputs inputs;
    for (const std::string& name : node.inputs) {
      const auto it = values.find(name);
      if (it == values.end() && !name.empty())
        throw Error("node " + node.name, "it reads " + name + ", which nothing has written", "export the graph again");
      inputs.push_back(it == values.end() ? nullptr : &it->second);
    }
    if (node.outputs.empty()) continue;
    try {
      values[node.outputs[0]] = evaluate(node, inputs);
    } catch (const NodeProblem& p) {
      throw Error(place_of(p), p.found + "; expected " + p.expected, p.cure);
    }
  }
  return values;
}

}  // namespace bitgrid::frontend::onnx
