#include "frontend/onnx/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <sstream>

#include "frontend/onnx/quant_node.h"
#include "frontend/onnx/walk.h"
#include "ir/error.h"
#include "ir/index.h"
#include "ir/number.h"

namespace bitgrid::frontend::onnx {
namespace {

constexpr int kMostPoints = 65536;

/// Operators behind which only the answer is left: they change no order.
bool keeps_order(const std::string& op) {
  return op == "Softmax" || op == "LogSoftmax" || op == "ArgMax" || op == "TopK" || op == "Hardmax";
}

/// Activations of single numbers that have no thresholds here.
bool is_other_activation(const std::string& op) {
  static const std::vector<std::string> ops = {"Sigmoid",   "Tanh",     "HardSigmoid", "Elu",       "Gelu", "Selu", "Celu",
                                               "LeakyRelu", "Softplus", "Softsign",    "HardSwish", "Mish", "Erf",  "PRelu"};
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

NodeProblem not_converted(const GraphNode& n) {
  std::string cure = "build the model without it";
  if (n.op == "Trunc") cure = "use an AveragePool followed by a Quant node in place of a truncating pool";
  if (is_other_activation(n.op)) cure = "use ReLU, or a quantiser alone, as the activation";
  return {n.name, n.op, "", "this operator is not converted", "an operator of docs/onnx.md", cure};
}

}  // namespace

NetworkReading Walk::run() {
  network_.name = graph_.name;
  if (graph_.inputs.size() != 1)
    throw Error(graph_.name.empty() ? "the graph" : graph_.name, fmt::format("it has {} inputs", graph_.inputs.size()),
                "export a graph of one input");
  if (graph_.outputs.empty()) throw Error(graph_.name, "it has no output", "export a graph of one output");
  const GraphInput& in = graph_.inputs[0];
  if (in.shape.size() != 2 && in.shape.size() != 4)
    throw Error("input " + in.name, fmt::format("it has {} dimensions", in.shape.size()),
                "export a graph whose input is [batch, values] or [batch, channels, height, width]");
  for (size_t i = 1; i < in.shape.size(); ++i)
    if (in.shape[i] < 1 || in.shape[i] > (1 << 20))
      throw Error("input " + in.name, "its shape is open", "export the graph with the shape of a sample");
  Stream first;
  first.flat = in.shape.size() == 2;
  first.map = {int_of(in.shape[1]), first.flat ? 1 : int_of(in.shape[2]), first.flat ? 1 : int_of(in.shape[3])};
  if (first.map.size() > kMostMapValues) throw Error("input " + in.name, "a sample has too many values", "export a smaller network");
  if (in.shape[0] > 0) batch_ = in.shape[0];
  if (batch_ > static_cast<int64_t>(kMostMapValues / first.map.size()))
    throw Error("input " + in.name, fmt::format("a batch of {} samples has too many values", batch_), "export the graph with a batch of 1");
  network_.input.name = in.name;
  network_.input.shape = first.map;
  network_.output_tensor = graph_.outputs[0];
  for (const auto& [name, value] : graph_.constants) values_[name] = Folded{value, std::nullopt};
  values_[in.name] = first;
  for (const GraphNode& n : graph_.nodes) node(n);
  try {
    finish();
  } catch (const NodeProblem& p) {
    reading_.problems.push_back(p);
  }
  if (reading_.problems.empty() && !reading_.open_grid) {
    verify(network_);
    reading_.network = std::move(network_);
  }
  return std::move(reading_);
}

void Walk::node(const GraphNode& n) {
  std::vector<const Value*> inputs;
  bool unknown = false;
  Value result = Unknown{};
  try {
    for (const std::string& name : n.inputs) {
      if (name.empty()) {
        inputs.push_back(nullptr);
        continue;
      }
      const auto it = values_.find(name);
      if (it == values_.end())
        throw NodeProblem{n.name,
                          n.op,
                          "input " + name,
                          "nothing before this node writes it",
                          "nodes in the order in which they compute",
                          "export the graph again"};
      unknown |= std::holds_alternative<Unknown>(it->second);
      inputs.push_back(&it->second);
    }
    if (!unknown)
      result = convert(n, inputs);
    else if (!can_evaluate(n) && !keeps_order(n.op))
      throw not_converted(n);
    else
      check_alone(n, inputs);
  } catch (const NodeProblem& p) {
    reading_.problems.push_back(p);
  }
  for (const std::string& name : n.outputs) values_[name] = result;
}

Value Walk::convert(const GraphNode& n, const std::vector<const Value*>& inputs) {
  std::vector<const Folded*> folded;
  std::optional<size_t> at;
  for (size_t i = 0; i < inputs.size(); ++i) {
    folded.push_back(inputs[i] == nullptr ? nullptr : std::get_if<Folded>(inputs[i]));
    if (inputs[i] == nullptr || folded.back() != nullptr) continue;
    if (at)
      throw NodeProblem{n.name,
                        n.op,
                        "",
                        "two of its inputs are computed from the network's input",
                        "one, and constants",
                        "build the model without branches that meet again (residual sums, products of activations)"};
    at = i;
  }
  if (!at) {
    if (!can_evaluate(n)) throw not_converted(n);
    return fold(n, folded);
  }
  return stream_node(n, inputs, *at, std::get<Stream>(*inputs[*at]));
}

Value Walk::stream_node(const GraphNode& n, const std::vector<const Value*>& inputs, size_t at, const Stream& s) {
  const std::string& op = n.op;
  if (op == "Shape") {
    const auto shape = shape_of(s);
    return Folded{{{static_cast<int64_t>(shape.size())}, std::vector<double>(shape.begin(), shape.end())}, std::nullopt};
  }
  if (op == "Identity" || op == "Dropout" || op == "Cast") return s;
  if (op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze") return s.decided ? s : reshape(n, inputs, s);
  if (keeps_order(op)) {
    Stream decided = s;
    decided.decided = true;
    if (!s.decided) network_.output_tensor = n.inputs[0];
    network_.notes.push_back(fmt::format("node {} ({}) is left out: the scores have the same order", n.name, op));
    return decided;
  }
  if (s.decided)
    throw NodeProblem{n.name, op, "", "it reads what a Softmax or ArgMax gives", "the end of the graph", "end the model with its scores"};
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Max" || op == "Min") return binary(n, inputs, at, s);
  if (at != 0 && op != "MatMul" && op != "Gemm")
    throw NodeProblem{n.name,
                      op,
                      fmt::format("input {}", at),
                      "it is computed from the network's input",
                      "a constant",
                      "export the node with constant parameters"};
  if (op == "BatchNormalization") return normalise(n, inputs, s);
  if (op == "Quant" || op == "IntQuant" || op == "BipolarQuant" || op == "MultiThreshold" || op == "Sign" || op == "Relu" || op == "Clip" ||
      op == "Neg")
    return quantise(n, inputs, s);
  if (op == "MatMul" || op == "Gemm" || op == "XnorPopcountMatMul") return dense(n, inputs, at, s);
  if (op == "Conv") return conv(n, inputs, s);
  if (op == "MaxPool" || op == "GlobalMaxPool") return pool(n, s);
  if (op == "AveragePool" || op == "GlobalAveragePool") return average(n, s);
  if (op == "Transpose")
    throw NodeProblem{n.name,
                      op,
                      "attribute perm",
                      "it moves the channels of activations",
                      "channels second throughout",
                      "export the graph before FINN makes its channels last"};
  if (!is_other_activation(op)) throw not_converted(n);
  report(not_converted(n));
  return s;
}

void Walk::check_alone(const GraphNode& n, const std::vector<const Value*>& inputs) {
  constexpr int64_t kLargeMap = 1 << 14;
  const auto folded = [&](size_t i) { return i < inputs.size() && inputs[i] != nullptr ? std::get_if<Folded>(inputs[i]) : nullptr; };
  const bool quant = n.op == "Quant" || n.op == "IntQuant";
  if (quant && folded(1) != nullptr && folded(2) != nullptr && folded(3) != nullptr)
    quant_node(n, {nullptr, &folded(1)->value, &folded(2)->value, &folded(3)->value});
  if (n.op == "Conv" && folded(1) != nullptr && folded(1)->value.shape.size() == 4) {
    const auto& shape = folded(1)->value.shape;
    quantised_rows(n, 1, *folded(1));
    sliding_window(n, kLargeMap, kLargeMap, shape[2], shape[3]);
  }
  if (n.op == "MaxPool" || n.op == "AveragePool")
    if (const auto kernel = list_attribute(n, "kernel_shape", {}); kernel.size() == 2)
      sliding_window(n, kLargeMap, kLargeMap, kernel[0], kernel[1]);
}

std::vector<int64_t> Walk::shape_of(const Stream& s) const {
  if (s.flat) return {batch_, static_cast<int64_t>(s.map.size())};
  return {batch_, s.map.channels, s.map.height, s.map.width};
}

int Walk::channel_count(const Stream& s) const {
  return s.flat ? int_of(s.map.size()) : s.map.channels;
}

const Folded& Walk::constant(const GraphNode& n, const std::vector<const Value*>& inputs, size_t i) const {
  const Folded* f = i < inputs.size() && inputs[i] != nullptr ? std::get_if<Folded>(inputs[i]) : nullptr;
  if (f == nullptr)
    throw NodeProblem{
        n.name, n.op, fmt::format("input {}", i), "it is missing or no constant", "a constant", "export the node with constant parameters"};
  return *f;
}

Channels Walk::channels(const GraphNode& n, size_t input, const Constant& k, const Stream& s) const {
  const std::string where = fmt::format("input {} ({})", input, input < n.inputs.size() ? n.inputs[input] : "");
  for (const double v : k.values)
    if (!std::isfinite(v))
      throw NodeProblem{n.name, n.op, where, "it holds infinite numbers", "finite ones", "export the node with finite constants"};
  const auto across = across_channels(k, s.flat ? 2 : 4, index_of(channel_count(s)));
  if (!across)
    throw NodeProblem{n.name,
                      n.op,
                      where,
                      "its values do not lie along the channels",
                      "one number, or one for each channel",
                      "export the constant per tensor or per channel"};
  const auto narrow = narrowed(*across, index_of(s.map.channels));
  if (!narrow)
    throw NodeProblem{n.name,
                      n.op,
                      where,
                      "it treats positions of one channel differently",
                      "the same for all positions of a channel",
                      "put the node before the flattening, per channel"};
  return *narrow;
}

Stream Walk::reshape(const GraphNode& n, const std::vector<const Value*>& inputs, Stream s) {
  std::vector<const Constant*> values;
  for (size_t i = 0; i < inputs.size(); ++i) values.push_back(i == 0 || inputs[i] == nullptr ? nullptr : &constant(n, inputs, i).value);
  const auto refuse = [&](const std::string& found) {
    return NodeProblem{n.name,
                       n.op,
                       "",
                       found,
                       "[batch, values] or [batch, channels, height, width], the batch first",
                       "flatten once, behind the convolutions"};
  };
  const std::vector<int64_t> shape = reshaped(n, shape_of(s), values);
  if (shape.empty() || shape[0] != batch_ || (shape.size() != 2 && shape.size() != 4)) throw refuse("it gives another shape");
  const bool flat = shape.size() == 2, input = s.layer < 0;
  const bool alike = different_channels(s.chain, index_of(s.map.channels)) == 1;
  FeatureMap map = s.map;
  if (!flat) map = {int_of(shape[1]), int_of(shape[2]), int_of(shape[3])};
  if (flat && input && alike) map = {int_of(s.map.size()), 1, 1};
  if (map != s.map && !(input && alike)) throw refuse("it makes another map of computed values");
  if (input) network_.input.shape = map;
  s.map = map;
  s.flat = flat;
  return s;
}

Stream Walk::binary(const GraphNode& n, const std::vector<const Value*>& inputs, size_t at, Stream s) {
  const size_t other = 1 - at;
  const Constant& k = constant(n, inputs, other).value;
  if (n.op == "Max" || n.op == "Min") {
    if (k.values.size() != 1)
      throw NodeProblem{n.name, n.op, fmt::format("input {}", other), "it is not one number", "one number", "export a Relu or Clip"};
    constexpr double infinite = std::numeric_limits<double>::infinity();
    s.chain.push_back({n.name, n.op == "Max" ? ClipStep{k.values[0], infinite} : ClipStep{-infinite, k.values[0]}});
    return s;
  }
  const Channels by = channels(n, other, k, s);
  const bool zero = std::any_of(by.begin(), by.end(), [](double v) { return v == 0.0; });
  if (n.op == "Add") {
    s.chain.push_back({n.name, AddStep{by}});
  } else if (n.op == "Mul") {
    s.chain.push_back({n.name, MultiplyStep{by}});
  } else if (n.op == "Sub" && at == 0) {
    Channels negative = by;
    for (double& v : negative) v = -v;
    s.chain.push_back({n.name, AddStep{negative}});
  } else if (n.op == "Sub") {
    s.chain.push_back({n.name, SubtractFromStep{by}});
  } else if (at == 0 && !zero) {
    s.chain.push_back({n.name, DivideStep{by}});
  } else {
    throw NodeProblem{n.name,
                      n.op,
                      "",
                      zero ? "it divides by 0" : "it divides by an activation",
                      "a division by constants other than 0",
                      "build the model without it"};
  }
  return s;
}

Stream Walk::normalise(const GraphNode& n, const std::vector<const Value*>& inputs, Stream s) {
  Affine a;
  Channels* parts[] = {&a.gain, &a.bias, &a.mean, &a.deviation};
  for (size_t i = 0; i < 4; ++i) {
    Constant c = constant(n, inputs, i + 1).value;
    if (c.shape.size() == 1 && !s.flat) c.shape = {c.shape[0], 1, 1};
    *parts[i] = channels(n, i + 1, c, s);
  }
  const double epsilon = real_attribute(n, "epsilon", 1e-5);
  for (double& v : a.deviation) {
    v = std::sqrt(v + epsilon);
    if (!(v > 0.0))
      throw NodeProblem{n.name,
                        n.op,
                        "input 4",
                        "a variance with epsilon is not above 0",
                        "variances of 0 or more",
                        "train the model so that its variances are"};
  }
  s.chain.push_back({n.name, a});
  return s;
}

Stream Walk::quantise(const GraphNode& n, const std::vector<const Value*>& inputs, Stream s) {
  try {
    return quantised(n, inputs, s);
  } catch (const NodeProblem& p) {
    report(p);
    s.chain.push_back({n.name, BipolarStep{{1.0}}});  // some quantiser: what follows is read as if this one were right
    return s;
  }
}

Stream Walk::quantised(const GraphNode& n, const std::vector<const Value*>& inputs, Stream s) {
  std::vector<const Constant*> values = {nullptr};
  for (size_t i = 1; i < inputs.size(); ++i) values.push_back(inputs[i] == nullptr ? nullptr : &constant(n, inputs, i).value);
  if (n.op == "Quant" || n.op == "IntQuant") {
    const QuantCodes q = quant_node(n, values);
    s.chain.push_back({n.name, QuantStep{q, channels(n, 1, *values[1], s), channels(n, 2, *values[2], s)}});
  } else if (n.op == "BipolarQuant") {
    const Channels scale = channels(n, 1, constant(n, inputs, 1).value, s);
    for (const double v : scale)
      if (v == 0.0)
        throw NodeProblem{n.name, n.op, "input 1 (scale)", "it holds 0", "scales other than 0", "export the quantiser with its scale"};
    s.chain.push_back({n.name, BipolarStep{scale}});
  } else if (n.op == "MultiThreshold") {
    const auto count = index_of(channel_count(s));
    const CountedThresholds t = counted_thresholds(n, constant(n, inputs, 1).value, count);
    if (t.at.size() != t.levels && count != index_of(s.map.channels))
      throw NodeProblem{n.name,
                        n.op,
                        "input 1",
                        "it treats positions of one channel differently",
                        "the same for all positions of a channel",
                        "put the node before the flattening"};
    s.chain.push_back({n.name, CountStep{t.levels, t.at, t.scale, t.bias}});
  } else if (n.op == "Sign") {
    s.chain.push_back({n.name, SignStep{}});
  } else if (n.op == "Neg") {
    s.chain.push_back({n.name, MultiplyStep{{-1.0}}});
  } else {
    const ClipBounds b = n.op == "Relu" ? ClipBounds{0.0, std::numeric_limits<double>::infinity()} : clip_bounds(n, values);
    s.chain.push_back({n.name, ClipStep{b.lo, b.hi}});
  }
  return s;
}

NetworkReading read_network(const Graph& graph, const NetworkParams& params) {
  return Walk(graph, params).run();
}

IntegerNetwork convert(const Graph& graph, const std::string& source, const NetworkParams& params) {
  NetworkReading reading = read_network(graph, params);
  if (!reading.problems.empty()) {
    const NodeProblem& p = reading.problems[0];
    const std::string others =
        reading.problems.size() == 1 ? "" : fmt::format(" (`bitgrid inspect` lists {} more such nodes)", reading.problems.size() - 1);
    throw Error(source + ", " + place_of(p), p.found + "; expected " + p.expected, p.cure + others);
  }
  if (reading.open_grid)
    throw Error(source, "no quantiser reads its input, so that nothing says which values the input takes",
                "give --input X.npy, whose values say it, or --input-grid FIRST:STEP:POINTS; or put a Quant node behind the input");
  return std::move(*reading.network);
}

std::optional<InputGrid> grid_of_numbers(const std::vector<double>& values) {
  constexpr double kMostWhole = 0x1p53;
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  if (sorted.empty() || !std::isfinite(sorted.front()) || !std::isfinite(sorted.back())) return std::nullopt;
  if (sorted.size() == 1) return InputGrid{sorted[0], 1.0, 2};
  // Whole multiples of a power of two; their distances' greatest common divisor is the step.
  for (double part = 1.0; part >= 0x1p-30; part /= 2.0) {
    if (!std::all_of(sorted.begin(), sorted.end(),
                     [&](double v) { return std::abs(v / part) < kMostWhole && v / part == std::floor(v / part); }))
      continue;
    int64_t step = 0;
    for (const double v : sorted) step = std::gcd(step, static_cast<int64_t>(v / part) - static_cast<int64_t>(sorted.front() / part));
    const double points = (sorted.back() - sorted.front()) / part / static_cast<double>(step) + 1.0;
    if (points > kMostPoints) return std::nullopt;
    return InputGrid{sorted.front(), static_cast<double>(step) * part, static_cast<int>(points)};
  }
  return std::nullopt;
}

InputGrid parse_input_grid(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream items(text);
  for (std::string item; std::getline(items, item, ':');) parts.push_back(item);
  const auto refuse = [&]() -> Error {
    return {"--input-grid", "'" + text + "' is no FIRST:STEP:POINTS", "write for example -1:2:2 for -1 and 1, or -4:0.03125:256"};
  };
  if (parts.size() != 3) throw refuse();
  const auto first = parse_real(parts[0], -1e15, 1e15), step = parse_real(parts[1], 1e-15, 1e15);
  const auto points = parse_whole(parts[2], 2, kMostPoints);
  if (!first || !step || !points) throw refuse();
  return {*first, *step, *points};
}

}  // namespace bitgrid::frontend::onnx
