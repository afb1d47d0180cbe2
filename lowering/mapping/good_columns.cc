#include "lowering/mapping/good_columns.h"

#include <algorithm>

#include "ir/index.h"

namespace bitgrid::mapping {

Columns::Columns(const Defects& defects) {
  int width = 0, height = 0;
  const auto cover = [&](int x, int y) {
    width = std::max(width, x + 1);
    height = std::max(height, y + 1);
  };
  for (const BadCell& c : defects.cells) cover(c.x, c.y);
  for (const BadEdge& e : defects.edges) cover(e.x, e.y);
  bad_ = DefectMap(defects, width, height);
  ends_.resize(index_of(width));
  for (int x = 0; x < width; ++x) {
    bool end_below = false;
    for (int y = height - 1; y >= 0; --y) {
      // Above an end a signal leaves east: where it cannot, the column ends a row earlier.
      end_below = bad_.bad_edge(x, y, Side::S) || (end_below && bad_.bad_edge(x, y, Side::E));
      if (end_below) ends_[index_of(x)].push_back(y);
    }
    std::reverse(ends_[index_of(x)].begin(), ends_[index_of(x)].end());
  }
}

int Columns::run(int x, int y) const {
  if (index_of(x) >= ends_.size()) return kEndless;
  const std::vector<int>& ends = ends_[index_of(x)];
  const auto end = std::lower_bound(ends.begin(), ends.end(), y);
  return end == ends.end() ? kEndless : *end - y;
}

}  // namespace bitgrid::mapping
