#include "lowering/mapping/netlist/place_and_route.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "ir/elapsed.h"
#include "ir/error.h"
#include "ir/index.h"
#include "lowering/mapping/netlist/annealer.h"
#include "lowering/mapping/netlist/compaction.h"
#include "lowering/mapping/netlist/density_spreading.h"
#include "lowering/mapping/netlist/region_expansion.h"

namespace bitgrid::mapping {
namespace {

constexpr double kSpareSites = 1.05;  // of the logic cells
constexpr int kSparePorts = 4;
constexpr double kHopeless = 0.12;   // overuse, of the wires: such a placement would end up larger than the best
constexpr double kLong = 1.3;        // a region so much longer than its sites is placed again in its own proportion
constexpr double kPortBound = 1.6;   // border ports over those that are needed, below which these decide where cells go
constexpr double kLooseSites = 2.5;  // of the logic cells, where ports decide
constexpr double kLeastArea = 5;     // cells of a region, of the logic cells
constexpr double kGlance = 0.2;      // moves per block of the placement that tells how large a region is needed
constexpr double kLook = 0.5;        // of the moves, in placements that measure a region,
constexpr int kRegionRounds = 4;     // at most
constexpr double kLoose = 1.25;      // of the utilisation, on loose sites
constexpr double kEvenness = 1.5;    // AnnealingParams::evenness
constexpr double kReheat = 0.1;      // of a placement whose sites have moved,
constexpr double kReheatMoves = 0.5;
constexpr double kReheatEvenness = 4;
constexpr double kRetry = 0.8;  // of the utilisation, after a placement that did not close
constexpr int kPlacementRetries = 3;

struct Plan {  // what an effort affords
  double moves_per_block;
  double utilisation;  // of the edges where most are wanted, by the estimate of lengths
  bool hasty;          // new lines as soon as negotiation slows down
  int placements;
  int compact_rounds;
  double compact_work;
};

Plan plan_of(Effort effort) {
  switch (effort) {
    case Effort::kFast:
      return {.moves_per_block = 0.6, .utilisation = 0.65, .hasty = true, .placements = 1, .compact_rounds = 0, .compact_work = 0};
    case Effort::kDefault:
      return {.moves_per_block = 6, .utilisation = 0.8, .hasty = false, .placements = 3, .compact_rounds = 4, .compact_work = 1e6};
    case Effort::kDense:
      return {.moves_per_block = 20, .utilisation = 0.8, .hasty = false, .placements = 5, .compact_rounds = 12, .compact_work = 4e6};
  }
  return {};
}

int rounded_up(double cells) {
  return static_cast<int>(std::ceil(cells));
}

/// Of width to height.
double proportion(const Region& region) {
  return static_cast<double>(region.width) / region.height;
}

std::string edge_text(const Region& region, uint32_t edge) {
  if (edge >= 4 * region.cells()) return fmt::format("border input {}", edge - 4 * region.cells());
  return fmt::format("({}, {}) {}", region.x(edge / 4), region.y(edge / 4), letter(edge_side(edge)));
}

class PlaceAndRoute {
 public:
  PlaceAndRoute(const PackedNetlist& netlist, const NetlistParams& params, NetlistStats& stats)
      : netlist_(netlist),
        params_(params),
        stats_(stats),
        plan_(plan_of(params.effort)),
        cells_(std::max(1, count_of(netlist.cells))),
        ports_(int_of(std::max(netlist.inputs(), netlist.outputs())) + kSparePorts) {
    if (params.utilisation > 0) plan_.utilisation = params.utilisation;
  }

  NetlistLayout run() {
    const Region first = first_region(plan_.utilisation);
    for (int i = 0; i < plan_.placements; ++i) take(placed(first, static_cast<uint64_t>(i), plan_.utilisation));
    double utilisation = plan_.utilisation;
    const int retries = params_.utilisation > 0 ? 0 : kPlacementRetries;
    for (int i = 0; i < retries && !best_; ++i) take(placed(first, 0, utilisation *= kRetry));
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
    a.stop_point = params_.stop_point;
    return a;
  }

  // Dense sites in a proportion of width to height.
  Sites dense_sites(double aspect) const {
    const int columns = std::max(1, int_of(std::lround(std::sqrt(cells_ * kSpareSites * aspect))));
    const int rows = std::max(1, rounded_up(cells_ * kSpareSites / columns));
    return regular_sites(columns, rows, 1);
  }

  // More sites than cells, so that cells can go where their ports are, but none close to each other.
  Sites loose_sites(const Region& region) const {
    const double pitch = std::max(1.5, std::sqrt(region.cells() / (kLooseSites * cells_)));
    auto count = [&](int size) { return std::max(1, static_cast<int>((size - 2) / pitch)); };
    int columns = count(region.width), rows = count(region.height);
    while (columns * rows < cells_) ++(columns * region.height <= rows * region.width ? columns : rows);
    Sites sites = regular_sites(columns, rows, 1);
    stretch_sites(sites, region);
    return sites;
  }

