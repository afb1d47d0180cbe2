#include "lowering/mapping/netlist/density_spreading.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/index.h"
#include "lowering/mapping/netlist/demand.h"

namespace bitgrid::mapping {
namespace {

constexpr double kLeast = 0.1;  // of the mean: no part shrinks further
constexpr double kEven = 0.02;  // largest difference from the mean, where the flow ends
constexpr double kStep = 0.2;   // of time; explicit diffusion is stable up to 0.25
constexpr int kMaxSteps = 10000;

using Field = std::vector<double>;

// Values on a lattice of columns x rows.
double interpolated(const Field& f, size_t columns, size_t rows, double x, double y) {
  x = std::clamp<double>(x, 0, int_of(columns) - 1);
  y = std::clamp<double>(y, 0, int_of(rows) - 1);
  const size_t ix = std::min(columns < 2 ? 0 : columns - 2, static_cast<size_t>(x)),
               iy = std::min(rows < 2 ? 0 : rows - 2, static_cast<size_t>(y));
  const size_t right = columns > 1 ? 1 : 0, down = rows > 1 ? columns : 0, o = iy * columns + ix;
  const double fx = x - int_of(ix), fy = y - int_of(iy);
  return (1 - fy) * ((1 - fx) * f[o] + fx * f[o + right]) + fy * ((1 - fx) * f[o + down] + fx * f[o + down + right]);
}

double cells_in(const Region& r, const Bins& bins, size_t bx, size_t by) {
  auto length = [&](int all, size_t b) { return std::min(bins.size, all - int_of(b) * bins.size); };
  return length(r.width, bx) * length(r.height, by);
}

// Area that each bin wants, over its own.
Field wanted(const PackedNetlist& netlist, const Placement& placement, const SpreadingParams& params, const Bins& bins) {
  const Region& r = placement.region;
  DemandMap demand(bins);
  for (const Net& net : netlist.nets) {
    if (net.sinks.empty() || net.signal == kConstantSignal) continue;
    const uint32_t from = placement.cell_of(netlist, net.driver);
    NetBox box{r.x(from), r.y(from), r.x(from), r.y(from), r.x(from), r.y(from)};
    for (const BlockId b : net.sinks) {
      const uint32_t to = placement.cell_of(netlist, b);
      box.x0 = std::min(box.x0, r.x(to));
      box.x1 = std::max(box.x1, r.x(to));
      box.y0 = std::min(box.y0, r.y(to));
      box.y1 = std::max(box.y1, r.y(to));
    }
    demand.add(box, static_cast<float>(tree_weight(net.sinks.size() + 1)));
  }
  demand.sum();
  Field logic(bins.columns * bins.rows);
  for (BlockId b = 0; b < netlist.cells.size(); ++b)
    logic[bins.of(r.y(placement.at[b])) * bins.columns + bins.of(r.x(placement.at[b]))] += 1;
  Field want(logic.size());
  for (size_t y = 0; y < bins.rows; ++y)
    for (size_t x = 0; x < bins.columns; ++x) {
      const double across = std::max(demand.at(0, x, y), demand.at(1, x, y));
      const double down = std::max(demand.at(2, x, y), demand.at(3, x, y));
      const double cells = cells_in(r, bins, x, y);
      const double scale = (across + down) / 2 / (cells * params.utilisation);  // it grows alike in both directions
      want[y * bins.columns + x] = std::max(params.least_area * logic[y * bins.columns + x] / cells, scale * scale);
    }
  return want;
}

double sum_of(const Field& f) {
  double sum = 0;
  for (const double v : f) sum += v;
  return sum;
}

// Neighbours weigh half; the border repeats.
void smooth(Field& f, const Bins& bins) {
  auto pass = [&](size_t lines, size_t line_stride, size_t length, size_t stride) {
    for (size_t l = 0; l < lines; ++l) {
      double before = f[l * line_stride];
      for (size_t i = 0; i < length; ++i) {
        double& v = f[l * line_stride + i * stride];
        const double after = i + 1 < length ? f[l * line_stride + (i + 1) * stride] : v;
        const double mean = (before + 2 * v + after) / 4;
        before = std::exchange(v, mean);
      }
    }
  };
  pass(bins.rows, bins.columns, bins.columns, 1);
  pass(bins.columns, 1, bins.rows, bins.columns);
}

// Where corners of bins go when density flows, as by diffusion, until it is even. Nothing flows across the border.
class Flow {
 public:
  Flow(Field density, const Bins& bins)
      : columns_(bins.columns),
        rows_(bins.rows),
        density_(std::move(density)),
        next_(density_.size()),
        east_((columns_ + 1) * rows_),
        south_(columns_ * (rows_ + 1)) {
    for (int y = 0; y <= int_of(rows_); ++y)
      for (int x = 0; x <= int_of(columns_); ++x) {
        x_.push_back(x);
        y_.push_back(y);
      }
    const double mean = sum_of(density_) / count_of(density_);
    auto uneven = [&] {
      return std::any_of(density_.begin(), density_.end(), [&](double d) { return std::abs(d - mean) > kEven * mean; });
    };
    for (int step = 0; step < kMaxSteps && uneven(); ++step) {
      set_speeds();
      carry_corners();
      diffuse();
    }
  }

