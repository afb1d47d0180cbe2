#include "lowering/netlist/annealer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "ir/error.h"
#include "lowering/netlist/random.h"

namespace bitgrid {
namespace {

constexpr int kMaxTemperatures = 300;
constexpr uint32_t kEmpty = ~uint32_t{0};
constexpr int kBin = 4;    // cells
constexpr int kUnit = 64;  // of lengths: costs are integers, so they add up exactly in any order

struct Box {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool operator==(const Box&) const = default;
};

// Place on the perimeter of a slot.
uint32_t slot_place(const Region& region, uint32_t slots, uint32_t slot) {
  return static_cast<uint32_t>((2 * uint64_t{slot} + 1) * region.ports() / (2 * uint64_t{slots}));
}

// Expected length of a tree over its half perimeter, by number of pins (Cheng 1994, rounded).
int tree_weight(size_t pins) {
  return static_cast<int>(kUnit * (pins <= 3 ? 1.0 : 1.0 + 0.03 * std::min<double>(static_cast<double>(pins) - 3, 40)));
}

class Annealer {
 public:
  Annealer(const PackedNetlist& netlist, const Sites& sites, const AnnealingParams& params, const SitePlacement* start)
      : netlist_(netlist), sites_(sites), params_(params), rng_(params.seed) {
    const Region& region = sites.region;
    slots_ = start ? start->slots : std::max(static_cast<uint32_t>(std::max(netlist.inputs(), netlist.outputs())), region.ports());
    for (uint32_t s = 0; s < slots_; ++s) {
      const uint32_t cell = region.port_cell(port_on_perimeter(region, slot_place(region, slots_, s)));
      slot_at_.push_back({region.x(cell), region.y(cell)});
    }
    site_block_.assign(sites.at.size(), kEmpty);
    in_block_.assign(slots_, kEmpty);
    out_block_.assign(slots_, kEmpty);
    at_.resize(netlist_.blocks());
    place_.resize(netlist_.blocks());
    if (start)
      for (BlockId b = 0; b < netlist_.blocks(); ++b) put(b, start->place[b]);
    else
      scatter();
    collect_nets();
  }

