#include "lowering/mapping/netlist/co_anneal.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "ir/index.h"
#include "lowering/mapping/netlist/annealer.h"
#include "lowering/mapping/netlist/random.h"

namespace bitgrid::mapping {
namespace {

class LiveAnnealer {
 public:
  LiveAnnealer(const PackedNetlist& first, const Defects& defects, const LiveAnnealParams& params, LiveAnnealStats& stats)
      : first_(first), network_(*first.network), defects_(defects), params_(params), stats_(stats), random_(params.seed) {
    readers_.resize(network_.inputs.size() + network_.nodes.size());
    for (uint32_t n = 0; n < network_.nodes.size(); ++n)
      for (const SignalId f : fanins(network_.nodes[n])) readers_[f].push_back(network_.signal_of_node(n));
    for (uint32_t o = 0; o < network_.outputs.size(); ++o)
      if (const SignalId s = network_.outputs[o].signal; s != kConstantSignal) readers_[s].push_back(id_of(readers_.size() + o));
  }

  std::optional<CoAnnealState> run() {
    auto state = first_state();
    if (!state) return std::nullopt;
    std::optional<CoAnnealState> best;
    const double work = params_.work * static_cast<double>(state->items());
    for (int round = 0; round < params_.rounds; ++round) {
      cool(*state, round == 0 ? params_.hot : params_.reheat, round == 0 ? work : params_.later_work * work, best);
      if (!best) break;
      auto smaller = shrunk(*best);
      if (!smaller) break;
      state = std::move(smaller);
    }
    return best;
  }

 private:
  DefectMap defect_map(const Region& r) const { return {defects_, r.width, r.height}; }

  std::optional<CoAnnealState> first_state() {
    const double least = 1.1 * count_of(first_.cells) + 3;
    const double wanted = params_.cells > 0 ? params_.cells : params_.utilisation * count_of(network_.nodes);
    const double area = std::max(wanted, least);
    const auto ports = static_cast<double>(std::max(network_.inputs.size(), network_.outputs.size()));
    double width = std::sqrt(area);
    if (const double half = ports / 2 + 1; width + area / width < half)
      width = (half + std::sqrt(std::max(0.0, half * half - 4 * area))) / 2;
    Region r;
    r.width = std::max(1, int_of(std::lround(width)));
    r.height = std::max(1, static_cast<int>(std::ceil(area / r.width)));
    while (static_cast<double>(r.ports()) < ports) ++r.width;
    stats_.first = r;
    Sites sites{r.width, r.height, r, {}};
    for (int y = 0; y < r.height; ++y)
      for (int x = 0; x < r.width; ++x) sites.at.push_back({x, y});
    AnnealingParams a;
    a.seed = params_.seed;
    a.moves_per_block = params_.anneal_moves;
    a.evenness = params_.anneal_evenness;
    a.stop_point = params_.stop_point;
    const Placement placement = place_on(first_, sites, anneal(first_, sites, a));
    CoAnnealState state(network_, r, defect_map(r), params_.costs);
    std::vector<uint32_t> places(state.items());
    for (BlockId b = 0; b < first_.blocks(); ++b) {
      const uint32_t at = placement.at[b];
      if (first_.is_cell(b))
        for (const uint32_t lut : first_.cells[b].luts) places[network_.signal_of_node(lut)] = state.cell(r.x(at), r.y(at));
      else
        places[first_.is_input(b) ? first_.input_of(b) : state.signals() + first_.output_of(b)] = state.ring_cell(at);
    }
    if (!leave_bad_places(state, places) || !state.start(places)) return std::nullopt;
    return state;
  }

  // What is on a bad cell goes to the nearest good one; LUTs of a cell stay together. False if there is none.
  static bool leave_bad_places(const CoAnnealState& state, std::vector<uint32_t>& places) {
    std::vector<uint8_t> logic(state.cells()), ins(state.cells()), outs(state.cells());
    auto taken = [&](uint32_t item) -> std::vector<uint8_t>& { return state.is_lut(item) ? logic : state.is_output(item) ? outs : ins; };
    for (uint32_t i = 0; i < places.size(); ++i) taken(i)[places[i]] = 1;
    std::vector<uint32_t> moved(state.cells(), kNowhere);
    for (uint32_t i = 0; i < places.size(); ++i) {
      const uint32_t from = places[i];
      if (state.is_good(from, !state.is_lut(i))) continue;
      const bool together = state.is_lut(i) && moved[from] != kNowhere;
      const uint32_t to = together ? moved[from] : nearest(state, state.x(from), state.y(from), taken(i), !state.is_lut(i));
      if (to == kNowhere) return false;
      if (state.is_lut(i)) moved[from] = to;
      taken(i)[to] = 1;
      places[i] = to;
    }
    return true;
  }

