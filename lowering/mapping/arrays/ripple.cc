#include "lowering/mapping/arrays/ripple.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "ir/index.h"
#include "ir/output_cone.h"
#include "lowering/synthesis/bdd.h"
#include "lowering/synthesis/input_words.h"

namespace bitgrid::mapping {
namespace {

constexpr size_t kNoInput = ~size_t{0};

struct Order {
  std::vector<std::array<size_t, 2>> positions;  // inputs at N and S, kNoInput: nothing
  size_t carry_in = kNoInput;
  bool operator==(const Order&) const = default;
};

Order pairs(const std::vector<size_t>& inputs, bool odd_first) {
  Order order;
  size_t next = 0;
  if (odd_first && inputs.size() % 2 == 1) order.carry_in = inputs[next++];
  for (; next < inputs.size(); next += 2) order.positions.push_back({inputs[next], next + 1 < inputs.size() ? inputs[next + 1] : kNoInput});
  return order;
}

std::optional<Order> side_by_side(const synthesis::LogicGraph& graph, const synthesis::TwoWords& words) {
  Order order;
  std::vector<uint8_t> taken(graph.inputs.size());
  for (size_t i = 0; i < std::max(words.a.size(), words.b.size()); ++i) {
    const size_t a = i < words.a.size() ? words.a[i] : kNoInput, b = i < words.b.size() ? words.b[i] : kNoInput;
    order.positions.push_back({a, b});
    for (const size_t input : {a, b})
      if (input != kNoInput) taken[input] = 1;
  }
  for (size_t i = 0; i < taken.size(); ++i) {
    if (taken[i]) continue;
    if (order.carry_in != kNoInput) return std::nullopt;
    order.carry_in = i;
  }
  return order;
}

std::vector<Order> orders(const synthesis::LogicGraph& graph) {
  std::vector<Order> result;
  const auto add = [&](Order order) {
    if (!order.positions.empty() && std::find(result.begin(), result.end(), order) == result.end()) result.push_back(std::move(order));
  };
  for (const synthesis::TwoWords& words : synthesis::two_words(graph)) {
    if (auto order = side_by_side(graph, words)) {
      add(*order);
      std::reverse(order->positions.begin(), order->positions.end());
      add(*order);
    }
  }
  std::vector<size_t> inputs = synthesis::order_of_dependence(graph);
  add(pairs(inputs, true));
  add(pairs(inputs, false));
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i] = i;
  add(pairs(inputs, true));
  std::reverse(inputs.begin(), inputs.end());
  add(pairs(inputs, true));
  return result;
}

// Levels of the diagrams: the carry in is 0, position p has 2p + 1 and 2p + 2.
std::vector<int> levels(const Order& order, size_t inputs) {
  std::vector<int> level(inputs);
  for (size_t p = 0; p < order.positions.size(); ++p)
    for (size_t k = 0; k < 2; ++k)
      if (order.positions[p][k] != kNoInput) level[order.positions[p][k]] = int_of(2 * p + 1 + k);
  return level;
}

// What a position is asked for: an output, or the next position's state (output = kNoInput).
struct Wanted {
  size_t output;
  synthesis::BddId function;
};

// Reads a position off its functions: all must be functions of its inputs and of one other function, the state.
class Position {
 public:
  Position(synthesis::Bdd& bdd, int p) : bdd_(bdd), first_(2 * p + 1) {}

  /// Table of f in a cell: x from N, y from S, the state from W. nullopt: f needs another state.
  std::optional<Lut> table(synthesis::BddId f) {
    Lut result = 0;
    for (unsigned index = 0; index < 16; ++index) {
      const synthesis::BddId above = bdd_.cofactor(f, first_ + 1, (index >> 2) & 1u);
      const synthesis::BddId rest = bdd_.cofactor(above, first_, index & 1u);
      const std::optional<bool> bit = value(rest, index >> 3);
      if (!bit) return std::nullopt;
      result = static_cast<Lut>(result | (unsigned{*bit} << index));
    }
    return result;
  }
  /// kBddFalse: no state is needed.
  synthesis::BddId state() const { return state_; }