  SitePlacement run(AnnealingStats* stats) {
    const auto begin = std::chrono::steady_clock::now();
    const auto blocks = static_cast<double>(netlist_.blocks());
    const auto moves = static_cast<size_t>(params_.moves_per_block * std::pow(blocks, 4.0 / 3.0)) + 1;
    const int widest = std::max(sites_.columns, sites_.rows);
    const double nets = std::max<double>(1, static_cast<double>(weight_.size()));
    double temperature = params_.heat >= 1 ? first_temperature() : params_.heat * static_cast<double>(cost()) / nets;
    double reach = params_.heat >= 1 ? widest : std::max(3, widest / 6);
    size_t total = 0;
    for (int step = 0; step < kMaxTemperatures && cost() > 0; ++step) {
      size_t accepted = 0;
      reach_ = std::max(1, static_cast<int>(reach + 0.5));
      for (size_t m = 0; m < moves; ++m) accepted += try_move(temperature);
      total += moves;
      const double rate = static_cast<double>(accepted) / static_cast<double>(moves);
      // Betz and Rose 1997: cool slowly where about 44 % of the moves are accepted, and keep it there by the reach of moves.
      temperature *= rate > 0.96 ? 0.5 : rate > 0.8 ? 0.9 : rate > 0.15 ? 0.95 : 0.8;
      reach = std::clamp(reach * (1 - 0.44 + rate), 1.0, static_cast<double>(widest));
      if (temperature < 0.005 * static_cast<double>(cost()) / nets || (rate < 0.01 && reach <= 1.0)) break;
    }
    for (size_t m = 0; m < moves; ++m) try_move(0);
    if (stats) {
      stats->wirelength = static_cast<double>(length_) / kUnit;
      stats->moves = total;
      stats->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    return {place_, slots_};
  }

 private:
  std::vector<uint32_t>& occupants(BlockId b) { return netlist_.is_cell(b) ? site_block_ : netlist_.is_input(b) ? in_block_ : out_block_; }

  void put(BlockId b, uint32_t place) {
    place_[b] = place;
    occupants(b)[place] = b;
    at_[b] = netlist_.is_cell(b) ? sites_.at[place] : slot_at_[place];
  }

  std::vector<uint32_t> shuffled(uint32_t n) {
    std::vector<uint32_t> list(n);
    std::iota(list.begin(), list.end(), 0u);
    for (uint32_t i = n; i > 1; --i) std::swap(list[i - 1], list[rng_.below(i)]);
    return list;
  }

  void scatter() {
    std::vector<uint32_t> sites = shuffled(static_cast<uint32_t>(sites_.at.size())), ins = shuffled(slots_), outs = shuffled(slots_);
    for (BlockId b = 0; b < netlist_.blocks(); ++b) {
      std::vector<uint32_t>& free = netlist_.is_cell(b) ? sites : netlist_.is_input(b) ? ins : outs;
      put(b, free.back());
      free.pop_back();
    }
  }

  void collect_nets() {
    std::vector<std::vector<uint32_t>> nets_of(netlist_.blocks());
    first_pin_.push_back(0);
    for (const Net& net : netlist_.nets) {
      if (net.sinks.empty() || net.signal == kConstantSignal) continue;
      std::vector<BlockId> pins = net.sinks;
      pins.push_back(net.driver);
      std::sort(pins.begin(), pins.end());
      pins.erase(std::unique(pins.begin(), pins.end()), pins.end());
      for (const BlockId b : pins) nets_of[b].push_back(static_cast<uint32_t>(weight_.size()));
      pins_.insert(pins_.end(), pins.begin(), pins.end());
      first_pin_.push_back(static_cast<uint32_t>(pins_.size()));
      weight_.push_back(tree_weight(pins.size()));
    }
    for (const auto& nets : nets_of) {
      first_net_.push_back(static_cast<uint32_t>(net_list_.size()));
      net_list_.insert(net_list_.end(), nets.begin(), nets.end());
    }
    first_net_.push_back(static_cast<uint32_t>(net_list_.size()));
    touched_mark_.assign(weight_.size(), 0);
    const Region& region = sites_.region;
    bins_x_ = (region.width + kBin - 1) / kBin;
    for (auto& d : demand_) d.assign(static_cast<size_t>(bins_x_) * static_cast<size_t>((region.height + kBin - 1) / kBin), 0);
    cap_ = static_cast<int64_t>(params_.demand_cap * kBin * kBin * kUnit);
    for (uint32_t n = 0; n < weight_.size(); ++n) {
      box_.push_back(box_of(n));
      charge(n, box_[n], +1);
    }
  }

  Box box_of(uint32_t net) const {
    Box box{1 << 20, 1 << 20, -1, -1};
    for (uint32_t i = first_pin_[net]; i < first_pin_[net + 1]; ++i) {
      const GridPoint p = at_[pins_[i]];
      box = {std::min(box.x0, p.x), std::min(box.y0, p.y), std::max(box.x1, p.x), std::max(box.y1, p.y)};
    }
    return box;
  }

  // Adds (or takes away) a net's length and demand.
  void charge(uint32_t net, const Box& box, int sign) {
    const int across = weight_[net] * (box.x1 - box.x0), down = weight_[net] * (box.y1 - box.y0);
    length_ += sign * (across + down);
    if (cap_ == 0) return;
    const int bx0 = box.x0 / kBin, bx1 = box.x1 / kBin, by0 = box.y0 / kBin, by1 = box.y1 / kBin;
    const int bins = (bx1 - bx0 + 1) * (by1 - by0 + 1);
    const std::array<int, 2> share{sign * (across / bins), sign * (down / bins)};
    for (int by = by0; by <= by1; ++by)
      for (int bx = bx0; bx <= bx1; ++bx)
        for (size_t d = 0; d < 2; ++d) {
          int64_t& demand = demand_[d][static_cast<size_t>(by * bins_x_ + bx)];
          const int64_t before = std::max<int64_t>(0, demand - cap_);
          demand += share[d];
          const int64_t after = std::max<int64_t>(0, demand - cap_);
          overflow_ += after * after - before * before;
        }
  }

  int64_t cost() const { return length_ + static_cast<int64_t>(params_.demand_weight * static_cast<double>(overflow_) / kUnit); }

  uint32_t near(uint32_t at, int size) {
    const int low = std::max(0, static_cast<int>(at) - reach_), high = std::min(size - 1, static_cast<int>(at) + reach_);
    return static_cast<uint32_t>(low) + rng_.below(static_cast<uint32_t>(high - low + 1));
  }

  uint32_t target(BlockId b) {
    if (netlist_.is_cell(b)) {
      const auto columns = static_cast<uint32_t>(sites_.columns);
      const uint32_t x = near(place_[b] % columns, sites_.columns);
      return near(place_[b] / columns, sites_.rows) * columns + x;
    }
    const auto slots = static_cast<int>(slots_);
    const auto span = static_cast<int>(std::min<int64_t>(int64_t{reach_} * slots / (sites_.columns + sites_.rows) + 1, slots / 2));
    const int offset = static_cast<int>(rng_.below(static_cast<uint32_t>(2 * span + 1))) - span;
    return static_cast<uint32_t>((static_cast<int>(place_[b]) + offset + slots) % slots);
  }

  void touch(BlockId b) {
    for (uint32_t i = first_net_[b]; i < first_net_[b + 1]; ++i)
      if (!touched_mark_[net_list_[i]]) {
        touched_mark_[net_list_[i]] = 1;
        touched_.push_back(net_list_[i]);
      }
  }

  void exchange(BlockId a, uint32_t to, BlockId other) {
    const uint32_t from = place_[a];
    occupants(a)[from] = kEmpty;
    put(a, to);
    if (other != kEmpty) put(other, from);
  }

  bool try_move(double temperature) {
    const BlockId block = rng_.below(static_cast<uint32_t>(netlist_.blocks()));
    const uint32_t from = place_[block], to = target(block);
    if (from == to) return false;
    const BlockId other = occupants(block)[to];
    touched_.clear();
    touch(block);
    if (other != kEmpty) touch(other);
    const int64_t before = cost();
    exchange(block, to, other);
    changed_.clear();
    for (const uint32_t n : touched_) {
      touched_mark_[n] = 0;
      const Box box = box_of(n);
      if (box == box_[n]) continue;
      changed_.emplace_back(n, box_[n]);
      charge(n, box_[n], -1);
      charge(n, box, +1);
      box_[n] = box;
    }
    last_delta_ = cost() - before;
    if (last_delta_ <= 0 || (temperature > 0 && rng_.unit() < std::exp(-static_cast<double>(last_delta_) / temperature))) return true;
    for (const auto& [n, box] : changed_) {
      charge(n, box_[n], -1);
      charge(n, box, +1);
      box_[n] = box;
    }
    exchange(block, from, other);
    last_delta_ = 0;
    return false;
  }

  // Spread of the cost changes of random moves.
  double first_temperature() {
    reach_ = std::max(sites_.columns, sites_.rows);
    double sum = 0, squares = 0;
    const auto samples = static_cast<double>(std::max<size_t>(1, netlist_.blocks()));
    for (size_t i = 0; i < netlist_.blocks(); ++i) {
      try_move(1e30);
      sum += static_cast<double>(last_delta_);
      squares += static_cast<double>(last_delta_) * static_cast<double>(last_delta_);
    }
    return std::sqrt(std::max(1.0, squares / samples - (sum / samples) * (sum / samples)));
  }

  const PackedNetlist& netlist_;
  const Sites& sites_;
  const AnnealingParams params_;
  Random rng_;
  uint32_t slots_ = 0;  // places for ports
  std::vector<GridPoint> at_, slot_at_;
  std::vector<uint32_t> place_;                              // site or slot of a block
  std::vector<uint32_t> site_block_, in_block_, out_block_;  // block at a place, or kEmpty
  std::vector<uint32_t> first_pin_, pins_;                   // of nets
  std::vector<uint32_t> first_net_, net_list_;               // of blocks
  std::vector<int> weight_;
  std::vector<Box> box_;
  std::array<std::vector<int64_t>, 2> demand_;  // across and down, of bins
  int bins_x_ = 0;
  int64_t cap_ = 0, length_ = 0, overflow_ = 0, last_delta_ = 0;
  std::vector<std::pair<uint32_t, Box>> changed_;
  std::vector<uint8_t> touched_mark_;
  std::vector<uint32_t> touched_;
  int reach_ = 1;
};

}  // namespace

Sites regular_sites(int columns, int rows, int pitch) {
  Sites sites{columns, rows, {(columns - 1) * pitch + 3, (rows - 1) * pitch + 3}, {}};
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < columns; ++x) sites.at.push_back({1 + x * pitch, 1 + y * pitch});
  return sites;
}

SitePlacement anneal(const PackedNetlist& netlist, const Sites& sites, const AnnealingParams& params, const SitePlacement* start,
                     AnnealingStats* stats) {
  return Annealer(netlist, sites, params, start).run(stats);
}

Placement place_on(const PackedNetlist& netlist, const Sites& sites, const SitePlacement& placement) {
  const Region& r = sites.region;
  if (r.ports() < std::max(netlist.inputs(), netlist.outputs()))
    throw Error("netlist " + netlist.network->name, fmt::format("its ports do not fit a region of {} x {}", r.width, r.height),
                "enlarge the region");
  std::vector<uint8_t> ins(r.ports()), outs(r.ports());
  Placement result{r, {}};
  for (BlockId b = 0; b < netlist.blocks(); ++b) {
    if (netlist.is_cell(b)) {
      const GridPoint p = sites.at[placement.place[b]];
      result.at.push_back(r.cell(p.x, p.y));
      continue;
    }
    std::vector<uint8_t>& taken = netlist.is_input(b) ? ins : outs;
    const uint32_t want = slot_place(r, placement.slots, placement.place[b]), ports = r.ports();
    uint32_t place = want;
    for (uint32_t far = 1; taken[place]; ++far)  // the nearest free one: +1, -1, +2 ...
      place = (want + (far % 2 == 1 ? (far + 1) / 2 : 2 * ports - far / 2)) % ports;
    taken[place] = 1;
    result.at.push_back(port_on_perimeter(r, place));
  }
  return result;
}

}  // namespace bitgrid
