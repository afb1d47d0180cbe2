#include "lowering/netlist/place_and_route.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "ir/error.h"
#include "lowering/netlist/annealer.h"
#include "lowering/netlist/compaction.h"
#include "lowering/netlist/spread.h"
#include "lowering/netlist/stretch.h"

namespace bitgrid {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSpareSites = 1.05;  // of the logic cells
constexpr int kSparePorts = 4;
constexpr double kHopeless = 0.12;   // overuse, of the wires: such a placement would end up larger than the spread one
constexpr double kPortBound = 1.15;  // border ports over those that are needed
constexpr double kLonger = 0.7;      // of the area of a region that has no more ports than are needed
constexpr double kLong = 1.5;        // a region so much longer than its sites is placed again in its own proportion

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Plan {  // what an effort affords
  double moves_per_block;
  double utilisation;
  int spread_rounds;
  int anneals;  // placements with a charge on crowded places
  double anneal_moves;
  int compact_rounds;
  double compact_work;
};

Plan plan_of(Effort effort) {
  switch (effort) {
    case Effort::kFast:
      return {.moves_per_block = 2,
              .utilisation = 0.5,
              .spread_rounds = 6,
              .anneals = 0,
              .anneal_moves = 0,
              .compact_rounds = 0,
              .compact_work = 0};
    case Effort::kDefault:
      return {.moves_per_block = 6,
              .utilisation = 0.6,
              .spread_rounds = 8,
              .anneals = 2,
              .anneal_moves = 6,
              .compact_rounds = 4,
              .compact_work = 1e6};
    case Effort::kDense:
      return {.moves_per_block = 20,
              .utilisation = 0.6,
              .spread_rounds = 8,
              .anneals = 4,
              .anneal_moves = 20,
              .compact_rounds = 12,
              .compact_work = 4e6};
  }
  return {};
}

std::string edge_text(const Region& region, uint32_t edge) {
  if (edge >= 4 * region.cells()) return fmt::format("border input {}", edge - 4 * region.cells());
  return fmt::format("({}, {}) {}", region.x(edge / 4), region.y(edge / 4), letter(static_cast<Side>(edge % 4)));
}

class PlaceAndRoute {
 public:
  PlaceAndRoute(const PackedNetlist& netlist, const NetlistParams& params, NetlistStats& stats)
      : netlist_(netlist),
        params_(params),
        stats_(stats),
        plan_(plan_of(params.effort)),
        cells_(std::max(1, static_cast<int>(netlist.cells.size()))),
        ports_(static_cast<int>(std::max(netlist.inputs(), netlist.outputs())) + kSparePorts) {
    if (params.utilisation > 0) plan_.utilisation = params.utilisation;
  }

  NetlistLayout run() {
    take(spread());
    for (int i = 0; i < plan_.anneals; ++i) take(annealed(static_cast<uint64_t>(i)));
    if (!best_) give_up();
    if (plan_.compact_rounds > 0) compact_best();
    stats_.wirelength = stats_.attempts.back().wirelength;
    return std::move(*best_);
  }

 private:
  void take(std::optional<NetlistLayout> layout) {
    if (layout && (!best_ || layout->placement.region.cells() < best_->placement.region.cells())) best_ = std::move(layout);
  }

  AnnealingParams annealing(uint64_t variant) const {
    AnnealingParams a;
    a.seed = params_.seed * 1000 + variant;
    a.moves_per_block = plan_.moves_per_block;
    return a;
  }

  std::optional<NetlistLayout> spread() {
    const auto begin = Clock::now();
    SpreadParams spreading;
    spreading.utilisation = plan_.utilisation;
    spreading.ports = ports_;
    double aspect = 1;
    Sites sites;
    SitePlacement placement;
    for (int round = 0; round < 2; ++round) {
      const int columns = std::max(1, static_cast<int>(std::ceil(std::sqrt(cells_ * kSpareSites * aspect))));
      const int rows = std::max(1, static_cast<int>(std::ceil(cells_ * kSpareSites / columns)));
      AnnealingStats annealed;
      placement = anneal(netlist_, regular_sites(columns, rows, 1), annealing(0), nullptr, &annealed);
      wirelength_ = annealed.wirelength;
      Spreader spreader(columns, rows, spreading);
      for (int i = 0; i < plan_.spread_rounds; ++i) {
        sites = spreader.sites();
        if (i >= 2 && i % 2 == 0) {
          AnnealingParams settle = annealing(static_cast<uint64_t>(100 + i));
          settle.heat = 0.1;
          placement = anneal(netlist_, sites, settle, &placement);
        }
        spreader.adapt(netlist_, sites, placement);
      }
      sites = spreader.sites();
      const double now = static_cast<double>(sites.region.width) / sites.region.height;
      if (now < kLong * aspect) break;
      aspect = now;
    }
    return route("spread", place_on(netlist_, sites, placement), since(begin));
  }