  // One cooling; every time nothing is wanted twice the region loses a line.
  void cool(CoAnnealState& state, double hot, double work, std::optional<CoAnnealState>& best) {
    constexpr size_t kChunk = 1024;
    uint64_t spent = 0, last = state.work();
    reach_ = std::max(state.region().width, state.region().height);
    while (static_cast<double>(spent) < work) {
      const double t = LiveCosts::kWire * hot * std::pow(params_.cold / hot, static_cast<double>(spent) / work);
      pass(params_.stop_point);
      size_t accepted = 0;
      for (size_t i = 0; i < kChunk; ++i) {
        while (state.overuse() == 0) {
          best = state;
          auto smaller = shrunk(state);
          if (!smaller) return;
          spent += state.work() - last + smaller->work();
          state = std::move(*smaller);
          last = state.work();
        }
        accepted += move(state, static_cast<int64_t>(-t * std::log(1.0 - random_.unit())));
      }
      spent += state.work() - last + kChunk;
      last = state.work();
      if (t < params_.history_heat * LiveCosts::kWire) state.remember_overuse(params_.history);
      stats_.moves += kChunk;
      stats_.accepted += accepted;
      const double rate = static_cast<double>(accepted) / kChunk;
      const auto most = static_cast<double>(std::max(state.region().width, state.region().height));
      reach_ = std::clamp(reach_ * (1 - 0.44 + rate), std::min(params_.least_reach, most), most);
      if (params_.log && (stats_.moves / kChunk) % 256 == 0)
        fmt::print(stderr, "{:4.0f} % T {:.2f} {}x{} overuse {} wires {} accepted {:.3f} reach {:.1f}\n",
                   100.0 * static_cast<double>(spent) / work, t / LiveCosts::kWire, state.region().width, state.region().height,
                   state.overuse(), state.wirelength(), rate, reach_);
    }
    stats_.work += spent;
  }

  bool move(CoAnnealState& state, int64_t budget) {
    const uint32_t kind = random_.below(16);
    if (kind == 0) return state.try_reroute(random_.below(id_of(state.signals())), budget), false;
    if (kind < 3) return reroute_around(state, budget), false;
    const uint32_t item = kind < 5 ? item_in_trouble(state) : random_.below(id_of(state.items()));
    if (!state.is_lut(item)) return move_port(state, item, budget);
    if (random_.below(4) == 0) return move_lut(state, item, budget);
    return move_cell(state, item, budget);
  }

  bool reroute_around(CoAnnealState& state, int64_t budget) {
    uint32_t c = kNowhere;
    if (!state.overused().empty() && random_.below(4) != 0)
      c = state.overused()[random_.below(id_of(state.overused().size()))] / 4;
    else
      c = random_.below(state.cells());
    if (!state.is_inside(c)) return false;
    around_.assign(1, c);
    if (random_.below(2) == 0)
      if (const uint32_t other = near(state, c, 1); other != kNowhere && other != c) around_.push_back(other);
    return state.try_reroute_around(around_, random_, budget);
  }

  // Of a net that wants an edge that another one has, or any.
  uint32_t item_in_trouble(const CoAnnealState& state) {
    if (state.overused().empty()) return random_.below(id_of(state.items()));
    const uint32_t edge = state.overused()[random_.below(id_of(state.overused().size()))];
    const auto users = state.users(edge / 4, edge % 4);
    const uint16_t net = users[random_.below(id_of(users.size()))];
    const auto& readers = readers_[net];
    const uint32_t pick = random_.below(id_of(readers.size() + 1));
    return pick == readers.size() ? net : readers[pick];
  }

  // Where something that the item talks to is.
  uint32_t partner(const CoAnnealState& state, uint32_t item) {
    std::array<uint32_t, 4> fanin{};
    uint32_t count = 0, outs = 0;
    if (state.is_lut(item))
      for (const SignalId f : fanins(network_.node_of(item))) fanin[count++] = f;
    else if (state.is_output(item) && network_.outputs[item - state.signals()].signal != kConstantSignal)
      fanin[count++] = network_.outputs[item - state.signals()].signal;
    if (!state.is_output(item)) outs = std::min<uint32_t>(2, id_of(readers_[item].size()));
    if (count + outs == 0) return kNowhere;
    const uint32_t pick = random_.below(count + outs);
    if (pick >= count) return state.place(readers_[item][random_.below(id_of(readers_[item].size()))]);
    const uint32_t f = fanin[pick];
    const uint32_t other = random_.below(2) == 0 ? f : readers_[f][random_.below(id_of(readers_[f].size()))];
    return state.place(other);
  }

