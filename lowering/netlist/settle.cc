#include "lowering/netlist/settle.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace bitgrid {
namespace {

constexpr int kNone = std::numeric_limits<int>::min();

struct Delay {  // in hops, from one input; longest == kNone: not reached
  int shortest = std::numeric_limits<int>::max();
  int longest = kNone;
};

Delay joined(const Delay& a, const Delay& b) {
  return {std::min(a.shortest, b.shortest), std::max(a.longest, b.longest)};
}
Delay later(const Delay& d) {
  return d.longest == kNone ? d : Delay{d.shortest + 1, d.longest + 1};
}

// Delays from one input to all nets' arrivals: nets in topological order, since LUTs are.
class Delays {
 public:
  Delays(const PackedNetlist& netlist, const std::vector<NetRoute>& routes) : netlist_(netlist), routes_(routes) {
    cell_of_lut_.resize(netlist.network->nodes.size());
    for (uint32_t c = 0; c < netlist.cells.size(); ++c)
      for (const uint32_t lut : netlist.cells[c].luts) cell_of_lut_[lut] = c;
    arrival_.resize(netlist.nets.size());
    for (size_t n = 0; n < netlist.nets.size(); ++n) arrival_[n].resize(netlist.nets[n].sinks.size());
  }

  // For each output.
  std::vector<Delay> from(uint32_t input) {
    const LutNetwork& network = *netlist_.network;
    for (SignalId s = 0; s < network.inputs.size(); ++s) spread(s, s == input ? Delay{0, 0} : Delay{});
    for (uint32_t n = 0; n < network.nodes.size(); ++n) {
      Delay d;
      for (const SignalId f : fanins(network.nodes[n])) d = joined(d, at(f, cell_of_lut_[n]));
      spread(network.signal_of_node(n), later(d));
    }
    std::vector<Delay> result(network.outputs.size());
    for (uint32_t o = 0; o < network.outputs.size(); ++o)
      if (network.outputs[o].signal != kConstantSignal)
        result[o] = at(network.outputs[o].signal, static_cast<BlockId>(netlist_.cells.size() + netlist_.inputs() + o));
    return result;
  }

 private:
  Delay at(SignalId signal, BlockId sink) const {
    const auto& sinks = netlist_.nets[signal].sinks;
    return arrival_[signal][static_cast<size_t>(std::find(sinks.begin(), sinks.end(), sink) - sinks.begin())];
  }

  // `start`: when the net's first edges show it (for an input: when its border port does, a hop earlier).
  void spread(SignalId signal, const Delay& start) {
    const NetRoute& route = routes_[signal];
    const bool input = netlist_.network->is_input(signal);
    hop_delay_.assign(route.hops.size(), {});
    for (size_t h = 0; h < route.hops.size(); ++h) {
      const uint32_t from = route.hops[h].from;
      if (from == kNowhere) {
        hop_delay_[h] = input && start.longest != kNone ? Delay{-1, -1} : start;
        continue;
      }
      for (size_t k = h; k-- > 0;)
        if (route.hops[k].edge == from) {
          hop_delay_[h] = later(hop_delay_[k]);
          break;
        }
    }
    for (size_t i = 0; i < route.arrivals.size(); ++i)
      for (size_t h = 0; h < route.hops.size(); ++h)
        if (route.hops[h].edge == route.arrivals[i]) arrival_[signal][i] = hop_delay_[h];
  }

  const PackedNetlist& netlist_;
  const std::vector<NetRoute>& routes_;
  std::vector<uint32_t> cell_of_lut_;
  std::vector<std::vector<Delay>> arrival_;  // of each net at each of its sinks
  std::vector<Delay> hop_delay_;
};

// x[to] <= x[from] + bound.
struct Constraint {
  size_t from;
  size_t to;
  int bound;
};

// Bellman and Ford: a solution with all x <= 0, or nothing.
std::optional<std::vector<int>> solve(size_t variables, const std::vector<Constraint>& constraints) {
  std::vector<int> x(variables, 0);
  for (size_t round = 0; round <= variables; ++round) {
    bool changed = false;
    for (const Constraint& c : constraints)
      if (x[c.from] + c.bound < x[c.to]) {
        x[c.to] = x[c.from] + c.bound;
        changed = true;
      }
    if (!changed) return x;
  }
  return std::nullopt;
}

}  // namespace

SettleTiming settle_timing(const PackedNetlist& netlist, const Placement& placement, const std::vector<NetRoute>& routes, bool skew) {
  const size_t inputs = netlist.inputs(), outputs = netlist.outputs();
  auto colour = [&](size_t block) {
    const uint32_t cell = placement.cell_of(netlist, static_cast<BlockId>(block));
    return (placement.region.x(cell) + placement.region.y(cell)) % 2;
  };
  // In cycles: p_i = 2 x_i + colour of the port, s_o = 2 x_o + colour. Everything below is on the x.
  std::vector<std::vector<Delay>> delay(inputs);
  Delays delays(netlist, routes);
  for (uint32_t i = 0; i < inputs; ++i) delay[i] = delays.from(i);
  std::vector<int> in_colour(inputs), out_colour(outputs);
  for (size_t i = 0; i < inputs; ++i) in_colour[i] = colour(netlist.cells.size() + i);
  for (size_t o = 0; o < outputs; ++o) out_colour[o] = colour(netlist.cells.size() + inputs + o);
  // Paths between two cells have one parity, so these differences are even.
  auto cycles = [&](int hops, size_t i, size_t o) { return (hops + in_colour[i] - out_colour[o]) / 2; };

  int least = 1, longest = 0;
  for (size_t i = 0; i < inputs; ++i)
    for (size_t o = 0; o < outputs; ++o) {
      const Delay& d = delay[i][o];
      if (d.longest == kNone) continue;
      least = std::max(least, cycles(d.longest, i, o) - cycles(d.shortest, i, o) + 1);
      longest = std::max(longest, cycles(d.longest, i, o) + 1);
    }
  auto attempt = [&](int ii, int latency) {
    std::vector<Constraint> constraints;
    for (size_t i = 0; i < inputs; ++i)
      for (size_t o = 0; o < outputs; ++o) {
        const Delay& d = delay[i][o];
        int most = latency;
        if (d.longest != kNone) {
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
    return solve(inputs + outputs, constraints);
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
  SettleTiming timing;
  timing.ii = bisect(least, std::max(least, longest + 1), [&](int ii) { return attempt(ii, total).has_value(); });
  const int latency = bisect(0, total, [&](int l) { return attempt(timing.ii, l).has_value(); });
  std::vector<int> x = *attempt(timing.ii, latency);
  int first = 0;
  for (size_t i = 0; i < inputs; ++i) first = i == 0 ? x[0] : std::min(first, x[i]);
  for (size_t i = 0; i < inputs; ++i) timing.input_phase.push_back(2 * (x[i] - first) + in_colour[i]);
  for (size_t o = 0; o < outputs; ++o) timing.output_phase.push_back(2 * std::max(0, x[inputs + o] - first) + out_colour[o]);
  return timing;
}

}  // namespace bitgrid
