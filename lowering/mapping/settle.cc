#include "lowering/mapping/settle.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/index.h"
#include "ir/output_cone.h"
#include "lowering/mapping/netlist/region.h"

namespace bitgrid::mapping {
namespace {

constexpr int kUnreached = std::numeric_limits<int>::min();

struct Delay {  // in hops, from one input; longest == kUnreached: not reached
  int shortest = std::numeric_limits<int>::max();
  int longest = kUnreached;
};

Delay joined(const Delay& a, const Delay& b) {
  return {std::min(a.shortest, b.shortest), std::max(a.longest, b.longest)};
}
Delay later(const Delay& d) {
  return d.longest == kUnreached ? d : Delay{d.shortest + 1, d.longest + 1};
}

/// The edges that outputs depend on, each after those that it depends on, and the delays along them.
class Delays {
 public:
  explicit Delays(const MappedKernel& kernel)
      : kernel_(kernel), region_{kernel.grid.width, kernel.grid.height}, number_(region_.edges(), kUnseen) {
    for (const BitSlot& slot : kernel.outputs) visit(region_.out_edge(port(slot)));
    for (const BitSlot& slot : kernel.outputs) outputs_.push_back(number_[region_.out_edge(port(slot))]);
    for (const InputSlot& input : kernel.inputs) inputs_.push_back(number_[region_.in_edge(port(input.slot))]);
    first_.push_back(id_of(feeds_.size()));
    delay_.resize(outputs_.empty() ? 0 : first_.size() - 1);
  }

  /// Delays from an input slot to each output.
  std::vector<Delay> from(size_t input) {
    std::vector<Delay> result(outputs_.size());
    const uint32_t start = inputs_[input];
    if (start == kUnseen) return result;  // no output depends on it
    std::fill(delay_.begin(), delay_.end(), Delay{});
    delay_[start] = {-1, -1};  // a border port shows it a hop before the first edges do
    for (uint32_t e = start + 1; e < delay_.size(); ++e) {
      Delay d;
      for (uint32_t f = first_[e]; f < first_[e + 1]; ++f) d = joined(d, delay_[feeds_[f]]);
      delay_[e] = later(d);
    }
    for (size_t o = 0; o < outputs_.size(); ++o) result[o] = delay_[outputs_[o]];
    return result;
  }

 private:
  static constexpr uint32_t kUnseen = ~uint32_t{0}, kOpen = kUnseen - 1;

  uint32_t port(const BitSlot& slot) const { return region_.port_at(slot.side, slot.position); }

  /// The edge that arrives at a cell from a side.
  uint32_t arriving(uint32_t cell, Side side) const {
    const int x = region_.x(cell) + dx(side), y = region_.y(cell) + dy(side);
    if (x < 0 || y < 0 || x >= region_.width || y >= region_.height)
      return region_.in_edge(region_.port_at(side, side == Side::N || side == Side::S ? region_.x(cell) : region_.y(cell)));
    return 4 * region_.cell(x, y) + id_of(opposite(side));
  }

  /// The edges that an edge depends on: at most four.
  std::vector<uint32_t> feeding(uint32_t edge) const {
    std::vector<uint32_t> edges;
    if (edge >= 4 * region_.cells()) return edges;
    const unsigned sides = support(cell_lut(kernel_.grid.cells[edge / 4], edge % 4));
    for (const Side side : kSides)
      if ((sides >> index_of(side)) & 1u) edges.push_back(arriving(edge / 4, side));
    return edges;
  }

  void visit(uint32_t root) {
    struct Frame {
      uint32_t edge;
      std::vector<uint32_t> feeding;
      size_t next = 0;
    };
    std::vector<Frame> stack;
    const auto open = [&](uint32_t edge) {
      if (number_[edge] == kOpen)
        throw Error("kernel " + kernel_.name,
                    fmt::format("cell ({}, {}) is part of a loop of cells", region_.x(edge / 4), region_.y(edge / 4)),
                    "settle mode only takes acyclic configurations");
      if (number_[edge] != kUnseen) return;
      number_[edge] = kOpen;
      stack.push_back({edge, feeding(edge)});
    };
    open(root);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      if (frame.next < frame.feeding.size()) {
        open(frame.feeding[frame.next++]);
        continue;
      }
      first_.push_back(id_of(feeds_.size()));
      for (const uint32_t f : frame.feeding) feeds_.push_back(number_[f]);
      number_[frame.edge] = id_of(first_.size() - 1);
      stack.pop_back();
    }
  }