  uint32_t near(const CoAnnealState& state, uint32_t c, int reach) {
    const auto span = id_of(2 * reach + 1);
    const int x = state.x(c) + int_of(random_.below(span)) - reach, y = state.y(c) + int_of(random_.below(span)) - reach;
    const Region& r = state.region();
    if (x < 0 || y < 0 || x >= r.width || y >= r.height) return kNowhere;
    return state.cell(x, y);
  }

  uint32_t target(const CoAnnealState& state, uint32_t item) {
    if (random_.below(2) == 0)
      if (const uint32_t p = partner(state, item); p != kNowhere) return near(state, p, 2);
    return near(state, state.place(item), static_cast<int>(reach_ + 0.5));
  }

  bool move_port(CoAnnealState& state, uint32_t item, int64_t budget) {
    const Region& r = state.region();
    const auto ports = int_of(r.ports());
    const int reach = std::min(static_cast<int>(2 * reach_), ports / 2);
    const auto place = int_of(perimeter_place(r, state.port_of(state.place(item))));
    const int offset = int_of(random_.below(id_of(2 * reach + 1))) - reach;
    const uint32_t to = state.ring_cell(port_on_perimeter(r, id_of((place + offset + ports) % ports)));
    if (to == state.place(item) || !state.is_good(to, true)) return false;
    steps_.assign(1, {item, to});
    const uint16_t other = state.is_output(item) ? state.output_at(to) : state.input_at(to);
    if (other != CoAnnealState::kNone) steps_.push_back({other, state.place(item)});
    return state.try_steps(steps_, budget);
  }

  bool move_lut(CoAnnealState& state, uint32_t lut, int64_t budget) {
    uint32_t to = kNowhere;
    if (random_.below(2) == 0) {  // to a cell that reads the same
      const auto f = fanins(network_.node_of(lut));
      const auto& readers = readers_[f[random_.below(id_of(f.size()))]];
      const uint32_t other = readers[random_.below(id_of(readers.size()))];
      if (state.is_output(other)) return false;
      to = state.place(other);
    } else {
      to = target(state, lut);
    }
    if (to == kNowhere || to == state.place(lut) || !state.is_good(to, false)) return false;
    steps_.assign(1, {lut, to});
    return state.try_steps(steps_, budget);
  }

  bool move_cell(CoAnnealState& state, uint32_t lut, int64_t budget) {
    const uint32_t from = state.place(lut), to = target(state, lut);
    if (to == kNowhere || to == from || !state.is_good(to, false)) return false;
    steps_.clear();
    for (const uint16_t l : state.luts(from)) steps_.push_back({l, to});
    for (const uint16_t l : state.luts(to)) steps_.push_back({l, from});
    return state.try_steps(steps_, budget);
  }

