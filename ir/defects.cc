#include "ir/defects.h"

#include <algorithm>

namespace bitgrid {
namespace {

template <typename T>
void sort_unique(std::vector<T>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

/// 64 random bits against a probability: the same on every machine, unlike std::bernoulli_distribution.
bool happens(double probability, std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53 < probability;
}

}  // namespace

void normalise(Defects& defects) {
  sort_unique(defects.cells);
  sort_unique(defects.edges);
}

Defects merge(const Defects& a, const Defects& b) {
  Defects all = a;
  all.cells.insert(all.cells.end(), b.cells.begin(), b.cells.end());
  all.edges.insert(all.edges.end(), b.edges.begin(), b.edges.end());
  normalise(all);
  return all;
}

Defects clip(const Defects& defects, int width, int height, int x, int y) {
  const auto inside = [&](int cx, int cy) { return cx >= x && cy >= y && cx - x < width && cy - y < height; };
  Defects clipped;
  for (const BadCell& c : defects.cells) {
    if (inside(c.x, c.y)) clipped.cells.push_back({c.x - x, c.y - y});
  }
  for (const BadEdge& e : defects.edges) {
    if (inside(e.x, e.y)) clipped.edges.push_back({e.x - x, e.y - y, e.side});
  }
  normalise(clipped);
  return clipped;
}

Defects random_defects(int width, int height, double cells, double edges, std::mt19937_64& random) {
  Defects defects;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      if (happens(cells, random)) {
        defects.cells.push_back({x, y});
        continue;
      }
      for (const Side side : kSides) {
        if (happens(edges, random)) defects.edges.push_back({x, y, side});
      }
    }
  }
  normalise(defects);
  return defects;
}

DefectMap::DefectMap(const Defects& defects, int width, int height) : width_(width), height_(height) {
  const Defects inside = clip(defects, width, height);
  if (inside.empty()) return;
  flags_.resize(static_cast<size_t>(width) * static_cast<size_t>(height));
  const auto flags = [&](int x, int y) -> uint8_t& {
    return flags_[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
  };
  for (const BadCell& c : inside.cells) flags(c.x, c.y) |= kCell | 15u;
  for (const BadEdge& e : inside.edges) {
    uint8_t& f = flags(e.x, e.y);
    f = static_cast<uint8_t>(f | (1u << static_cast<unsigned>(e.side)));
  }
}

}  // namespace bitgrid