 private:
  std::optional<bool> value(synthesis::BddId f, bool state_bit) {
    if (f == synthesis::kBddFalse || f == synthesis::kBddTrue) return f == synthesis::kBddTrue;
    if (state_ == synthesis::kBddFalse) {
      state_ = bdd_.top(f) == 0 ? bdd_.variable(0) : f;
      inverse_ = bdd_.complement(state_);
    }
    if (f == state_) return state_bit;
    if (f == inverse_) return !state_bit;
    return std::nullopt;
  }

  synthesis::Bdd& bdd_;
  int first_;
  synthesis::BddId state_ = synthesis::kBddFalse, inverse_ = synthesis::kBddTrue;
};

// Gives an output one of the free sides of a cell.
bool put_output(MappedKernel& kernel, int x, std::array<Lut, 4>& luts, std::array<uint8_t, 4>& taken, size_t output, Lut table) {
  for (const Side side : {Side::N, Side::S, Side::E}) {
    const auto s = index_of(side);
    if (taken[s] || (side == Side::E && x + 1 < kernel.grid.width)) continue;
    taken[s] = 1;
    luts[s] = table;
    kernel.outputs[output] = {side, side == Side::E ? 0 : x, x};
    return true;
  }
  return false;
}

std::optional<MappedKernel> map_order(const synthesis::LogicGraph& graph, const Order& order, const RippleParams& params) {
  synthesis::Bdd bdd(params.bdd_nodes);
  const auto functions = synthesis::output_functions(bdd, graph, levels(order, graph.inputs.size()));
  if (!functions) return std::nullopt;
  const int positions = count_of(order.positions);
  std::vector<std::vector<Wanted>> wanted(order.positions.size());
  std::vector<Wanted> constants;
  for (size_t o = 0; o < functions->size(); ++o) {
    const synthesis::BddId f = (*functions)[o];
    if (bdd.top(f) < 0)
      constants.push_back({o, f});
    else
      wanted[index_of(std::max(0, bdd.top(f) - 1) / 2)].push_back({o, f});
  }
  MappedKernel kernel;
  kernel.name = graph.name;
  kernel.strategy = "ripple";
  kernel.input_bits = id_of(graph.inputs.size());
  kernel.output_bits = id_of(graph.outputs.size());
  kernel.grid = GridConfig(positions, 1);
  kernel.outputs.resize(graph.outputs.size());
  kernel.inputs.resize(graph.inputs.size());
  synthesis::BddId next_state = synthesis::kBddFalse;
  for (int x = positions; x-- > 0;) {
    Position position(bdd, x);
    std::array<Lut, 4> luts{};
    std::array<uint8_t, 4> taken{};
    if (next_state != synthesis::kBddFalse) {
      const auto table = position.table(next_state);
      if (!table) return std::nullopt;
      luts[index_of(Side::E)] = *table;
      taken[index_of(Side::E)] = 1;
    }
    for (const Wanted& w : wanted[index_of(x)]) {
      const auto table = position.table(w.function);
      if (!table || !put_output(kernel, x, luts, taken, w.output, *table)) return std::nullopt;
    }
    while (!constants.empty()) {
      const Wanted& w = constants.back();
      if (!put_output(kernel, x, luts, taken, w.output, w.function == synthesis::kBddTrue ? Lut{0xFFFF} : Lut{0})) break;
      constants.pop_back();
    }
    kernel.grid.at(x, 0) = cell_word(luts);
    next_state = position.state();
    for (size_t k = 0; k < 2; ++k) {
      const size_t input = order.positions[index_of(x)][k];
      if (input != kNoInput) kernel.inputs[input] = {id_of(input), {k == 0 ? Side::N : Side::S, x, x}, 1};
    }
  }
  if (!constants.empty() || bdd.overflowed()) return std::nullopt;
  if (next_state != synthesis::kBddFalse && (order.carry_in == kNoInput || next_state != bdd.variable(0))) return std::nullopt;
  if (order.carry_in != kNoInput) kernel.inputs[order.carry_in] = {id_of(order.carry_in), {Side::W, 0, 0}, 1};
  raise_lead(kernel);
  return kernel;
}

}  // namespace

std::optional<MappedKernel> map_ripple(const synthesis::LogicGraph& graph, const RippleParams& params) {
  if (graph.inputs.empty() || graph.inputs.size() > params.max_inputs) return std::nullopt;
  for (const Order& order : orders(graph))
    if (auto kernel = map_order(graph, order, params)) return kernel;
  return std::nullopt;
}

}  // namespace bitgrid::mapping
