// Columns of cells in which signals flow south among defects, for layouts in which everything moves east or south.
#pragma once

#include <climits>
#include <vector>

#include "ir/defects.h"

namespace bitgrid::mapping {

class Columns {
 public:
  static constexpr int kEndless = INT_MAX;

  Columns() = default;  // of a fabric without defects
  explicit Columns(const Defects& defects);

  bool flawless() const { return ends_.empty(); }
  bool good(int x, int y, Side side) const { return !bad_.bad_edge(x, y, side); }
  /// Returns how many cells of column x, from row y on, pass a signal south from one to the next; kEndless if no defect lies below. A
  /// signal that leaves cell (x, y) south must be able to leave column x in row y + 1. It can if run(x, y) >= 2, because then the eastern
  /// edge is good where the run ends.
  int run(int x, int y) const;

 private:
  DefectMap bad_;
  std::vector<std::vector<int>> ends_;  // [x] ascending rows whose cell cannot pass a signal south
};

}  // namespace bitgrid::mapping
