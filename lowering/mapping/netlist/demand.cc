#include "lowering/mapping/netlist/demand.h"

#include <algorithm>
#include <utility>

namespace bitgrid::mapping {

double tree_weight(size_t pins) {
  constexpr std::array<std::pair<double, double>, 9> kTable = {
      {{3, 1}, {4, 1.083}, {6, 1.221}, {10, 1.449}, {15, 1.69}, {20, 1.892}, {30, 2.233}, {50, 2.793}, {100, 4.1}}};
  const auto n = static_cast<double>(pins);
  for (size_t i = 1; i < kTable.size(); ++i) {
    const auto [a, wa] = kTable[i - 1];
    const auto [b, wb] = kTable[i];
    if (n <= a) return wa;
    if (n <= b) return wa + (wb - wa) * (n - a) / (b - a);
  }
  return kTable.back().second;
}

Bins::Bins(const Region& region, int most) : size(std::max(1, (std::max(region.width, region.height) + most - 1) / most)) {
  columns = of(region.width - 1) + 1;
  rows = of(region.height - 1) + 1;
}

DemandMap::DemandMap(const Bins& bins) : bins_(bins), stride_(bins.columns + 1) {
  for (auto& e : edges_) e.resize(stride_ * (bins.rows + 1));
}

void DemandMap::clear() {
  for (auto& e : edges_) std::fill(e.begin(), e.end(), 0.0F);
}

void DemandMap::spread(size_t direction, int x0, int y0, int x1, int y1, float weight, int length) {
  const float edges = weight * static_cast<float>(length);
  if (edges == 0) return;
  const size_t bx0 = bins_.of(x0), bx1 = bins_.of(x1) + 1, by0 = bins_.of(y0), by1 = bins_.of(y1) + 1;
  const float share = edges / static_cast<float>((bx1 - bx0) * (by1 - by0));
  std::vector<float>& e = edges_[direction];
  e[by0 * stride_ + bx0] += share;
  e[by0 * stride_ + bx1] -= share;
  e[by1 * stride_ + bx0] -= share;
  e[by1 * stride_ + bx1] += share;
}

void DemandMap::add(const NetBox& b, float weight) {
  spread(0, b.x, b.y0, b.x1, b.y1, weight, b.x1 - b.x);
  spread(1, b.x0, b.y0, b.x, b.y1, weight, b.x - b.x0);
  spread(2, b.x0, b.y, b.x1, b.y1, weight, b.y1 - b.y);
  spread(3, b.x0, b.y0, b.x1, b.y, weight, b.y - b.y0);
}

void DemandMap::sum() {
  for (auto& e : edges_)
    for (size_t y = 0; y <= bins_.rows; ++y)
      for (size_t x = 0; x <= bins_.columns; ++x) {
        float& f = e[y * stride_ + x];
        if (x > 0) f += e[y * stride_ + x - 1];
        if (y > 0) f += e[(y - 1) * stride_ + x];
        if (x > 0 && y > 0) f -= e[(y - 1) * stride_ + x - 1];
      }
}

}  // namespace bitgrid::mapping
