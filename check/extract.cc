#include "check/extract.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "check/lut_builder.h"
#include "ir/error.h"
#include "ir/output_cone.h"

namespace bitgrid::check {
namespace {

int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}

/// What a port carries in a phase: nothing or a constant, or a bit of an invocation (0: the one that is extracted).
struct PortBit {
  enum class Kind : uint8_t { kZero, kOne, kInput } kind = Kind::kZero;
  uint32_t bit = 0;
  int64_t invocation = 0;
  bool operator==(const PortBit&) const = default;
};

/// The border ports in time.
class Ports {
 public:
  explicit Ports(const MappedKernel& kernel)
      : ii_(kernel.ii), positions_(static_cast<size_t>(std::max(kernel.grid.width, kernel.grid.height))), slots_(4 * positions_) {
    for (const InputSlot& in : kernel.inputs) slots_[port(in.slot.side, in.slot.position)].inputs.push_back(&in);
    for (const ConstantStream& c : kernel.constants) slots_[port(c.slot.side, c.slot.position)].constants.push_back(&c);
  }

  PortBit at(Side side, int position, int64_t phase) const {
    const Slots& slots = slots_[port(side, position)];
    for (const ConstantStream* c : slots.constants) {
      const int64_t cycles = floor_div(phase - c->slot.phase, 2);
      if (c->bits[static_cast<size_t>(cycles - floor_div(cycles, ii_) * ii_)]) return {PortBit::Kind::kOne, 0, 0};
    }
    for (const InputSlot* in : slots.inputs) {
      const int64_t cycles = floor_div(phase - in->slot.phase, 2), invocation = floor_div(cycles, ii_);
      if (cycles - invocation * ii_ < in->hold) return {PortBit::Kind::kInput, in->bit, invocation};
    }
    return {};
  }

  /// Whether the port carries the same in all phases first, first + 2 .. last.
  bool steady(Side side, int position, int64_t first, int64_t last) const {
    const Slots& slots = slots_[port(side, position)];
    if (first == last || (slots.inputs.empty() && slots.constants.empty())) return true;
    const PortBit value = at(side, position, first);
    if (value.kind != PortBit::Kind::kInput) last = std::min(last, first + 2 * (ii_ - 1));  // a constant that lasts a period lasts
    if (last - first > 4 * ii_) return false;
    for (int64_t phase = first + 2; phase <= last; phase += 2)
      if (!(at(side, position, phase) == value)) return false;
    return true;
  }

 private:
  struct Slots {
    std::vector<const InputSlot*> inputs;
    std::vector<const ConstantStream*> constants;
  };
  size_t port(Side side, int position) const { return static_cast<size_t>(side) * positions_ + static_cast<size_t>(position); }

  int64_t ii_;
  size_t positions_;
  std::vector<Slots> slots_;
};

/// Edge 4 * cell + side is a cell's latched output on that side.
class Extractor {
 public:
  Extractor(const MappedKernel& kernel, const ExtractParams& params) : k_(kernel), params_(params), ports_(kernel) {
    start_ = start_phase(k_);
    for (const ResidentSlot& r : k_.residents) residents_.emplace(k_.grid.index(r.x, r.y), &r);
    for (uint32_t i = 0; i < k_.input_bits; ++i) inputs_.push_back(builder_.add_input());
  }

  Extracted run(ExtractStats& stats) {
    const OutputCone cone = output_cone(k_);
    cyclic_ = cone.cyclic;
    stats.edges = cone.edges.size();
    if (cyclic_ && !params_.loops) return {{}, 0, true};
    for (const ConeEdge& edge : cone.edges) edges_.emplace(edge.id, make_edge(edge));
    find_steady(cone);
    std::vector<LutLiteral> outputs;
    for (const BitSlot& slot : k_.outputs) outputs.push_back(value(edge_of(slot), slot.phase));
    Extracted result{builder_.take(outputs), foreign_.size(), cyclic_};
    for (size_t f = 0; f < foreign_.size(); ++f) result.network.inputs[k_.input_bits + f] = "f" + std::to_string(f);
    result.network.name = k_.name;
    stats.values = in_time_.size();
    stats.foreign = foreign_.size();
    return result;
  }

 private:
  struct Edge {
    unsigned support = 0;
    const ResidentSlot* resident = nullptr;
    int64_t first = 0, last = 0;  // phases in which it may matter
    bool steady = false;          // carries the same in all of them
    std::optional<LutLiteral> value;
  };

  uint32_t edge_of(const BitSlot& slot) const {
    const int x = slot.side == Side::E ? k_.grid.width - 1 : slot.side == Side::W ? 0 : slot.position;
    const int y = slot.side == Side::S ? k_.grid.height - 1 : slot.side == Side::N ? 0 : slot.position;
    return static_cast<uint32_t>(4 * k_.grid.index(x, y)) + static_cast<uint32_t>(slot.side);
  }
  int x(uint32_t edge) const { return static_cast<int>(edge / 4) % k_.grid.width; }
  int y(uint32_t edge) const { return static_cast<int>(edge / 4) / k_.grid.width; }

  /// The edge that enters an edge's cell from a side; nullopt: a border port.
  std::optional<uint32_t> fanin(uint32_t edge, Side side) const {
    const int nx = x(edge) + dx(side), ny = y(edge) + dy(side);
    if (nx < 0 || ny < 0 || nx >= k_.grid.width || ny >= k_.grid.height) return std::nullopt;
    return static_cast<uint32_t>(4 * k_.grid.index(nx, ny)) + static_cast<uint32_t>(opposite(side));
  }
  int position(uint32_t edge, Side side) const { return side == Side::N || side == Side::S ? x(edge) : y(edge); }