  /// A place, in bins, afterwards.
  std::pair<double, double> operator()(double x, double y) const {
    return {interpolated(x_, columns_ + 1, rows_ + 1, x, y), interpolated(y_, columns_ + 1, rows_ + 1, x, y)};
  }

 private:
  double& density(size_t x, size_t y) { return density_[y * columns_ + x]; }

  // At the sides of bins: the gradient over the density.
  void set_speeds() {
    for (size_t y = 0; y < rows_; ++y)
      for (size_t x = 1; x < columns_; ++x) {
        const double a = density(x - 1, y), b = density(x, y);
        east_[y * (columns_ + 1) + x] = 2 * (a - b) / (a + b);
      }
    for (size_t y = 1; y < rows_; ++y)
      for (size_t x = 0; x < columns_; ++x) {
        const double a = density(x, y - 1), b = density(x, y);
        south_[y * columns_ + x] = 2 * (a - b) / (a + b);
      }
  }

  void carry_corners() {
    for (size_t i = 0; i < x_.size(); ++i) {
      const double x = x_[i], y = y_[i];
      x_[i] += kStep * interpolated(east_, columns_ + 1, rows_, x, y - 0.5);
      y_[i] += kStep * interpolated(south_, columns_, rows_ + 1, x - 0.5, y);
    }
  }

  void diffuse() {
    for (size_t y = 0; y < rows_; ++y)
      for (size_t x = 0; x < columns_; ++x) {
        const double here = density(x, y);
        double flow = 0;
        if (x > 0) flow += density(x - 1, y) - here;
        if (x + 1 < columns_) flow += density(x + 1, y) - here;
        if (y > 0) flow += density(x, y - 1) - here;
        if (y + 1 < rows_) flow += density(x, y + 1) - here;
        next_[y * columns_ + x] = here + kStep * flow;
      }
    std::swap(density_, next_);
  }

  size_t columns_, rows_;
  Field density_, next_;
  Field east_, south_;  // speeds through the west sides and north sides of bins
  Field x_, y_;         // of corners
};

// The free cell, off the border, that is nearest to a place.
GridPoint free_near(const Region& region, const std::vector<uint8_t>& taken, double x, double y) {
  const int cx = std::clamp(static_cast<int>(x), 1, region.width - 2), cy = std::clamp(static_cast<int>(y), 1, region.height - 2);
  for (int far = 0;; ++far) {
    GridPoint best{-1, -1};
    double nearest = 4.0 * far + 4;
    for (int v = std::max(1, cy - far); v <= std::min(region.height - 2, cy + far); ++v)
      for (int u = std::max(1, cx - far); u <= std::min(region.width - 2, cx + far); ++u) {
        const double distance = std::abs(u + 0.5 - x) + std::abs(v + 0.5 - y);
        if (taken[region.cell(u, v)] || distance >= nearest) continue;
        nearest = distance;
        best = {u, v};
      }
    if (best.x >= 0) return best;
  }
}

}  // namespace

double wanted_cells(const PackedNetlist& netlist, const Placement& placement, const SpreadingParams& params) {
  const Bins bins(placement.region, params.bins);
  const Field want = wanted(netlist, placement, params, bins);
  double cells = 0;
  for (size_t y = 0; y < bins.rows; ++y)
    for (size_t x = 0; x < bins.columns; ++x) cells += want[y * bins.columns + x] * cells_in(placement.region, bins, x, y);
  return cells;
}

void spread_sites(const PackedNetlist& netlist, Sites& sites, const SitePlacement& placement, const Region& to,
                  const SpreadingParams& params) {
  // A region of whole bins, with room for every site and port.
  const int most = std::max(sites.columns, sites.rows);
  auto bins_across = [&](int count) { return std::max(2, (params.bins * count + most - 1) / most); };
  const int columns = bins_across(sites.columns), rows = bins_across(sites.rows);
  int size = (most + 2 + params.bins - 1) / params.bins;
  while (index_of(2 * size * (columns + rows)) < std::max(netlist.inputs(), netlist.outputs())) ++size;
  const Region from{columns * size, rows * size};
  stretch_sites(sites, from);
  Bins bins;
  bins.columns = index_of(columns);
  bins.rows = index_of(rows);
  bins.size = size;
  Field density = wanted(netlist, place_on(netlist, sites, placement), params, bins);
  smooth(density, bins);
  const double mean = sum_of(density) / count_of(density);
  for (double& d : density) d = std::pow(std::max(d / mean, kLeast), params.strength);
  const Flow flow(std::move(density), bins);
  std::vector<uint8_t> taken(to.cells());
  for (GridPoint& at : sites.at) {
    const auto [x, y] = flow((at.x + 0.5) / size, (at.y + 0.5) / size);
    at = free_near(to, taken, x * to.width / columns, y * to.height / rows);
    taken[to.cell(at.x, at.y)] = 1;
  }
  sites.region = to;
}

}  // namespace bitgrid::mapping
