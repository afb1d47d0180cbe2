#include "lowering/netlist/spread.h"

#include "lowering/netlist/negotiation.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace bitgrid {
namespace {

constexpr int kPitch = 2;       // of the columns and rows that sites may be on
constexpr int kWindow = 4;      // half the window, in cells, in which use is measured
constexpr double kFirst = 2.5;  // area of a site before anything is known, in least areas

struct Rectangle {
  double x0, y0, x1, y1;
};

// Lays sites out on columns x rows places.
class Bisection {
 public:
  Bisection(int site_columns, const std::vector<double>& area, int columns, int rows)
      : site_columns_(static_cast<uint32_t>(site_columns)),
        area_(area),
        columns_(columns),
        rows_(rows),
        taken_(static_cast<size_t>(columns) * static_cast<size_t>(rows)),
        at_(area.size()) {}

  std::vector<GridPoint> run() {
    std::vector<uint32_t> sites(area_.size());
    std::iota(sites.begin(), sites.end(), 0u);
    split(sites.data(), sites.data() + sites.size(), {0, 0, static_cast<double>(columns_), static_cast<double>(rows_)});
    return at_;
  }

 private:
  void split(uint32_t* begin, uint32_t* end, const Rectangle& box) {
    if (end - begin == 1) {
      at_[*begin] = free_place(static_cast<int>((box.x0 + box.x1) / 2), static_cast<int>((box.y0 + box.y1) / 2));
      return;
    }
    const bool by_x = box.x1 - box.x0 >= box.y1 - box.y0;
    auto key = [&](uint32_t s) {
      const uint32_t x = s % site_columns_, y = s / site_columns_;
      return by_x ? std::pair(x, y) : std::pair(y, x);
    };
    std::sort(begin, end, [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
    double all = 0, left = 0;
    for (const uint32_t* s = begin; s != end; ++s) all += area_[*s];
    uint32_t* middle = begin;
    while (middle != end - 1 && left + area_[*middle] / 2 < all / 2) left += area_[*middle++];
    if (middle == begin) left += area_[*middle++];
    Rectangle low = box, high = box;
    if (by_x)
      low.x1 = high.x0 = box.x0 + (box.x1 - box.x0) * left / all;
    else
      low.y1 = high.y0 = box.y0 + (box.y1 - box.y0) * left / all;
    split(begin, middle, low);
    split(middle, end, high);
  }

  GridPoint free_place(int x, int y) {
    for (int far = 0;; ++far)
      for (int oy = -far; oy <= far; ++oy)
        for (int ox = -far; ox <= far; ox += std::abs(oy) == far ? 1 : 2 * far) {
          const int px = x + ox, py = y + oy;
          if (px < 0 || py < 0 || px >= columns_ || py >= rows_) continue;
          uint8_t& taken = taken_[static_cast<size_t>(py * columns_ + px)];
          if (taken) continue;
          taken = 1;
          return {1 + px * kPitch, 1 + py * kPitch};
        }
  }

  const uint32_t site_columns_;
  const std::vector<double>& area_;
  const int columns_, rows_;
  std::vector<uint8_t> taken_;
  std::vector<GridPoint> at_;
};

}  // namespace

Spreader::Spreader(int columns, int rows, const SpreadParams& params)
    : columns_(columns),
      rows_(rows),
      params_(params),
      area_(static_cast<size_t>(columns) * static_cast<size_t>(rows), kFirst * params.least_area) {}

// As long as wide sites are, but longer if the ports need it.
Region Spreader::region() const {
  const double area = std::accumulate(area_.begin(), area_.end(), 0.0);
  const double half = params_.ports / 2.0 + 1;
  double width = std::sqrt(area * columns_ / rows_);
  if (width + area / width < half) width = (half + std::sqrt(std::max(0.0, half * half - 4 * area))) / 2;
  Region r;
  r.width = std::max(1, static_cast<int>(std::ceil(width / kPitch))) * kPitch + 1;
  r.height = std::max(1, static_cast<int>(std::ceil(area / width / kPitch))) * kPitch + 1;
  while (static_cast<int>(r.ports()) < params_.ports) r.width += kPitch;
  return r;
}

Sites Spreader::sites() const {
  Region r = region();
  while (static_cast<size_t>(r.width / kPitch) * static_cast<size_t>(r.height / kPitch) < area_.size())
    (r.width <= r.height ? r.width : r.height) += kPitch;
  return {columns_, rows_, r, Bisection(columns_, area_, r.width / kPitch, r.height / kPitch).run()};
}

void Spreader::adapt(const PackedNetlist& netlist, const Sites& sites, const SitePlacement& placement) {
  NetlistLayout layout{place_on(netlist, sites, placement), std::vector<NetRoute>(netlist.nets.size())};
  const Region& r = sites.region;
  Router router(netlist, layout, DefectMap(), params_.prices);
  NegotiationParams negotiation{.iterations = params_.iterations, .present_growth = 1.5};
  negotiate(netlist, router, negotiation);
  std::vector<int> sum(static_cast<size_t>(r.width + 1) * static_cast<size_t>(r.height + 1));  // of uses above and left
  auto at = [&](int x, int y) -> int& { return sum[static_cast<size_t>(y * (r.width + 1) + x)]; };
  for (int y = 0; y < r.height; ++y)
    for (int x = 0; x < r.width; ++x) {
      int used = 0;
      for (uint32_t s = 0; s < 4; ++s) used += router.users()[4 * r.cell(x, y) + s];
      at(x + 1, y + 1) = used + at(x, y + 1) + at(x + 1, y) - at(x, y);
    }
  for (size_t s = 0; s < area_.size(); ++s) {
    const auto [x, y] = sites.at[s];
    const int x0 = std::max(0, x - kWindow), y0 = std::max(0, y - kWindow);
    const int x1 = std::min(r.width, x + kWindow + 1), y1 = std::min(r.height, y + kWindow + 1);
    const double use = (at(x1, y1) - at(x0, y1) - at(x1, y0) + at(x0, y0)) / (4.0 * (x1 - x0) * (y1 - y0));
    area_[s] = std::max(params_.least_area, area_[s] * std::clamp(use / params_.utilisation, 0.5, 2.5));
  }
}

}  // namespace bitgrid