  Edge make_edge(const ConeEdge& cone) const {
    Edge edge;
    edge.support = cone.support;
    edge.first = cone.first;
    edge.last = cone.last;
    if (const auto it = residents_.find(cone.id / 4); it != residents_.end()) edge.resident = it->second;
    return edge;
  }

  template <typename F>
  void for_fanins(uint32_t id, const Edge& edge, F f) {
    for (unsigned s = 0; s < 4; ++s)
      if ((edge.support >> s) & 1u) f(kSides[s], fanin(id, kSides[s]));
  }

  void find_steady(const OutputCone& cone) {
    if (cyclic_) return;
    for (const ConeEdge& e : cone.edges) {
      Edge& edge = edges_.at(e.id);
      edge.steady = true;
      for_fanins(e.id, edge, [&](Side side, std::optional<uint32_t> next) {
        edge.steady &= next ? edges_.at(*next).steady : ports_.steady(side, position(e.id, side), edge.first, edge.last);
      });
    }
  }

  LutLiteral input(const PortBit& bit) {
    if (bit.kind != PortBit::Kind::kInput) return {kConstantSignal, bit.kind == PortBit::Kind::kOne};
    if (bit.invocation == 0) return inputs_[bit.bit];
    if (cyclic_ && bit.invocation < 0)  // there was none
      return {kConstantSignal, std::find(k_.resting_ones.begin(), k_.resting_ones.end(), bit.bit) != k_.resting_ones.end()};
    const auto [it, fresh] = foreign_.try_emplace({bit.invocation, bit.bit}, LutLiteral{});
    if (fresh) it->second = builder_.add_input();
    return it->second;
  }

  static uint64_t key(uint32_t id, int64_t phase) { return (uint64_t{id} << 32) | static_cast<uint32_t>(static_cast<int32_t>(phase)); }

  std::optional<LutLiteral> known(uint32_t id, int64_t phase) const {
    if (cyclic_ && phase < start_) return LutLiteral{};
    const Edge& edge = edges_.at(id);
    if (edge.steady) return edge.value;
    const auto it = in_time_.find(key(id, phase));
    return it == in_time_.end() ? std::nullopt : std::optional(it->second);
  }

  void remember(uint32_t id, int64_t phase, LutLiteral v) {
    Edge& edge = edges_.at(id);
    if (edge.steady) {
      edge.value = v;
      return;
    }
    if (in_time_.size() >= params_.max_values)
      throw Error("kernel " + k_.name, fmt::format("its outputs depend on more than {} bits in time", params_.max_values),
                  "cut it into smaller kernels");
    in_time_.emplace(key(id, phase), v);
  }

  LutLiteral compute(uint32_t id, const std::array<LutLiteral, 4>& in) {
    const Edge& edge = edges_.at(id);
    if (!edge.resident) return builder_.add_lut(cell_luts(k_.grid.cells[id / 4])[id % 4], in);
    const LutLiteral zero = builder_.add_lut(cell_luts(edge.resident->word0)[id % 4], in);
    const LutLiteral one = builder_.add_lut(cell_luts(edge.resident->word1)[id % 4], in);
    return builder_.add_select(inputs_[edge.resident->bit], one, zero);
  }

  /// What an edge latches in a phase: depth first, without recursion.
  LutLiteral value(uint32_t root, int64_t root_phase) {
    std::vector<std::pair<uint32_t, int64_t>> stack{{root, root_phase}};
    while (!stack.empty()) {
      const auto [id, phase] = stack.back();
      if (known(id, phase)) {
        stack.pop_back();
        continue;
      }
      std::array<LutLiteral, 4> in{};
      bool ready = true;
      for_fanins(id, edges_.at(id), [&, id = id, phase = phase](Side side, std::optional<uint32_t> next) {
        LutLiteral& operand = in[static_cast<size_t>(side)];
        if (!next) {
          operand = input(ports_.at(side, position(id, side), phase));
        } else if (const auto v = known(*next, phase - 1)) {
          operand = *v;
        } else {
          stack.emplace_back(*next, phase - 1);
          ready = false;
        }
      });
      if (!ready) continue;
      remember(id, phase, compute(id, in));
      stack.pop_back();
    }
    return *known(root, root_phase);
  }

  const MappedKernel& k_;
  const ExtractParams& params_;
  Ports ports_;
  int64_t start_ = 0;  // first phase that is simulated: where there are loops, all latches are 0 before
  std::unordered_map<size_t, const ResidentSlot*> residents_;
  std::unordered_map<uint32_t, Edge> edges_;
  bool cyclic_ = false;
  LutBuilder builder_;
  std::vector<LutLiteral> inputs_;
  std::map<std::pair<int64_t, uint32_t>, LutLiteral> foreign_;
  std::unordered_map<uint64_t, LutLiteral> in_time_;
};

}  // namespace

Extracted extract_logic(const MappedKernel& kernel, const ExtractParams& params, ExtractStats* stats) {
  ExtractStats local;
  ExtractStats& out = stats ? *stats : local;
  out = {};
  const auto begin = std::chrono::steady_clock::now();
  Extracted result = Extractor(kernel, params).run(out);
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace bitgrid::check
