#include "lowering/mapping/netlist/annealer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/mapping/netlist/demand.h"
#include "lowering/mapping/netlist/random.h"

namespace bitgrid::mapping {
namespace {

constexpr int kMaxTemperatures = 300;
constexpr uint32_t kEmpty = ~uint32_t{0};
constexpr int kMaxBins = 64;      // across
constexpr uint32_t kBigNet = 10;  // pins from which boxes follow the pins that move instead of being rebuilt
constexpr int kUnit = 64;         // of lengths: costs are integers, so they add up exactly in any order

// Pins on each side of a box: while some are left there, pins that leave do not change it.
struct Rim {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

// Place on the perimeter of a slot.
uint32_t slot_place(const Region& region, uint32_t slots, uint32_t slot) {
  return id_of((2 * uint64_t{slot} + 1) * region.ports() / (2 * uint64_t{slots}));
}

class Annealer {
 public:
  Annealer(const PackedNetlist& netlist, const Sites& sites, const AnnealingParams& params, const SitePlacement* start)
      : netlist_(netlist), sites_(sites), params_(params), rng_(params.seed) {
    const Region& region = sites.region;
    slots_ = start ? start->slots : std::max(id_of(std::max(netlist.inputs(), netlist.outputs())), region.ports());
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
    const double blocks = int_of(netlist_.blocks());
    const auto moves = static_cast<size_t>(params_.moves_per_block * std::pow(blocks, 4.0 / 3.0)) + 1;
    const int widest = std::max(sites_.columns, sites_.rows);
    const double nets = std::max(1, count_of(weight_));
    double temperature = params_.heat >= 1 ? first_temperature() : params_.heat * static_cast<double>(cost()) / nets;
    double reach = params_.heat >= 1 ? widest : std::max(3, widest / 6);
    size_t total = 0;
    const size_t refresh = 2 * netlist_.blocks() + 1;
    for (int step = 0; step < kMaxTemperatures && cost() > 0; ++step) {
      size_t accepted = 0;
      reach_ = std::max(1, static_cast<int>(reach + 0.5));
      for (size_t m = 0; m < moves; ++m) {
        if (m % refresh == 0) {
          pass(params_.stop_point);
          set_prices();
        }
        accepted += try_move(temperature);
      }
      total += moves;
      const double rate = static_cast<double>(accepted) / static_cast<double>(moves);
      // Betz and Rose 1997: cool slowly where about 44 % of the moves are accepted, and keep it there by the reach of moves.
      temperature *= rate > 0.96 ? 0.5 : rate > 0.8 ? 0.9 : rate > 0.15 ? 0.95 : 0.8;
      reach = std::clamp<double>(reach * (1 - 0.44 + rate), 1, widest);
      if (temperature < 0.005 * static_cast<double>(cost()) / nets || (rate < 0.01 && reach <= 1.0)) break;
    }
    for (size_t m = 0; m < moves; ++m) try_move(0);
    if (stats) {
      int64_t length = 0;
      for (uint32_t n = 0; n < weight_.size(); ++n) length += int64_t{weight_[n]} * (box_[n].x1 - box_[n].x0 + box_[n].y1 - box_[n].y0);
      stats->wirelength = static_cast<double>(length) / kUnit;
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
    std::vector<uint32_t> sites = shuffled(id_of(sites_.at.size())), ins = shuffled(slots_), outs = shuffled(slots_);
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
      driver_.push_back(net.driver);
      std::sort(pins.begin(), pins.end());
      pins.erase(std::unique(pins.begin(), pins.end()), pins.end());
      for (const BlockId b : pins) nets_of[b].push_back(id_of(weight_.size()));
      pins_.insert(pins_.end(), pins.begin(), pins.end());
      first_pin_.push_back(id_of(pins_.size()));
      weight_.push_back(static_cast<int>(kUnit * tree_weight(pins.size())));
    }
    for (const auto& nets : nets_of) {
      first_net_.push_back(id_of(net_list_.size()));
      net_list_.insert(net_list_.end(), nets.begin(), nets.end());
    }
    first_net_.push_back(id_of(net_list_.size()));
    touched_mark_.assign(weight_.size(), 0);
    set_bins();
    for (uint32_t n = 0; n < weight_.size(); ++n) {
      box_.push_back(box_of(n));
      rim_.push_back(is_big(n) ? rim_of(n, box_[n]) : Rim{});
      net_cost_.push_back(cost_of(n, box_[n]));
      cost_ += net_cost_[n];
    }
    set_prices();
  }