  // A region of this size; longer where the ports need it.
  Region region_of(double area, double aspect) const {
    area = std::max(area, kLeastArea * cells_);
    const double half = ports_ / 2.0;
    double width = std::sqrt(area * aspect);
    if (width + area / width < half) width = (half + std::sqrt(std::max(0.0, half * half - 4 * area))) / 2;
    Region r{rounded_up(width) + 2, std::max(6, rounded_up(area / width) + 2)};
    while (int_of(r.ports()) < ports_) ++r.width;
    return r;
  }

  // As large as a placement wants it.
  double area_for(const Sites& sites, const SitePlacement& placement, double utilisation) const {
    SpreadingParams w;
    w.utilisation = utilisation;
    return wanted_cells(netlist_, place_on(netlist_, sites, placement), w);
  }

  // The same proportion, with a border for all ports.
  Region with_ports(const Region& region) const {
    const double scale = std::max(1.0, static_cast<double>(ports_) / region.ports());
    return {rounded_up(scale * region.width), rounded_up(scale * region.height)};
  }

  bool ports_decide(const Region& region) const { return region.ports() < kPortBound * ports_; }

  // A quick placement says how large a region is needed; longer than wide where there are many ports for little logic.
  Region first_region(double utilisation) const {
    double aspect = 1;
    for (;;) {
      Sites sites = dense_sites(aspect);
      AnnealingParams a = annealing(0);
      a.moves_per_block = kGlance;
      const SitePlacement placement = anneal(netlist_, sites, a);
      stretch_sites(sites, with_ports(sites.region));
      const Region r = region_of(area_for(sites, placement, utilisation), aspect);
      const double now = proportion(r);
      if (ports_decide(r) || now < kLong * aspect) return r;
      aspect = now;
    }
  }

  // Sites and what is on them, annealed for short and even wires, in a region as large as the wires need it.
  Placement annealed(Region region, uint64_t variant, double utilisation) const {
    AnnealingParams a = annealing(100 + variant);
    a.evenness = kEvenness;
    if (!ports_decide(region)) {
      Sites sites = dense_sites(proportion(region));
      SitePlacement placement = anneal(netlist_, sites, a);
      stretch_sites(sites, with_ports(sites.region));
      region = region_of(area_for(sites, placement, utilisation), proportion(region));
      region.width = std::max(region.width, sites.columns + 2);
      region.height = std::max(region.height, sites.rows + 2);
      if (!ports_decide(region)) {
        spread_sites(netlist_, sites, placement, region);
        a.heat = kReheat;
        a.evenness = kReheatEvenness;
        a.moves_per_block *= kReheatMoves;
        return place_on(netlist_, sites, anneal(netlist_, sites, a, &placement));
      }
    }
    // The ports have most of the wire, and dense sites do not show where they are.
    utilisation *= kLoose;
    for (int round = 0; round < kRegionRounds; ++round) {
      a.moves_per_block = kLook * plan_.moves_per_block;
      const Sites sites = loose_sites(region);
      const Region next = region_of(area_for(sites, anneal(netlist_, sites, a), utilisation), 1);  // no longer than its ports are
      const bool steady =
          std::abs(next.width - region.width) < 0.15 * region.width && std::abs(next.height - region.height) < 0.15 * region.height;
      region = next;
      if (steady) break;
    }
    Sites sites = loose_sites(region);
    a.moves_per_block = plan_.moves_per_block;
    return place_on(netlist_, sites, anneal(netlist_, sites, a));
  }

  std::optional<NetlistLayout> placed(const Region& first, uint64_t variant, double utilisation) {
    const auto begin = Clock::now();
    Placement placement = annealed(first, variant, utilisation);
    return route("placed", std::move(placement), since(begin));
  }

  std::optional<NetlistLayout> route(const char* method, Placement placement, double place_seconds) {
    const Region first = placement.region;
    NetlistLayout layout{std::move(placement), std::vector<NetRoute>(netlist_.nets.size())};
    ExpansionParams stretch;
    stretch.seed = params_.seed;
    stretch.max_area = params_.max_area;
    stretch.negotiation.stop_point = params_.stop_point;
    if (plan_.hasty) {
      stretch.most_lines = 0.08;
      stretch.repair_limit = 0.005;
      stretch.negotiation.gain = 0.2;
      stretch.negotiation.whole_nets = 2;
    }
    if (best_) {
      stretch.max_cells = best_->placement.region.cells();
      stretch.hopeless = kHopeless;
    }
    ExpansionStats s;
    const bool closed = route_and_expand(netlist_, layout, params_.defects, stretch, &s);
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
    c.negotiation.stop_point = params_.stop_point;
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
                fmt::format("net from {} to {} cannot find a free edge at {} in a region of {} x {} ({} edges are overused)",
                            place_text(net.driver), place_text(net.sinks.front()), edge_text(region, edges.front()), region.width,
                            region.height, edges.size()),
                cure);
  }

  const PackedNetlist& netlist_;
  const NetlistParams& params_;
  NetlistStats& stats_;
  Plan plan_;
  const int cells_, ports_;
  std::optional<NetlistLayout> best_;
  NetlistLayout last_;  // that did not close
};

}  // namespace

NetlistLayout place_and_route(const PackedNetlist& netlist, const NetlistParams& params, NetlistStats& stats) {
  return PlaceAndRoute(netlist, params, stats).run();
}

}  // namespace bitgrid::mapping