  const MappedKernel& kernel_;
  const Region region_;
  std::vector<uint32_t> number_;         // of an edge, in the order in which they are found to depend on nothing later
  std::vector<uint32_t> first_, feeds_;  // by that number
  std::vector<uint32_t> inputs_, outputs_;
  std::vector<Delay> delay_;
};

// x[to] <= x[from] + bound.
struct Constraint {
  size_t from;
  size_t to;
  int bound;
};

// Bellman and Ford: a solution with least <= x <= 0, or nothing.
std::optional<std::vector<int>> solve(size_t variables, const std::vector<Constraint>& constraints, int least) {
  std::vector<int> x(variables, 0);
  for (size_t round = 0; round <= variables; ++round) {
    bool changed = false;
    for (const Constraint& c : constraints)
      if (x[c.from] + c.bound < x[c.to]) {
        x[c.to] = x[c.from] + c.bound;
        if (x[c.to] < least) return std::nullopt;
        changed = true;
      }
    if (!changed) return x;
  }
  return std::nullopt;
}

/// Of the border cell of a port.
int colour(const GridConfig& grid, const BitSlot& slot) {
  const int far = slot.side == Side::S ? grid.height - 1 : slot.side == Side::E ? grid.width - 1 : 0;
  return (slot.position + far) % 2;
}

}  // namespace

void settle(MappedKernel& kernel, bool skew) {
  const size_t inputs = kernel.inputs.size(), outputs = kernel.outputs.size();
  // In cycles: p_i = 2 x_i + colour of the port, s_o = 2 x_o + colour. Everything below is on the x.
  std::vector<int> in_colour, out_colour;
  for (const InputSlot& input : kernel.inputs) in_colour.push_back(colour(kernel.grid, input.slot));
  for (const BitSlot& slot : kernel.outputs) out_colour.push_back(colour(kernel.grid, slot));
  std::vector<std::vector<Delay>> delay(inputs);
  Delays delays(kernel);
  for (size_t i = 0; i < inputs; ++i) delay[i] = delays.from(i);
  // Paths between two cells have one parity, so these differences are even.
  auto cycles = [&](int hops, size_t i, size_t o) { return (hops + in_colour[i] - out_colour[o]) / 2; };

  int least = 1, longest = 0;
  for (size_t i = 0; i < inputs; ++i)
    for (size_t o = 0; o < outputs; ++o) {
      const Delay& d = delay[i][o];
      if (d.longest == kUnreached) continue;
      least = std::max(least, cycles(d.longest, i, o) - cycles(d.shortest, i, o) + 1);
      longest = std::max(longest, cycles(d.longest, i, o) + 1);
    }
  auto attempt = [&](int ii, int latency) {
    std::vector<Constraint> constraints;
    for (size_t i = 0; i < inputs; ++i)
      for (size_t o = 0; o < outputs; ++o) {
        const Delay& d = delay[i][o];
        int most = latency;
        if (d.longest != kUnreached) {
          constraints.push_back({inputs + o, i, -cycles(d.longest, i, o)});
          most = std::min(most, cycles(d.shortest, i, o) + ii - 1);
        }
        constraints.push_back({i, inputs + o, most});
      }
    if (!skew)
      for (size_t i = 1; i < inputs; ++i) {
        constraints.push_back({0, i, 0});
        constraints.push_back({i, 0, 0});
      }
    return solve(inputs + outputs, constraints, -16 * (longest + 1));
  };
  auto bisect = [](int low, int high, auto&& feasible) {
    while (low < high) {
      const int middle = (low + high) / 2;
      if (feasible(middle))
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  };
  const int total = 2 * (longest + 1);  // more than any latency that a solution needs
  kernel.ii = bisect(least, std::max(least, longest + 1), [&](int ii) { return attempt(ii, total).has_value(); });
  const int latency = bisect(0, total, [&](int l) { return attempt(kernel.ii, l).has_value(); });
  const std::vector<int> x = *attempt(kernel.ii, latency);
  const int first = inputs == 0 ? 0 : *std::min_element(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(inputs));
  for (size_t i = 0; i < inputs; ++i) {
    kernel.inputs[i].slot.phase = 2 * (x[i] - first) + in_colour[i];
    kernel.inputs[i].hold = kernel.ii;
  }
  for (size_t o = 0; o < outputs; ++o) kernel.outputs[o].phase = 2 * std::max(0, x[inputs + o] - first) + out_colour[o];
  raise_lead(kernel);
}

}  // namespace bitgrid::mapping
