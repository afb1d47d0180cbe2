#include "lowering/mapping/netlist/compaction.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "ir/index.h"
#include "lowering/mapping/netlist/router.h"

namespace bitgrid::mapping {
namespace {

constexpr double kOveruse = 40;  // energy of an overused edge, in edges of wire

class Compactor {
 public:
  Compactor(const PackedNetlist& netlist, NetlistLayout& layout, const Defects& defects, const CompactionParams& params,
            CompactionStats& stats)
      : netlist_(netlist), layout_(layout), defects_(defects), params_(params), stats_(stats), random_(params.seed) {}

  void run() {
    for (int round = 0; round < params_.rounds; ++round) {
      shorten(params_.heat * (1.0 - static_cast<double>(round) / params_.rounds));
      bool any = false;
      while (int_of(remove_one(true)) | int_of(remove_one(false))) any = true;
      if ((!any && round > 1) || work_ > most_work()) break;
    }
    shorten(0);
  }

 private:
  double most_work() const { return params_.work_per_cell * count_of(netlist_.cells); }
  DefectMap defect_map() const { return {defects_, layout_.placement.region.width, layout_.placement.region.height}; }

  // Annealing on wire length; a layout with overuse at the end is thrown away.
  void shorten(double heat) {
    const NetlistLayout before = layout_;
    const DefectMap defects = defect_map();
    Router router(netlist_, layout_, defects, params_.prices);
    router.set_present_price(8);
    LiveMoves moves(netlist_, layout_, router, defects, random_);
    const auto count = static_cast<int>(params_.moves_per_block * int_of(netlist_.blocks()));
    const size_t wires = router.wirelength();
    for (int i = 0; i < count && work_ + static_cast<double>(router.work()) < most_work(); ++i) {
      const BlockId block = random_.below(id_of(netlist_.blocks()));
      const uint32_t to = moves.place_near(block, 1 + int_of(random_.below(3)));
      if (to == kNowhere) continue;
      ++stats_.moves;
      const double now = heat * std::max(0.0, 1.0 - 1.2 * i / count);
      stats_.accepted += moves.try_move(block, to, now / kOveruse, 1 / kOveruse);
    }
    if (router.overuse() > 0) {
      NegotiationParams negotiation = params_.negotiation;
      negotiate(netlist_, router, negotiation);
      if (router.overuse() > 0) repair(netlist_, layout_, router, defects, params_.repair, random_);
    }
    work_ += static_cast<double>(router.work());
    stats_.wirelength = router.wirelength();
    if (router.overuse() > 0 || router.wirelength() > wires) layout_ = before;
  }

  // How much would have to be routed again without the line.
  std::vector<int> burden(bool columns) const {
    const Region& r = layout_.placement.region;
    std::vector<int> cost(index_of(columns ? r.width : r.height));
    auto line = [&](uint32_t cell) { return index_of(columns ? r.x(cell) : r.y(cell)); };
    for (BlockId b = 0; b < netlist_.blocks(); ++b) cost[line(layout_.placement.cell_of(netlist_, b))] += 6;
    for (const NetRoute& route : layout_.routes)
      for (const RouteHop& h : route.hops) {
        if (h.edge >= 4 * r.cells()) continue;
        const auto side = edge_side(h.edge);
        if (columns ? side == Side::N || side == Side::S : side == Side::E || side == Side::W) ++cost[line(h.edge / 4)];
      }
    return cost;
  }

  bool remove_one(bool columns) {
    const std::vector<int> cost = burden(columns);
    std::vector<std::pair<int, int>> order;
    for (int i = 1; i + 1 < count_of(cost); ++i) order.emplace_back(cost[index_of(i)], i);
    std::sort(order.begin(), order.end());
    int tried = 0;
    for (const auto& [weight, line] : order) {
      if (tried++ == params_.candidates || work_ > most_work()) break;
      if (remove(columns, line)) return true;
    }
    return false;
  }

  bool remove(bool columns, int line) {
    ++stats_.tried;
    NetlistLayout trial = layout_;
    if (!remove_line(netlist_, trial, columns, line)) return false;
    const DefectMap defects(defects_, trial.placement.region.width, trial.placement.region.height);
    avoid_bad_cells(netlist_, trial, defects);
    Router router(netlist_, trial, defects, params_.prices);
    NegotiationParams negotiation = params_.negotiation;
    int left = negotiate(netlist_, router, negotiation);
    if (left > 0 && left <= params_.repair_limit * count_of(netlist_.cells) + 2)
      left = repair(netlist_, trial, router, defects, params_.repair, random_);
    work_ += static_cast<double>(router.work());
    if (left > 0) return false;
    stats_.wirelength = router.wirelength();
    layout_ = std::move(trial);
    ++stats_.removed;
    return true;
  }

  const PackedNetlist& netlist_;
  NetlistLayout& layout_;
  const Defects& defects_;
  const CompactionParams& params_;
  CompactionStats& stats_;
  Random random_;
  double work_ = 0;
};

}  // namespace

void compact(const PackedNetlist& netlist, NetlistLayout& layout, const Defects& defects, const CompactionParams& params,
             CompactionStats* stats) {
  const auto begin = std::chrono::steady_clock::now();
  CompactionStats local;
  CompactionStats& out = stats ? *stats : local;
  Compactor(netlist, layout, defects, params, out).run();
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace bitgrid::mapping
