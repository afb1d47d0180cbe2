// Matrices, convolutions, pools; and where a chain of steps ends in thresholds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "frontend/onnx/walk.h"
#include "ir/error.h"
#include "ir/index.h"

namespace bitgrid::frontend::onnx {
namespace {

constexpr size_t kMostWeights = size_t{1} << 27, kMostInputThresholds = size_t{1} << 20;

NodeProblem problem(const GraphNode& n, const std::string& where, const std::string& found, const std::string& expected,
                    const std::string& cure) {
  return {n.name, n.op, where, found, expected, cure};
}

Folded transposed(const Folded& f) {
  const GraphNode node{"weights", "Transpose", "", {}, {}, {}};
  return fold(node, {&f});
}

bool is_power_of_two(double x) {
  int exponent = 0;
  return x > 0.0 && std::frexp(x, &exponent) == 0.5;
}

FeatureMap dense_map(size_t n) {
  return {int_of(n), 1, 1};
}

void require_small(const GraphNode& n, const FeatureMap& map) {
  if (map.size() > kMostMapValues)
    throw problem(n, "", fmt::format("its result has {} values", map.size()), fmt::format("{} at most", kMostMapValues),
                  "export a smaller network");
}

}  // namespace

CodeGrid Walk::close_input(const GraphNode& n, const Stream& s) {
  const size_t rows = different_channels(s.chain, index_of(s.map.channels));
  if (input_grid_) throw problem(n, "", "a second node reads the network's input", "one", "build the model without branches");
  NetworkInput& in = network_.input;
  if (const auto grid = codes_of_chain(s.chain, rows)) {
    if (rows * index_of(grid->range.levels()) > kMostInputThresholds)
      throw problem(n, "input 0", fmt::format("the input's quantiser has {} thresholds", rows * index_of(grid->range.levels())),
                    fmt::format("{} at most", kMostInputThresholds), "quantise the input with one scale, or fewer bits");
    in.range = grid->range;
    in.codes = derive_real_thresholds(s.chain, *grid, rows);
    input_grid_ = grid;
    return *grid;
  }
  if (std::any_of(s.chain.begin(), s.chain.end(), is_quantiser))
    throw problem(n, "input 0", "the quantised values of the network's input lie on no grid", "one scale for all channels",
                  "quantise the input with one scale");
  const InputGrid grid = params_.grid.value_or(InputGrid{});
  reading_.open_grid |= !params_.grid;
  std::vector<double> values;
  for (int i = 0; i < grid.points; ++i) values.push_back(grid.first + grid.step * i);
  std::vector<double> all;
  for (size_t c = 0; c < rows; ++c) {
    std::vector<double> mine = values;
    for (const Elementwise& e : s.chain) apply(e, c, mine);
    if (c > 0 && mine != all)
      throw problem(n, "input 0", "the values of the network's input are scaled differently in each channel", "the same for all channels",
                    "put a Quant node with one scale behind the input's normalisation");
    all = mine;
  }
  const auto codes = grid_of(all, 0.0);
  if (!codes)
    throw problem(n, "input 0", "the values of the network's input lie on no grid", "evenly spaced values",
                  "give --input-grid, or put a Quant node behind the input");
  const CodeGrid whole = *codes;
  const bool falls = all.back() < all.front();
  for (size_t i = 0; i < all.size(); ++i) {
    const size_t at = falls ? all.size() - 1 - i : i;
    if (code_on(whole, all[at]) != whole.range.lo + int64_t{whole.range.step} * static_cast<int64_t>(i))
      throw problem(n, "input 0", "steps that are not affine stand between the network's input and it", "affine steps, or a quantiser",
                    "put a Quant node behind the input");
  }
  in.range = whole.range;
  in.codes = falls ? RealGrid{values.back(), -grid.step} : RealGrid{values.front(), grid.step};
  input_grid_ = whole;
  return whole;
}

CodeGrid Walk::close_matrix(const GraphNode& n, const Stream& s, NetworkMatrix& layer) {
  if (layer.thresholds)
    throw problem(n, "", fmt::format("a second node reads what layer {} gives", layer.name), "one",
                  "build the model without branches that meet again");
  const auto channels = index_of(layer.out.channels);
  const auto grid = codes_of_chain(s.chain, channels);
  if (!grid) {
    const bool quantised = std::any_of(s.chain.begin(), s.chain.end(), is_quantiser);
    throw problem(n, "input 0", quantised ? "the quantised values lie on no common grid" : "what it reads is not quantised",
                  quantised ? "one scale for all channels" : "a quantiser between two matrices",
                  quantised ? "quantise activations with one scale for the tensor"
                            : "put a Quant, BipolarQuant or MultiThreshold node in front of it (Brevitas: QuantIdentity, QuantReLU)");
  }
  DerivedThresholds derived = derive_thresholds(s.chain, *grid, sum_ranges(layer, operand_range(network_, index_of(s.layer))),
                                                errors_[index_of(s.layer)], params_.threads, params_.most_sums);
  if (derived.problem)
    throw problem(n, "input 0", *derived.problem, "steps that are monotone, up to a quantiser",
                  "use affine steps, Relu and quantisers between two matrices");
  if (derived.close > 0)
    network_.notes.push_back(
        fmt::format("layer {}: {} thresholds lie within the rounding of a floating-point sum: there the graph's own runtime may differ",
                    layer.name, derived.close));
  layer.thresholds = std::move(derived.thresholds);
  for (const Elementwise& e : s.chain)
    if (!e.node.empty()) layer.folded.push_back(e.node);
  return *grid;
}

CodeGrid Walk::close_pool(const GraphNode& n, const Stream& s, const NetworkPool& layer) {
  const CodeRange range = operand_range(network_, index_of(s.layer) + 1);
  const size_t channels = different_channels(s.chain, index_of(layer.out.channels));
  std::vector<double> all;
  for (int code = range.lo; code <= range.hi; code += range.step)
    for (size_t c = 0; c < channels; ++c) all.push_back(apply(s.chain, c, code));
  const CodeGrid& before = *grids_[index_of(s.layer)];
  const auto grid = grid_of(all, before.unit);
  bool same = grid.has_value();
  for (int code = range.lo; same && code <= range.hi; code += range.step)
    for (size_t c = 0; same && c < channels; ++c) same = code_on(*grid, apply(s.chain, c, code)) == code;
  if (!same)
    throw problem(n, "input 0", "values behind a pool are quantised again, to other codes", "one quantiser between two matrices",
                  "use the same quantiser on both sides of the pool");
  return *grid;
}

CodeGrid Walk::close(const GraphNode& n, const Stream& s) {
  if (s.layer < 0) return close_input(n, s);
  if (s.layer + 1 != count_of(network_.layers))
    throw problem(n, "", "it reads a layer that another one reads as well", "one reader for each layer",
                  "build the model without branches");
  if (auto* pool = std::get_if<NetworkPool>(&network_.layers[index_of(s.layer)])) return close_pool(n, s, *pool);
  const CodeGrid grid = close_matrix(n, s, std::get<NetworkMatrix>(network_.layers[index_of(s.layer)]));
  grids_[index_of(s.layer)] = grid;
  if (s.pool) {
    NetworkPool pool = *s.pool;
    for (size_t c = 0; c < pool.least.size(); ++c) {
      int direction = 1;
      for (size_t i = s.pool_at; i < s.chain.size(); ++i) direction *= direction_of(s.chain[i], c);
      pool.least[c] = direction < 0;
    }
    network_.layers.emplace_back(std::move(pool));
    errors_.emplace_back();
    grids_.emplace_back(grid);
  }
  return grid;
}

WeightRows Walk::quantised_rows(const GraphNode& n, size_t input, const Folded& w) {
  try {
    return weight_rows(n, input, w);
  } catch (const NodeProblem& p) {
    report(p);
    return {std::vector<int32_t>(w.value.values.size(), 0), std::vector<double>(static_cast<size_t>(w.value.shape.at(0)), 1.0), false};
  }
}

Stream Walk::matrix(const GraphNode& n, const Stream& s, const WeightRows& rows, NetworkMatrix layer) {
  CodeGrid grid{1.0, 0.0, {0, 1, 1}};
  try {
    grid = close(n, s);
  } catch (const NodeProblem& p) {
    report(p);
    (s.layer < 0 ? input_grid_ : grids_[index_of(s.layer)]) = grid;
  }
  layer.name = n.name;
  layer.weights = rows.codes;
  if (grid.offset != 0.0 && has_padding(layer))
    throw problem(n, "attribute pads", "the padding's 0 is none of the values that it reads", "values that are multiples of one step",
                  "quantise the activations around 0, or leave the padding out");
  const int reader = count_of(network_.layers);
  network_.layers.emplace_back(layer);
  grids_.emplace_back(std::nullopt);
  const auto n_rows = index_of(layer.out.channels);
  const auto sums = sum_ranges(layer, grid.range);
  std::vector<double> errors;
  MultiplyStep gain;
  AddStep offset;
  for (size_t r = 0; r < n_rows; ++r) {
    const double scale = rows.scales[r];
    gain.by.push_back(grid.unit * scale);
    double total = 0.0, sizes = 0.0;
    for (size_t i = 0; i < layer.row_size(); ++i) {
      total += layer.row(int_of(r))[i];
      sizes += std::abs(layer.row(int_of(r))[i]);
    }
    offset.by.push_back(grid.offset * total * scale);
    const double most = std::max(std::abs(grid.range.lo), std::abs(grid.range.hi));
    const bool exact = is_power_of_two(grid.unit) && is_power_of_two(scale) && grid.offset == 0.0;
    errors.push_back(exact ? 0.0 : static_cast<double>(layer.row_size() + 2) * sizes * most * 0x1p-52);
  }
  errors_.push_back(std::move(errors));
  Stream out;
  out.layer = reader;
  out.map = layer.out;
  out.flat = s.flat;
  if (std::all_of(gain.by.begin(), gain.by.end(), [&](double g) { return g == gain.by[0]; })) gain.by.resize(1);
  if (gain.by != Channels{1.0}) out.chain.push_back({"", gain});
  if (grid.offset != 0.0) out.chain.push_back({"", offset});
  if (rows.assumed)
    network_.notes.push_back(fmt::format("layer {}: no quantiser reads its weights; they are multiples of one step in each row", n.name));
  return out;
}

Stream Walk::dense(const GraphNode& n, const std::vector<const Value*>& inputs, size_t at, Stream s) {
  if (at != 0)
    throw problem(n, "input 1", "the activations are the second factor", "the first one, and weights as the second",
                  "export activations times weights");
  if (!s.flat && s.map.height * s.map.width != 1)
    throw problem(n, "input 0", "it works on a map", "[batch, values]", "flatten the map before it");
  const Folded& given = constant(n, inputs, 1);
  if (given.value.shape.size() != 2)
    throw problem(n, "input 1", "the weights are no matrix", "two dimensions", "export the layer as a matrix");
  if (n.op == "Gemm" && whole_attribute(n, "transA", 0) != 0)
    throw problem(n, "attribute transA", "it is 1", "0", "export the layer as x * W");
  const bool outputs_first = n.op == "Gemm" && whole_attribute(n, "transB", 0) != 0;
  Folded w = outputs_first ? given : transposed(given);
  const auto inputs_of = static_cast<size_t>(w.value.shape[1]), outputs = static_cast<size_t>(w.value.shape[0]);
  if (inputs_of != s.map.size() || outputs == 0)
    throw problem(n, "input 1", fmt::format("the weights take {} values where {} come", inputs_of, s.map.size()),
                  "weights [values, outputs]", "export the layer again");
  const bool xnor = n.op == "XnorPopcountMatMul";
  if (xnor) {
    for (double& v : w.value.values) {
      if (v != 0.0 && v != 1.0) throw problem(n, "input 1", fmt::format("a weight is {}", v), "0 or 1", "export binary weights");
      v = 2.0 * v - 1.0;
    }
    w.unit.reset();
  }
  WeightRows rows = quantised_rows(n, 1, w);
  NetworkMatrix layer;
  layer.in = s.map;
  layer.window = {s.map.height, s.map.width, 1, 1, 0, 0};
  layer.out = dense_map(outputs);
  Stream out = matrix(n, s, rows, layer);
  out.flat = true;
  if (xnor) {  // equal bits: (sum of (2 w - 1) (2 a - 1) + K) / 2 = sum of (2 w - 1) a + (K - sum of (2 w - 1)) / 2
    const CodeGrid& a = s.layer < 0 ? *input_grid_ : *grids_[index_of(out.layer) - 1];
    if (a.unit != 1.0 || a.offset != 0.0 || a.range != CodeRange{0, 1, 1})
      throw problem(n, "input 0", "it reads other values than 0 and 1", "bits", "put a 1-bit MultiThreshold or Quant node in front of it");
    const auto& m = std::get<NetworkMatrix>(network_.layers.back());
    AddStep equal;
    for (size_t r = 0; r < outputs; ++r) {
      double total = 0.0;
      for (size_t i = 0; i < m.row_size(); ++i) total += m.row(int_of(r))[i];
      equal.by.push_back((static_cast<double>(m.row_size()) - total) / 2.0);
    }
    out.chain.push_back({"", equal});
  }
  if (n.op == "Gemm") {
    const double alpha = real_attribute(n, "alpha", 1.0), beta = real_attribute(n, "beta", 1.0);
    if (alpha != 1.0) out.chain.push_back({"", MultiplyStep{{alpha}}});
    if (inputs.size() > 2 && inputs[2] != nullptr) {
      Channels bias = channels(n, 2, constant(n, inputs, 2).value, out);
      for (double& b : bias) b *= beta;
      out.chain.push_back({"", AddStep{bias}});
    }
  }
  return out;
}

Stream Walk::conv(const GraphNode& n, const std::vector<const Value*>& inputs, Stream s) {
  const Folded& w = constant(n, inputs, 1);
  const auto& shape = w.value.shape;
  if (s.flat || shape.size() != 4)
    throw problem(n, "", "it does not work on maps of two dimensions", "[batch, channels, height, width]",
                  "use Conv2d; one-dimensional maps as a height of 1");
  const int64_t groups = whole_attribute(n, "group", 1);
  if (groups < 1 || shape[0] < 1 || shape[0] % groups != 0 || s.map.channels % groups != 0 || shape[1] != s.map.channels / groups)
    throw problem(n, "attribute group", fmt::format("{} groups do not fit {} channels", groups, s.map.channels),
                  "channels of the weights * group", "export the layer again");
  const SlidingWindow g = sliding_window(n, s.map.height, s.map.width, shape[2], shape[3]);
  WeightRows rows = quantised_rows(n, 1, w);
  NetworkMatrix layer;
  layer.in = s.map;
  layer.out = {int_of(shape[0]), int_of(g.out_height), int_of(g.out_width)};
  layer.window = {int_of(g.height), int_of(g.width), int_of(g.stride_y), int_of(g.stride_x), int_of(g.top), int_of(g.left)};
  layer.groups = int_of(groups);
  require_small(n, layer.out);
  Stream out = matrix(n, s, rows, layer);
  if (inputs.size() > 2 && inputs[2] != nullptr) {
    Constant bias = constant(n, inputs, 2).value;
    bias.shape = {static_cast<int64_t>(bias.values.size()), 1, 1};
    out.chain.push_back({"", AddStep{channels(n, 2, bias, out)}});
  }
  return out;
}

Stream Walk::pool(const GraphNode& n, Stream s) {
  if (s.flat) throw problem(n, "", "it does not work on maps", "[batch, channels, height, width]", "pool before flattening");
  if (s.layer < 0)
    throw problem(n, "", "it pools the network's input", "a matrix before it", "pool the images before they enter the network");
  NetworkPool layer;
  layer.name = n.name;
  layer.in = s.map;
  layer.least.assign(index_of(s.map.channels), false);
  if (n.op == "GlobalMaxPool") {
    layer.window = {s.map.height, s.map.width, 1, 1, 0, 0};
    layer.out = {s.map.channels, 1, 1};
  } else {
    const auto kernel = list_attribute(n, "kernel_shape", {});
    if (kernel.size() != 2) throw problem(n, "attribute kernel_shape", "it has not two numbers", "two numbers", "use MaxPool2d");
    const SlidingWindow g = sliding_window(n, s.map.height, s.map.width, kernel[0], kernel[1]);
    layer.window = {int_of(g.height), int_of(g.width), int_of(g.stride_y), int_of(g.stride_x), int_of(g.top), int_of(g.left)};
    layer.out = {s.map.channels, int_of(g.out_height), int_of(g.out_width)};
    require_small(n, layer.out);
  }
  if (std::any_of(s.chain.begin(), s.chain.end(), is_quantiser) &&
      std::holds_alternative<NetworkMatrix>(network_.layers[index_of(s.layer)])) {
    // A channel whose codes fall with their value is no case: codes rise with the values that they stand for.
    const CodeGrid grid = close(n, s);
    network_.layers.emplace_back(layer);
    errors_.emplace_back();
    grids_.emplace_back(grid);
    Stream out;
    out.layer = count_of(network_.layers) - 1;
    out.map = layer.out;
    if (grid.unit != 1.0) out.chain.push_back({"", MultiplyStep{{grid.unit}}});
    if (grid.offset != 0.0) out.chain.push_back({"", AddStep{{grid.offset}}});
    return out;
  }
  if (s.pool || std::holds_alternative<NetworkPool>(network_.layers[index_of(s.layer)]))
    throw problem(n, "", "it pools what was pooled", "a matrix between two pools", "use one pool with a larger window");
  s.pool = layer;
  s.pool_at = s.chain.size();
  s.map = layer.out;
  return s;
}

Stream Walk::average(const GraphNode& n, Stream s) {
  if (s.flat) throw problem(n, "", "it does not work on maps", "[batch, channels, height, width]", "pool before flattening");
  SlidingWindow g{s.map.height, s.map.width, 1, 1, 0, 0, 0, 0, 1, 1};
  if (n.op == "AveragePool") {
    const auto kernel = list_attribute(n, "kernel_shape", {});
    if (kernel.size() != 2) throw problem(n, "attribute kernel_shape", "it has not two numbers", "two numbers", "use AvgPool2d");
    g = sliding_window(n, s.map.height, s.map.width, kernel[0], kernel[1]);
    const int64_t reach_y = (g.out_height - 1) * g.stride_y + g.height, reach_x = (g.out_width - 1) * g.stride_x + g.width;
    const bool inside = g.top == 0 && g.left == 0 && reach_y <= s.map.height && reach_x <= s.map.width;
    if (!inside && whole_attribute(n, "count_include_pad", 0) == 0)
      throw problem(n, "attribute count_include_pad", "windows at the edge have fewer elements", "windows of one size",
                    "leave the padding out, or count it");
  }
  const auto each = index_of(int_of(g.height * g.width));
  if (each * index_of(s.map.channels) > kMostWeights)
    throw problem(n, "", "its window is too large", fmt::format("{} elements of all channels at most", kMostWeights),
                  "use a smaller window");
  WeightRows rows;
  rows.codes.assign(index_of(s.map.channels) * each, 1);
  rows.scales.assign(index_of(s.map.channels), 1.0);
  NetworkMatrix layer;
  layer.in = s.map;
  layer.out = {s.map.channels, int_of(g.out_height), int_of(g.out_width)};
  layer.window = {int_of(g.height), int_of(g.width), int_of(g.stride_y), int_of(g.stride_x), int_of(g.top), int_of(g.left)};
  layer.groups = s.map.channels;
  require_small(n, layer.out);
  Stream out = matrix(n, s, rows, layer);
  out.chain.push_back({n.name, DivideStep{{static_cast<double>(each)}}});
  return out;
}

void Walk::finish() {
  const auto it = values_.find(graph_.outputs[0]);
  const GraphNode end{"output " + graph_.outputs[0], "output", "", {}, {}, {}};
  if (it == values_.end()) throw problem(end, "", "no node writes it", "a node that does", "export the graph again");
  if (std::holds_alternative<Unknown>(it->second)) return;  // some node was named already
  const auto* s = std::get_if<Stream>(&it->second);
  if (s == nullptr) throw problem(end, "", "it does not depend on the input", "a function of the input", "export the graph again");
  if (s->layer < 0 || s->layer + 1 != count_of(network_.layers) || !std::holds_alternative<NetworkMatrix>(network_.layers.back()) ||
      s->pool)
    throw problem(end, "", "it is not what the last matrix gives", "a matrix, and what follows it", "end the model with a dense layer");
  auto& last = std::get<NetworkMatrix>(network_.layers.back());
  const bool codes = std::any_of(s->chain.begin(), s->chain.end(), is_quantiser);
  const size_t each = index_of(last.out.height * last.out.width);
  for (int c = 0; c < last.out.channels; ++c) {
    Line line;
    for (const Elementwise& e : s->chain) {
      const auto step = line_of(e, index_of(c));
      if (!step && codes) break;
      if (!step)
        throw problem(end, "", fmt::format("node {} changes the scores, and not by a line", e.node), "scores, or a quantiser",
                      "end the model with the dense layer's sums");
      line = {line.gain * step->gain, line.offset * step->gain + step->offset};
    }
    network_.gain.insert(network_.gain.end(), each, line.gain);
    network_.offset.insert(network_.offset.end(), each, line.offset);
  }
  network_.shift.assign(network_.gain.size(), 0);
  for (const Elementwise& e : s->chain)
    if (!codes && !e.node.empty()) last.folded.push_back(e.node);
  if (codes) {
    network_.decision = Decision::kCodes;
    const CodeGrid grid = close(end, *s);
    network_.code_unit = grid.unit;
    network_.code_offset = grid.offset;
    return;
  }
  // Shifts that are whole numbers make scores comparable; offsets that are all alike need none.
  const double gain = network_.gain[0];
  const bool one_gain = std::all_of(network_.gain.begin(), network_.gain.end(), [&](double g) { return g == gain; });
  const bool one_offset = std::all_of(network_.offset.begin(), network_.offset.end(), [&](double o) { return o == network_.offset[0]; });
  network_.comparable = one_gain && gain > 0.0;
  if (!network_.comparable || one_offset) return;
  std::vector<int64_t> shift;
  for (const double o : network_.offset) {
    const double n = o / gain;
    if (n != std::floor(n) || std::abs(n) > 0x1p29) {
      network_.comparable = false;
      return;
    }
    shift.push_back(static_cast<int64_t>(n));
  }
  network_.shift = shift;
  network_.offset.assign(network_.offset.size(), 0.0);  // gain * (S + shift)
}

}  // namespace bitgrid::frontend::onnx
