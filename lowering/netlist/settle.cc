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
  Delays(const PackedNetlist& netlist, const std::vector<NetRoute>& routes) : netlist_(netlist) {
    const LutNetwork& network = *netlist.network;
    std::vector<uint32_t> index_of_edge;
    for (const NetRoute& route : routes) add_net(route, index_of_edge);
    std::vector<BlockId> cell_of_lut(network.nodes.size());
    for (BlockId c = 0; c < netlist.cells.size(); ++c)
      for (const uint32_t lut : netlist.cells[c].luts) cell_of_lut[lut] = c;
    for (uint32_t n = 0; n < network.nodes.size(); ++n) {
      first_fanin_.push_back(static_cast<uint32_t>(fanin_hop_.size()));
      for (const SignalId f : fanins(network.nodes[n])) fanin_hop_.push_back(arrival_hop(f, cell_of_lut[n]));
    }
    first_fanin_.push_back(static_cast<uint32_t>(fanin_hop_.size()));
    for (uint32_t o = 0; o < network.outputs.size(); ++o) {
      const SignalId s = network.outputs[o].signal;
      const auto port = static_cast<BlockId>(netlist.cells.size() + netlist.inputs() + o);
      output_hop_.push_back(s == kConstantSignal ? kNowhere : arrival_hop(s, port));
    }
    delay_.resize(parent_.size());
  }

  // For each output.
  std::vector<Delay> from(uint32_t input) {
    const LutNetwork& network = *netlist_.network;
    // An input's border port shows it a hop before its first edges do.
    for (SignalId s = 0; s < network.inputs.size(); ++s) spread(s, s == input ? Delay{-1, -1} : Delay{});
    for (uint32_t n = 0; n < network.nodes.size(); ++n) {
      Delay d;
      for (uint32_t i = first_fanin_[n]; i < first_fanin_[n + 1]; ++i) d = joined(d, delay_[fanin_hop_[i]]);
      spread(network.signal_of_node(n), later(d));
    }
    std::vector<Delay> result(network.outputs.size());
    for (uint32_t o = 0; o < network.outputs.size(); ++o)
      if (output_hop_[o] != kNowhere) result[o] = delay_[output_hop_[o]];
    return result;
  }

 private:
  // Hops of all nets, one net after the other, each with the number of the hop that feeds it.
  void add_net(const NetRoute& route, std::vector<uint32_t>& index_of_edge) {
    first_hop_.resize(first_hop_.empty() ? 1 : first_hop_.size());
    for (const RouteHop& h : route.hops) {
      if (h.edge >= index_of_edge.size()) index_of_edge.resize(h.edge + 1, kNowhere);
      index_of_edge[h.edge] = static_cast<uint32_t>(parent_.size());
      parent_.push_back(h.from == kNowhere ? kNowhere : index_of_edge[h.from]);
    }
    arrivals_.emplace_back();
    for (const uint32_t a : route.arrivals) arrivals_.back().push_back(index_of_edge[a]);
    first_hop_.push_back(static_cast<uint32_t>(parent_.size()));
  }

  uint32_t arrival_hop(SignalId signal, BlockId sink) const {
    const auto& sinks = netlist_.nets[signal].sinks;
    return arrivals_[signal][static_cast<size_t>(std::find(sinks.begin(), sinks.end(), sink) - sinks.begin())];
  }

  void spread(SignalId signal, const Delay& start) {
    for (uint32_t h = first_hop_[signal]; h < first_hop_[signal + 1]; ++h)
      delay_[h] = parent_[h] == kNowhere ? start : later(delay_[parent_[h]]);
  }

  const PackedNetlist& netlist_;
  std::vector<uint32_t> first_hop_;              // of each net
  std::vector<uint32_t> parent_;                 // of each hop, or kNowhere
  std::vector<std::vector<uint32_t>> arrivals_;  // hops, of each net
  std::vector<uint32_t> first_fanin_, fanin_hop_, output_hop_;
  std::vector<Delay> delay_;  // of each hop
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

}  // namespace

SettleTiming settle_timing(const PackedNetlist& netlist, const NetlistLayout& layout, bool skew) {
  const Placement& placement = layout.placement;
  const size_t inputs = netlist.inputs(), outputs = netlist.outputs();
  auto colour = [&](size_t block) {
    const uint32_t cell = placement.cell_of(netlist, static_cast<BlockId>(block));
    return (placement.region.x(cell) + placement.region.y(cell)) % 2;
  };
  // In cycles: p_i = 2 x_i + colour of the port, s_o = 2 x_o + colour. Everything below is on the x.
  std::vector<std::vector<Delay>> delay(inputs);
  Delays delays(netlist, layout.routes);
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
