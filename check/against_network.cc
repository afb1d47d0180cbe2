#include "check/against_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "check/array_mistakes.h"
#include "ir/error.h"
#include "ir/index.h"
#include "reference_cpu/network_engine.h"

namespace bitgrid::check {
namespace {

/// What is computed, by name, of all samples one after another.
struct Computed {
  const engines::OpenNetwork& open;
  std::map<std::string, ExactValues> values;
};
using ComputedPointer = std::shared_ptr<const Computed>;

/// f of each value and its channel.
template <typename F>
ExactValues each_value(const ExactValues& values, const FeatureMap& map, F f) {
  const size_t place = index_of(map.height) * index_of(map.width);
  ExactValues out;
  out.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) out.push_back(f(values[i], i % map.size() / place));
  return out;
}

/// The matrix's sums over rows of its operand.
ExactValues matrix_sums(const NetworkMatrix& m, const ExactValues& operand) {
  IntegerNetwork one;
  one.layers.emplace_back(m);
  one.shift.assign(m.out.size(), 0);
  ExactValues all;
  for (size_t first = 0; first < operand.size(); first += m.in.size()) {
    const ExactValues sums = cpu::run_network(one, std::span(operand).subspan(first, m.in.size()));
    all.insert(all.end(), sums.begin(), sums.end());
  }
  return all;
}

bool is_dense(const NetworkMatrix& m) {
  return m.out.height * m.out.width == 1 && m.groups == 1 && m.window.height >= m.in.height && m.window.width >= m.in.width;
}

/// The operand with a border of that value, and the matrix over it without padding.
ExactValues padded_sums(const NetworkMatrix& m, const ExactValues& operand, int64_t value) {
  NetworkMatrix wide = m;
  wide.window.top = wide.window.left = 0;
  wide.in.height = std::max((m.out.height - 1) * m.window.stride_y + m.window.height, m.window.top + m.in.height);
  wide.in.width = std::max((m.out.width - 1) * m.window.stride_x + m.window.width, m.window.left + m.in.width);
  ExactValues padded;
  for (size_t first = 0; first < operand.size(); first += m.in.size()) {
    ExactValues row(wide.in.size(), value);
    for (int c = 0; c < m.in.channels; ++c)
      for (int y = 0; y < m.in.height; ++y)
        for (int x = 0; x < m.in.width; ++x) row[wide.in.at(c, y + m.window.top, x + m.window.left)] = operand[first + m.in.at(c, y, x)];
    padded.insert(padded.end(), row.begin(), row.end());
  }
  return matrix_sums(wide, padded);
}

/// Weight i of each row in the place that `from` says.
template <typename F>
NetworkMatrix reordered(const NetworkMatrix& m, F from) {
  NetworkMatrix other = m;
  for (int r = 0; r < m.out.channels; ++r)
    for (size_t i = 0; i < m.row_size(); ++i) other.weights[index_of(r) * m.row_size() + i] = from(r, i);
  return other;
}

std::vector<Mistake> sum_mistakes(const NetworkMatrix& m, const CodeRange& codes, const ExactValues& operand, const ExactValues& sums,
                                  const ExactValues& shift) {
  std::vector<Mistake> mistakes;
  const auto add = [&](const std::string& text, ExactValues values) {
    for (size_t i = 0; i < values.size() && !shift.empty(); ++i) values[i] += shift[i % shift.size()];
    mistakes.push_back({text, std::move(values)});
  };
  const bool binary = std::all_of(m.weights.begin(), m.weights.end(), [](int32_t w) { return w == 1 || w == -1; });
  const auto k = static_cast<int64_t>(m.row_size());
  if (binary && codes == CodeRange{-1, 1, 2} && !has_padding(m))
    mistakes.push_back({fmt::format("it counts equal bits: the sum is 2 * count - {}", k),
                        each_value(sums, m.out, [&](int64_t s, size_t) { return (s + k) / 2; })});
  if (std::any_of(shift.begin(), shift.end(), [](int64_t s) { return s != 0; })) mistakes.push_back({"the bias is left out", sums});
  if (has_padding(m) && codes.lo != 0)
    add(fmt::format("the padding was taken as {}; expected 0", codes.lo), padded_sums(m, operand, codes.lo));
  const auto place = index_of(m.window.height) * index_of(m.window.width);
  if (!is_dense(m) && place > 1)
    add("its kernel is turned by 180 degrees: a convolution in place of a correlation",
        matrix_sums(reordered(m, [&](int r, size_t i) { return m.row(r)[i / place * place + place - 1 - i % place]; }), operand));
  if (is_dense(m) && place > 1)
    add("it reads the flattened map in the order row, column, channel; expected channel, row, column",
        matrix_sums(reordered(m, [&](int r, size_t i) { return m.row(r)[i % place * index_of(m.in.channels) + i / place]; }), operand));
  if (is_dense(m) && index_of(m.out.channels) == m.row_size())
    add("its weights are transposed", matrix_sums(reordered(m, [&](int r, size_t i) { return m.row(int_of(i))[r]; }), operand));
  return mistakes;
}

/// The graph with something else in the nodes that became this layer's thresholds.
template <typename Change>
std::optional<Thresholds> thresholds_if(const engines::OpenNetwork& open, size_t layer, Change change) {
  frontend::onnx::Graph graph = open.graph;
  const auto& folded = std::get<NetworkMatrix>(open.network.layers[layer]).folded;
  bool changed = false;
  for (frontend::onnx::GraphNode& node : graph.nodes)
    if (std::find(folded.begin(), folded.end(), node.name) != folded.end()) changed |= change(node);
  if (!changed) return std::nullopt;
  frontend::onnx::NetworkParams params;
  if (const auto* grid = std::get_if<RealGrid>(&open.network.input.codes))
    params.grid = frontend::onnx::InputGrid{grid->first, grid->step, open.network.input.range.levels() + 1};
  try {
    const IntegerNetwork other = frontend::onnx::convert(graph, "a changed graph", params);
    const auto& m = std::get<NetworkMatrix>(other.layers.at(layer));
    if (m.thresholds && m.thresholds->at.size() % m.thresholds->direction.size() == 0) return m.thresholds;
  } catch (const Error&) {
  }
  return std::nullopt;
}

std::vector<Mistake> code_mistakes(const engines::OpenNetwork& open, size_t layer, const ExactValues& sums) {
  const auto& m = std::get<NetworkMatrix>(open.network.layers[layer]);
  const Thresholds& t = *m.thresholds;
  std::vector<Mistake> mistakes;
  const auto add = [&](const std::string& text, const Thresholds& of, auto sum) {
    mistakes.push_back({text, each_value(sums, m.out, [&](int64_t s, size_t c) { return code_of(of, c, sum(s, c)); })});
  };
  const auto same = [](int64_t s, size_t) { return s; };
  for (const int bits : {8, 16}) {
    add(fmt::format("its sums wrap at int{}", bits), t, [&](int64_t s, size_t) { return wrapped(s, bits); });
    add(fmt::format("its sums stop at the ends of int{}", bits), t, [&](int64_t s, size_t) { return saturated(s, bits); });
  }
  add("a sum that is equal to a threshold does not reach it: > in place of >=", t, [&](int64_t s, size_t c) { return s - t.direction[c]; });
  using frontend::onnx::Attribute;
  using frontend::onnx::GraphNode;
  for (const char* mode : {"HALF_UP", "HALF_DOWN", "ROUND", "FLOOR", "CEIL", "UP", "DOWN"}) {
    std::string stated;
    const auto of = thresholds_if(open, layer, [&](GraphNode& node) {
      if (node.op != "Quant" && node.op != "IntQuant") return false;
      const auto it = node.attributes.find("rounding_mode");
      stated = it == node.attributes.end() ? "ROUND" : std::get<std::string>(it->second);
      node.attributes["rounding_mode"] = std::string(mode);
      return stated != mode;
    });
    if (of)
      add(fmt::format("it rounds by {}; the graph states {}{}", mode, stated, stated == "ROUND" ? " (halves to even)" : ""), *of, same);
  }
  for (const double epsilon : {0.0, 1e-3, 1e-5}) {
    const auto of = thresholds_if(open, layer, [&](GraphNode& node) {
      if (node.op != "BatchNormalization") return false;
      node.attributes["epsilon"] = epsilon;
      return true;
    });
    if (of) add(fmt::format("its BatchNormalization has epsilon {}, which is not the graph's", epsilon), *of, same);
  }
  mistakes.push_back(
      {fmt::format("its codes are 0 .. {}; expected {} .. {} in steps of {}", t.range.levels(), t.range.lo, t.range.hi, t.range.step),
       each_value(sums, m.out, [&](int64_t s, size_t c) { return (code_of(t, c, s) - t.range.lo) / t.range.step; })});
  return mistakes;
}

}  // namespace