  void set_bins() {
    const Region& region = sites_.region;
    const Bins bins(region, kMaxBins);
    bins_x_ = bins.columns;
    bins_y_ = bins.rows;
    for (int v = 0; v < std::max(region.width, region.height); ++v) bin_of_.push_back(bins.of(v));
    fresh_ = DemandMap(bins);
    demand_.resize(bins_x_ * bins_y_);
    price_sum_.resize((bins_x_ + 1) * (bins_y_ + 1));
    share_.resize(bins_x_ * bins_y_ + 1);
    for (size_t i = 1; i < share_.size(); ++i) share_[i] = 1.0F / (kUnit * static_cast<float>(i));
  }

  NetBox box_of(uint32_t net) const {
    NetBox box{1 << 20, 1 << 20, -1, -1};
    for (uint32_t i = first_pin_[net]; i < first_pin_[net + 1]; ++i) {
      const GridPoint p = at_[pins_[i]];
      box = {std::min(box.x0, p.x), std::min(box.y0, p.y), std::max(box.x1, p.x), std::max(box.y1, p.y)};
    }
    const GridPoint d = at_[driver_[net]];
    box.x = d.x;
    box.y = d.y;
    return box;
  }

  bool is_big(uint32_t net) const { return first_pin_[net + 1] - first_pin_[net] >= kBigNet; }

  Rim rim_of(uint32_t net, const NetBox& box) const {
    Rim rim;
    for (uint32_t i = first_pin_[net]; i < first_pin_[net + 1]; ++i) {
      const GridPoint p = at_[pins_[i]];
      rim.x0 += p.x == box.x0;
      rim.x1 += p.x == box.x1;
      rim.y0 += p.y == box.y0;
      rim.y1 += p.y == box.y1;
    }
    return rim;
  }

  // A pin of the net has come to p.
  static void widen(const GridPoint& p, NetBox& box, Rim& rim) {
    auto low = [](int v, int& edge, int& count) {
      if (v < edge) {
        edge = v;
        count = 0;
      }
      count += v == edge;
    };
    auto high = [](int v, int& edge, int& count) {
      if (v > edge) {
        edge = v;
        count = 0;
      }
      count += v == edge;
    };
    low(p.x, box.x0, rim.x0);
    low(p.y, box.y0, rim.y0);
    high(p.x, box.x1, rim.x1);
    high(p.y, box.y1, rim.y1);
  }

  // A pin of the net has left p; false if the box may be smaller for it.
  static bool narrow(const GridPoint& p, const NetBox& box, Rim& rim) {
    return (p.x != box.x0 || --rim.x0 > 0) & (p.y != box.y0 || --rim.y0 > 0) & (p.x != box.x1 || --rim.x1 > 0) &
           (p.y != box.y1 || --rim.y1 > 0);
  }

  // The box after the blocks of a move have changed places; `who`: 1 and 2 for those that the net has.
  NetBox moved_box(uint32_t net, unsigned who, const std::array<BlockId, 2>& blocks, const std::array<GridPoint, 2>& from, Rim& rim) const {
    if (!is_big(net)) return box_of(net);
    NetBox box = box_[net];
    rim = rim_[net];
    bool sure = true;
    for (size_t i = 0; i < 2; ++i)
      if (who >> i & 1) widen(at_[blocks[i]], box, rim);
    for (size_t i = 0; i < 2; ++i)
      if (who >> i & 1) sure = narrow(from[i], box, rim) && sure;
    if (!sure) {
      box = box_of(net);
      rim = rim_of(net, box);
    }
    const GridPoint d = at_[driver_[net]];
    box.x = d.x;
    box.y = d.y;
    return box;
  }