  // Without a line; what was in it is beside it.
  std::optional<CoAnnealState> shrunk(const CoAnnealState& state) {
    const Region& old = state.region();
    Region r = old;
    const bool columns = old.width > old.height || (old.width == old.height && random_.below(2) == 0);
    --(columns ? r.width : r.height);
    const auto ports = std::max(network_.inputs.size(), network_.outputs.size());
    if (r.width < 1 || r.height < 1 || r.ports() < ports || r.cells() < 1) return std::nullopt;
    const int size = columns ? old.width : old.height;
    // The line with the least in it.
    std::vector<int> burden(index_of(size));
    auto line_of = [&](const CoAnnealState& s, uint32_t c) { return columns ? s.x(c) : s.y(c); };
    for (uint32_t c = 0; c < state.cells(); ++c) {
      const int line = line_of(state, c);
      if (line < 0 || line >= size) continue;
      int& b = burden[index_of(line)];
      b += 6 * count_of(state.luts(c)) + 3 * (state.input_at(c) != CoAnnealState::kNone) + 3 * (state.output_at(c) != CoAnnealState::kNone);
      for (uint32_t s = 0; s < 4; ++s) b += int_of(state.users(c, s).size());
    }
    const int cut = int_of(std::min_element(burden.begin(), burden.end()) - burden.begin());
    CoAnnealState next(network_, r, defect_map(r), params_.costs);
    std::vector<uint32_t> places(state.items(), kNowhere);
    std::vector<uint8_t> logic(next.cells()), ins(next.cells()), outs(next.cells());
    // Pass 0: what stays; pass 1: what has to step aside, whole cells together.
    std::vector<uint32_t> moved(state.cells(), kNowhere);
    for (int pass = 0; pass < 2; ++pass)
      for (uint32_t i = 0; i < state.items(); ++i) {
        const uint32_t from = state.place(i);
        const int line = line_of(state, from);
        if ((line == cut) != (pass == 1)) continue;
        const int shift = line > cut ? 1 : 0;
        const int lx = std::min(state.x(from) - (columns ? shift : 0), columns && pass ? r.width - 1 : r.width);
        const int ly = std::min(state.y(from) - (columns ? 0 : shift), !columns && pass ? r.height - 1 : r.height);
        uint32_t to = next.cell(lx, ly);
        std::vector<uint8_t>& taken = state.is_lut(i) ? logic : state.is_output(i) ? outs : ins;
        if (pass == 0 || (state.is_lut(i) && moved[from] != kNowhere)) {
          if (pass) to = moved[from];
          if (!next.is_good(to, !state.is_lut(i))) to = nearest(next, lx, ly, taken, !state.is_lut(i));
        } else {
          to = nearest(next, lx, ly, taken, !state.is_lut(i));
        }
        if (to == kNowhere) return std::nullopt;
        if (state.is_lut(i)) moved[from] = to;
        taken[to] = 1;
        places[i] = to;
      }
    ++stats_.removed;
    if (!next.start(places)) return std::nullopt;
    return next;
  }

  static uint32_t nearest(const CoAnnealState& s, int x, int y, const std::vector<uint8_t>& taken, bool port) {
    uint32_t best = kNowhere;
    int least = 1 << 20;
    for (uint32_t c = 0; c < s.cells(); ++c) {
      const int far = std::abs(s.x(c) - x) + std::abs(s.y(c) - y);
      if (far >= least || taken[c] || !s.is_good(c, port)) continue;
      least = far;
      best = c;
    }
    return best;
  }

  const PackedNetlist& first_;
  const LutNetwork& network_;
  const Defects& defects_;
  const LiveAnnealParams& params_;
  LiveAnnealStats& stats_;
  Random random_;
  double reach_ = 1;
  std::vector<std::vector<uint32_t>> readers_;  // items
  std::vector<CoAnnealState::Step> steps_;
  std::vector<uint32_t> around_;
};

PackedLayout layout_of(const CoAnnealState& state) {
  const LutNetwork& network = state.network();
  const Region& r = state.region();
  std::vector<PackedCell> cells;
  std::vector<uint32_t> at;
  for (uint32_t c = 0; c < state.cells(); ++c) {
    if (state.luts(c).empty()) continue;
    PackedCell cell;
    for (const uint16_t lut : state.luts(c)) {
      cell.luts.push_back(id_of(lut - network.inputs.size()));
      for (const SignalId f : fanins(network.node_of(lut))) cell.fanins.push_back(f);
    }
    std::sort(cell.luts.begin(), cell.luts.end());
    std::sort(cell.fanins.begin(), cell.fanins.end());
    cell.fanins.erase(std::unique(cell.fanins.begin(), cell.fanins.end()), cell.fanins.end());
    cells.push_back(std::move(cell));
    at.push_back(r.cell(state.x(c), state.y(c)));
  }
  for (uint32_t i = 0; i < network.inputs.size(); ++i) at.push_back(state.port_of(state.place(i)));
  for (uint32_t o = 0; o < network.outputs.size(); ++o) at.push_back(state.port_of(state.place(id_of(state.signals() + o))));
  PackedLayout result{packed(network, std::move(cells)), {{r, std::move(at)}, {}}};
  for (const Net& net : result.netlist.nets) result.layout.routes.push_back(state.route_of(result.netlist, net, result.layout.placement));
  return result;
}

}  // namespace

std::optional<PackedLayout> live_anneal(const PackedNetlist& first, const Defects& defects, const LiveAnnealParams& params,
                                        LiveAnnealStats* stats) {
  const auto begin = std::chrono::steady_clock::now();
  LiveAnnealStats local;
  LiveAnnealStats& out = stats ? *stats : local;
  const auto state = LiveAnnealer(first, defects, params, out).run();
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!state) return std::nullopt;
  out.wirelength = state->wirelength();
  PackedLayout result = layout_of(*state);
  out.logic_cells = result.netlist.cells.size();
  return result;
}

}  // namespace bitgrid::mapping