std::vector<ExactArray> exact_arrays(const engines::OpenNetwork& open) {
  const IntegerNetwork& n = open.network;
  const auto computed = std::make_shared<Computed>(Computed{open, {}});
  for (const ExactValues& codes : engines::codes_of(n, open.samples))
    cpu::run_network(n, codes, [&](const std::string& name, std::span<const int64_t> values) {
      ExactValues& all = computed->values[name];
      all.insert(all.end(), values.begin(), values.end());
    });
  const ComputedPointer all = computed;
  std::vector<ExactArray> arrays = {{"input", {n.input.name}, n.input.shape, all->values.at("input")}};
  for (size_t l = 0; l < n.layers.size(); ++l) {
    const std::string operand = l == 0 ? "input" : layer_name(l - 1);
    if (const auto* p = std::get_if<NetworkPool>(&n.layers[l])) {
      arrays.push_back({layer_name(l), {p->name}, p->out, all->values.at(layer_name(l))});
      continue;
    }
    const auto& m = std::get<NetworkMatrix>(n.layers[l]);
    const bool last = l + 1 == n.layers.size();
    const std::string sums = last ? "scores" : layer_name(l) + ".sums";
    ExactArray s{sums, {m.name}, m.out, all->values.at(sums)};
    s.mistakes = [all, &m, codes = operand_range(n, l), operand, sums, shift = last ? n.shift : ExactValues{}] {
      ExactValues plain = all->values.at(sums);
      for (size_t i = 0; i < plain.size() && !shift.empty(); ++i) plain[i] -= shift[i % shift.size()];
      return sum_mistakes(m, codes, all->values.at(operand), plain, shift);
    };
    if (last) s.other_names.push_back(layer_name(l) + ".sums");
    arrays.push_back(std::move(s));
    if (last && n.decision != Decision::kCodes) continue;
    ExactArray y{last ? "answer" : layer_name(l), {}, m.out, all->values.at(last ? "answer" : layer_name(l))};
    y.constants = "thresholds";
    if (last) {  // of sums without the shift
      arrays.push_back(std::move(y));
      continue;
    }
    if (!m.folded.empty()) y.other_names.push_back(m.folded.back());
    y.mistakes = [all, l, sums] { return code_mistakes(all->open, l, all->values.at(sums)); };
    y.with_channel = [all, &m, sums](size_t at, size_t other) { return code_of(*m.thresholds, other, all->values.at(sums)[at]); };
    arrays.push_back(std::move(y));
  }
  return arrays;
}

}  // namespace bitgrid::check