  // Of a net in this box, at today's prices.
  int64_t cost_of(uint32_t net, const NetBox& box) const {
    const int w = weight_[net];
    if (params_.evenness == 0) return int64_t{w} * (box.x1 - box.x0 + box.y1 - box.y0);
    const float cost =
        part_cost(0, box.x, box.y0, box.x1, box.y1, box.x1 - box.x) + part_cost(1, box.x0, box.y0, box.x, box.y1, box.x - box.x0) +
        part_cost(2, box.x0, box.y, box.x1, box.y1, box.y1 - box.y) + part_cost(3, box.x0, box.y0, box.x1, box.y, box.y - box.y0);
    return static_cast<int64_t>(static_cast<float>(w) * cost);
  }

  // Edges in one direction, spread evenly over a box, at the mean price there.
  float part_cost(size_t direction, int x0, int y0, int x1, int y1, int edges) const {
    if (edges == 0) return 0;
    const size_t bx0 = bin(x0), bx1 = bin(x1) + 1, by0 = bin(y0), by1 = bin(y1) + 1;
    auto sum = [&](size_t bx, size_t by) { return price_sum_[by * (bins_x_ + 1) + bx][direction]; };
    const int32_t price = sum(bx1, by1) - sum(bx1, by0) - sum(bx0, by1) + sum(bx0, by0);
    return static_cast<float>(edges) * static_cast<float>(price) * share_[(bx1 - bx0) * (by1 - by0)];
  }

  size_t bin(int v) const { return bin_of_[index_of(v)]; }

  // Prices follow demand, with some delay.
  void set_prices() {
    if (params_.evenness == 0) return;
    fresh_.clear();
    for (uint32_t n = 0; n < weight_.size(); ++n) fresh_.add(box_[n], static_cast<float>(weight_[n]));
    fresh_.sum();
    double all = 0;
    for (size_t y = 0; y < bins_y_; ++y)
      for (size_t x = 0; x < bins_x_; ++x)
        for (size_t d = 0; d < 4; ++d) {
          float& demand = demand_[y * bins_x_ + x][d];
          demand = has_demand_ ? 0.7F * demand + 0.3F * fresh_.at(d, x, y) : fresh_.at(d, x, y);
          all += demand;
        }
    has_demand_ = true;
    const double mean = all / (4.0 * static_cast<double>(bins_x_ * bins_y_)) + 1e-9;
    for (size_t y = 0; y < bins_y_; ++y) {
      std::array<int32_t, 4> row{};
      for (size_t x = 0; x < bins_x_; ++x)
        for (size_t d = 0; d < 4; ++d) {
          row[d] += static_cast<int32_t>(kUnit * (1 + params_.evenness * demand_[y * bins_x_ + x][d] / mean) / (1 + params_.evenness));
          price_sum_[(y + 1) * (bins_x_ + 1) + x + 1][d] = price_sum_[y * (bins_x_ + 1) + x + 1][d] + row[d];
        }
    }
    cost_ = 0;
    for (uint32_t n = 0; n < weight_.size(); ++n) cost_ += net_cost_[n] = cost_of(n, box_[n]);
  }

  int64_t cost() const { return cost_; }

  uint32_t near(uint32_t at, int size) {
    const int low = std::max(0, int_of(at) - reach_), high = std::min(size - 1, int_of(at) + reach_);
    return id_of(low) + rng_.below(id_of(high - low + 1));
  }

  uint32_t target(BlockId b) {
    if (netlist_.is_cell(b)) {
      const auto columns = id_of(sites_.columns);
      const uint32_t x = near(place_[b] % columns, sites_.columns);
      return near(place_[b] / columns, sites_.rows) * columns + x;
    }
    const auto slots = int_of(slots_);
    const auto span = int_of(std::min<int64_t>(int64_t{reach_} * slots / (sites_.columns + sites_.rows) + 1, slots / 2));
    const int offset = int_of(rng_.below(id_of(2 * span + 1))) - span;
    return id_of((int_of(place_[b]) + offset + slots) % slots);
  }