  // On a region that the wires of the dense placement, scaled, would use as far as wanted.
  std::optional<NetlistLayout> annealed(uint64_t variant) {
    const auto begin = Clock::now();
    double area = std::pow(wirelength_ / plan_.utilisation, 2) / (16.0 * cells_ * kSpareSites);
    if (best_ && best_->placement.region.ports() < kPortBound * ports_)  // a longer one has as many ports with less area
      area = std::min(area, kLonger * best_->placement.region.cells());
    const double half = ports_ / 2.0 + 1;
    double width = std::sqrt(std::max(area, 4.0 * cells_));
    if (width + area / width < half) width = (half + std::sqrt(std::max(0.0, half * half - 4 * area))) / 2;
    int columns = std::max(1, static_cast<int>(std::ceil(width / 2)));
    const int rows = std::max(1, static_cast<int>(std::ceil(area / width / 2)));
    while (columns * rows < 1.1 * cells_ || 2 * (2 * columns + 2 * rows + 2) < ports_) ++columns;
    const Sites sites = regular_sites(columns, rows, 2);
    AnnealingParams a = annealing(200 + variant);
    a.moves_per_block = plan_.anneal_moves;
    a.demand_cap = 0.6;
    return route("annealed", place_on(netlist_, sites, anneal(netlist_, sites, a)), since(begin));
  }

  std::optional<NetlistLayout> route(const char* method, Placement placement, double place_seconds) {
    const Region first = placement.region;
    NetlistLayout layout{std::move(placement), std::vector<NetRoute>(netlist_.nets.size())};
    StretchParams stretch;
    stretch.seed = params_.seed;
    stretch.max_area = params_.max_area;
    if (best_) {
      stretch.max_cells = best_->placement.region.cells();
      stretch.hopeless = kHopeless;
    }
    StretchStats s;
    const bool closed = route_and_stretch(netlist_, layout, params_.defects, stretch, &s);
    const Region& r = layout.placement.region;
    stats_.attempts.push_back(
        {method, first.width, first.height, r.width, r.height, s.overuse, s.overuse_left, s.wirelength, place_seconds, s.seconds});
    stats_.place_seconds += place_seconds;
    stats_.route_seconds += s.seconds;
    stats_.edge_users = std::move(s.users);
    if (closed) return layout;
    last_ = std::move(layout);
    return std::nullopt;
  }

  void compact_best() {
    CompactionParams c;
    c.seed = params_.seed;
    c.rounds = plan_.compact_rounds;
    c.work_per_cell = plan_.compact_work;
    const Region first = best_->placement.region;
    CompactionStats s;
    compact(netlist_, *best_, params_.defects, c, &s);
    const Region& r = best_->placement.region;
    stats_.attempts.push_back({"compacted", first.width, first.height, r.width, r.height, {}, 0, s.wirelength, 0, s.seconds});
    stats_.route_seconds += s.seconds;
  }

  // The first net on an edge that is still wanted twice, from where to where.
  [[noreturn]] void give_up() {
    const Placement& placement = last_.placement;
    const Region& region = placement.region;
    const std::string where = fmt::format("netlist {}", netlist_.network->name);
    const std::string cure =
        fmt::format("try another --seed or --effort{}; in a program, raise max_area (now {} times the first region) or lower utilisation",
                    params_.defects.cells.empty() && params_.defects.edges.empty() ? "" : ", or fewer defects", params_.max_area);
    Router router(netlist_, last_, DefectMap(params_.defects, region.width, region.height));
    const std::vector<uint32_t> edges = router.overused_edges();
    if (edges.empty()) throw Error(where, "routing did not close", cure);
    const Net& net = netlist_.nets[router.nets_on(edges.front()).front()];
    auto place_text = [&](BlockId b) {
      const uint32_t cell = placement.cell_of(netlist_, b);
      return fmt::format("{} at ({}, {})", block_name(netlist_, b), region.x(cell), region.y(cell));
    };
    throw Error(where,
                fmt::format("net from {} to {} finds no edge of its own at {} in a region of {} x {} ({} edges are wanted twice)",
                            place_text(net.driver), place_text(net.sinks.front()), edge_text(region, edges.front()), region.width,
                            region.height, edges.size()),
                cure);
  }

  const PackedNetlist& netlist_;
  const NetlistParams& params_;
  NetlistStats& stats_;
  Plan plan_;
  const int cells_, ports_;
  double wirelength_ = 0;  // of the dense placement
  std::optional<NetlistLayout> best_;
  NetlistLayout last_;  // that did not close
};

}  // namespace

NetlistLayout place_and_route(const PackedNetlist& netlist, const NetlistParams& params, NetlistStats& stats) {
  return PlaceAndRoute(netlist, params, stats).run();
}

}  // namespace bitgrid
