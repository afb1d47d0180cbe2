#include "lowering/netlist/placement.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "ir/error.h"

namespace bitgrid {
namespace {

// Fixed point, so that costs add up exactly whatever the order.
constexpr int64_t kUnit = 256;

constexpr int kMaxTemperatures = 400;  // normally about 100 are needed

struct Box {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool operator==(const Box&) const = default;
};

// Expected length of a tree over its half perimeter, by number of pins (Cheng 1994, rounded).
double tree_factor(size_t pins) {
  return pins <= 3 ? 1.0 : 1.0 + 0.03 * std::min<double>(static_cast<double>(pins) - 3, 40);
}

class Annealer {
 public:
  Annealer(const PackedNetlist& netlist, const Region& region, const PlacementParams& params)
      : netlist_(netlist), params_(params), rng_(params.seed), demand_(region.cells()) {
    placement_.region = region;
    start();
    collect_nets();
  }

  Placement run(PlacementStats* stats) {
    const auto begin = std::chrono::steady_clock::now();
    const auto blocks = static_cast<double>(netlist_.blocks());
    const auto moves = static_cast<size_t>(params_.moves_per_block * std::pow(blocks, 4.0 / 3.0)) + 1;
    const double nets = std::max<double>(1, static_cast<double>(boxes_.size()));
    reach_ = std::max(placement_.region.width, placement_.region.height);
    double temperature = first_temperature();
    size_t total = 0;
    for (int step = 0; step < kMaxTemperatures && length_ > 0; ++step) {
      size_t accepted = 0;
      for (size_t m = 0; m < moves; ++m) accepted += try_move(temperature);
      total += moves;
      const double rate = static_cast<double>(accepted) / static_cast<double>(moves);
      // Betz and Rose: cool slowly where about 44 % of the moves are accepted, and keep it there by the reach of moves.
      temperature *= rate > 0.96   ? 0.5
                     : rate > 0.8  ? 0.9 * params_.cooling
                     : rate > 0.15 ? params_.cooling + 0.05 * (1 - params_.cooling)
                                   : 0.8;
      reach_ =
          std::clamp(reach_ * (1 - 0.44 + rate), 1.0, static_cast<double>(std::max(placement_.region.width, placement_.region.height)));
      if (temperature < 0.005 * static_cast<double>(cost()) / nets || (rate < 0.01 && reach_ <= 1.0)) break;
    }
    for (size_t m = 0; m < moves; ++m) try_move(0);
    if (stats) {
      stats->wirelength = static_cast<double>(length_) / kUnit;
      stats->overflow = static_cast<double>(overflow_) / (kUnit * kUnit);
      stats->moves = total;
      stats->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    return placement_;
  }

 private:
  // Kinds of blocks move among places of their own: cells, border inputs, border outputs.
  std::vector<BlockId>& places_of(BlockId b) {
    return netlist_.is_cell(b) ? cell_places_ : netlist_.is_input(b) ? in_places_ : out_places_;
  }

  bool is_site(uint32_t cell) const { return placement_.region.is_site(cell, params_.spacing); }

  void start() {
    const Region& r = placement_.region;
    cell_places_.assign(r.cells(), kNowhere);
    in_places_.assign(r.ports(), kNowhere);
    out_places_.assign(r.ports(), kNowhere);
    placement_.at.resize(netlist_.blocks());
    auto shuffled = [&](uint32_t n) {
      std::vector<uint32_t> list(n);
      std::iota(list.begin(), list.end(), 0u);
      for (uint32_t i = n; i > 1; --i) std::swap(list[i - 1], list[rng_() % i]);
      return list;
    };
    std::vector<uint32_t> cells = shuffled(r.cells());
    std::erase_if(cells, [&](uint32_t c) { return !is_site(c); });
    std::vector<uint32_t> ins = shuffled(r.ports()), outs = shuffled(r.ports());
    for (BlockId b = 0; b < netlist_.blocks(); ++b) {
      std::vector<uint32_t>& free = netlist_.is_cell(b) ? cells : netlist_.is_input(b) ? ins : outs;
      placement_.at[b] = free.back();
      places_of(b)[free.back()] = b;
      free.pop_back();
    }
  }

  void collect_nets() {
    nets_of_.resize(netlist_.blocks());
    for (const Net& net : netlist_.nets) {
      if (net.sinks.empty() || net.signal == kConstantSignal) continue;
      const auto id = static_cast<uint32_t>(pins_.size());
      std::vector<BlockId> pins = net.sinks;
      pins.push_back(net.driver);
      std::sort(pins.begin(), pins.end());
      pins.erase(std::unique(pins.begin(), pins.end()), pins.end());
      for (const BlockId b : pins) nets_of_[b].push_back(id);
      factor_.push_back(static_cast<int64_t>(tree_factor(pins.size()) * kUnit));
      pins_.push_back(std::move(pins));
    }
    boxes_.resize(pins_.size());
    for (uint32_t n = 0; n < pins_.size(); ++n) {
      boxes_[n] = box_of(n);
      charge(n, boxes_[n], +1);
    }
  }

  Box box_of(uint32_t net) const {
    const Region& r = placement_.region;
    Box box{r.width, r.height, -1, -1};
    for (const BlockId b : pins_[net]) {
      const uint32_t cell = placement_.cell_of(netlist_, b);
      const int x = r.x(cell), y = r.y(cell);
      box = {std::min(box.x0, x), std::min(box.y0, y), std::max(box.x1, x), std::max(box.y1, y)};
    }
    return box;
  }

  // Adds (or takes away) a net's length and demand.
  void charge(uint32_t net, const Box& box, int64_t sign) {
    const int64_t length = factor_[net] * (box.x1 - box.x0 + box.y1 - box.y0);
    length_ += sign * length;
    const int64_t share = length / (int64_t{box.x1 - box.x0 + 1} * (box.y1 - box.y0 + 1));
    if (share == 0) return;
    const auto cap = static_cast<int64_t>(params_.demand_cap * kUnit);
    for (int y = box.y0; y <= box.y1; ++y)
      for (int x = box.x0; x <= box.x1; ++x) {
        int64_t& d = demand_[placement_.region.cell(x, y)];
        const int64_t before = std::max<int64_t>(0, d - cap);
        d += sign * share;
        const int64_t after = std::max<int64_t>(0, d - cap);
        overflow_ += after * after - before * before;
      }
  }

  int64_t cost() const { return length_ * kUnit + static_cast<int64_t>(params_.demand_weight * static_cast<double>(overflow_)); }

  uint32_t target_place(BlockId b) {
    const Region& r = placement_.region;
    const int reach = static_cast<int>(reach_);
    if (!netlist_.is_cell(b)) {
      const auto ports = static_cast<int>(r.ports());
      const int span = std::min(2 * reach + 1, ports / 2);
      const int offset = static_cast<int>(rng_() % static_cast<uint64_t>(2 * span + 1)) - span;
      return static_cast<uint32_t>((static_cast<int>(placement_.at[b]) + offset + ports) % ports);
    }
    auto near = [&](int at, int size) {
      const int low = std::max(1, at - reach), high = std::min(size - 2, at + reach);
      return low + static_cast<int>(rng_() % static_cast<uint64_t>(high - low + 1));
    };
    return r.cell(near(r.x(placement_.at[b]), r.width), near(r.y(placement_.at[b]), r.height));
  }

  void exchange(BlockId a, uint32_t to) {
    std::vector<BlockId>& places = places_of(a);
    const uint32_t from = placement_.at[a];
    const BlockId other = places[to];
    places[to] = a;
    places[from] = other;
    placement_.at[a] = to;
    if (other != kNowhere) placement_.at[other] = from;
  }

  bool try_move(double temperature) {
    const auto block = static_cast<BlockId>(rng_() % netlist_.blocks());
    const uint32_t from = placement_.at[block], to = target_place(block);
    if (from == to || (netlist_.is_cell(block) && !is_site(to))) return false;
    const BlockId other = places_of(block)[to];
    touched_ = nets_of_[block];
    if (other != kNowhere) {
      touched_.insert(touched_.end(), nets_of_[other].begin(), nets_of_[other].end());
      std::sort(touched_.begin(), touched_.end());
      touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
    }
    exchange(block, to);
    const int64_t before = cost();
    changed_.clear();
    for (const uint32_t n : touched_) {
      const Box box = box_of(n);
      if (box == boxes_[n]) continue;
      changed_.push_back({n, boxes_[n]});
      charge(n, boxes_[n], -1);
      charge(n, box, +1);
      boxes_[n] = box;
    }
    const auto delta = static_cast<double>(cost() - before);
    const double draw = static_cast<double>(rng_() >> 11) * 0x1.0p-53;
    if (delta <= 0 || (temperature > 0 && draw < std::exp(-delta / temperature))) return true;
    for (const auto& [n, box] : changed_) {
      charge(n, boxes_[n], -1);
      charge(n, box, +1);
      boxes_[n] = box;
    }
    exchange(block, from);
    return false;
  }

  // Spread of the cost changes of random moves.
  double first_temperature() {
    const size_t samples = netlist_.blocks();
    double sum = 0, squares = 0;
    for (size_t i = 0; i < samples; ++i) {
      const auto before = static_cast<double>(cost());
      try_move(1e30);
      const double delta = static_cast<double>(cost()) - before;
      sum += delta;
      squares += delta * delta;
    }
    const auto n = static_cast<double>(std::max<size_t>(1, samples));
    return 2 * std::sqrt(std::max(1.0, squares / n - (sum / n) * (sum / n)));
  }

  const PackedNetlist& netlist_;
  PlacementParams params_;
  std::mt19937_64 rng_;
  Placement placement_;
  std::vector<BlockId> cell_places_, in_places_, out_places_;  // block at a place, or kNowhere
  std::vector<std::vector<BlockId>> pins_;
  std::vector<std::vector<uint32_t>> nets_of_;
  std::vector<int64_t> factor_;
  std::vector<Box> boxes_;
  std::vector<int64_t> demand_;
  std::vector<uint32_t> touched_;
  std::vector<std::pair<uint32_t, Box>> changed_;
  int64_t length_ = 0, overflow_ = 0;
  double reach_ = 1;
};

}  // namespace

Placement place(const PackedNetlist& netlist, const Region& region, const PlacementParams& params, PlacementStats* stats) {
  const size_t ports = std::max(netlist.inputs(), netlist.outputs());
  if (region.sites(params.spacing) < netlist.cells.size() || region.ports() < ports)
    throw Error(
        "netlist " + netlist.network->name,
        fmt::format("{} logic cells and {} ports do not fit a region of {} x {}", netlist.cells.size(), ports, region.width, region.height),
        "enlarge the region");
  if (netlist.blocks() == 0) return {region, {}};
  return Annealer(netlist, region, params).run(stats);
}

}  // namespace bitgrid