  void touch(BlockId b, uint8_t who) {
    for (uint32_t i = first_net_[b]; i < first_net_[b + 1]; ++i) {
      if (!touched_mark_[net_list_[i]]) touched_.push_back(net_list_[i]);
      touched_mark_[net_list_[i]] |= who;
    }
  }

  void exchange(BlockId a, uint32_t to, BlockId other) {
    const uint32_t from = place_[a];
    occupants(a)[from] = kEmpty;
    put(a, to);
    if (other != kEmpty) put(other, from);
  }

  bool try_move(double temperature) {
    const BlockId block = rng_.below(id_of(netlist_.blocks()));
    const uint32_t from = place_[block], to = target(block);
    if (from == to) return false;
    const BlockId other = occupants(block)[to];
    touched_.clear();
    touch(block, 1);
    if (other != kEmpty) touch(other, 2);
    const std::array<BlockId, 2> blocks{block, other};
    const std::array<GridPoint, 2> places{at_[block], other != kEmpty ? at_[other] : GridPoint{}};
    exchange(block, to, other);
    changed_.clear();
    int64_t delta = 0;
    for (const uint32_t n : touched_) {
      Rim rim;
      const NetBox box = moved_box(n, std::exchange(touched_mark_[n], uint8_t{0}), blocks, places, rim);
      const bool same = box == box_[n];
      if (same && !is_big(n)) continue;
      const int64_t cost = same ? net_cost_[n] : cost_of(n, box);
      delta += cost - net_cost_[n];
      changed_.push_back({n, box, rim, cost});
    }
    last_delta_ = delta;
    if (delta <= 0 || (temperature > 0 && rng_.unit() < std::exp(-static_cast<double>(delta) / temperature))) {
      for (const Change& c : changed_) {
        box_[c.net] = c.box;
        if (is_big(c.net)) rim_[c.net] = c.rim;
        net_cost_[c.net] = c.cost;
      }
      cost_ += delta;
      return true;
    }
    exchange(block, from, other);
    last_delta_ = 0;
    return false;
  }

  // Spread of the cost changes of random moves.
  double first_temperature() {
    reach_ = std::max(sites_.columns, sites_.rows);
    double sum = 0, squares = 0;
    const double samples = std::max(1, int_of(netlist_.blocks()));
    for (size_t i = 0; i < netlist_.blocks(); ++i) {
      try_move(1e30);
      const auto delta = static_cast<double>(last_delta_);
      sum += delta;
      squares += delta * delta;
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
  std::vector<NetBox> box_;
  std::vector<Rim> rim_;  // of big nets
  DemandMap fresh_;
  std::vector<std::array<float, 4>> demand_;       // E, W, S, N, of bins
  std::vector<std::array<int32_t, 4>> price_sum_;  // of the bins above and left
  std::vector<float> share_;                       // of each of so many bins, in lengths
  bool has_demand_ = false;
  std::vector<BlockId> driver_;  // of nets
  std::vector<size_t> bin_of_;
  std::vector<int64_t> net_cost_;
  size_t bins_x_ = 0, bins_y_ = 0;
  int64_t cost_ = 0, last_delta_ = 0;
  struct Change {
    uint32_t net;
    NetBox box;
    Rim rim;
    int64_t cost;
  };
  std::vector<Change> changed_;
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

void stretch_sites(Sites& sites, const Region& region) {
  sites.region = region;
  for (int y = 0; y < sites.rows; ++y)
    for (int x = 0; x < sites.columns; ++x)
      sites.at[index_of(y * sites.columns + x)] = {1 + (2 * x + 1) * (region.width - 2) / (2 * sites.columns),
                                                   1 + (2 * y + 1) * (region.height - 2) / (2 * sites.rows)};
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

}  // namespace bitgrid::mapping
