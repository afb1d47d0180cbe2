#include "ir/kernel_defects.h"

namespace bitgrid {
namespace {

bool uses(CellWord word, Side side) {
  return cell_luts(word)[static_cast<size_t>(side)] != 0;
}

}  // namespace

std::optional<BadEdge> first_defect_used(const MappedKernel& kernel, const Defects& defects) {
  const GridConfig& grid = kernel.grid;
  const DefectMap bad(defects, grid.width, grid.height);
  if (bad.empty()) return std::nullopt;
  for (const ResidentSlot& r : kernel.residents) {
    for (const Side side : kSides) {
      if (bad.bad_edge(r.x, r.y, side) && (uses(r.word0, side) || uses(r.word1, side))) return BadEdge{r.x, r.y, side};
    }
  }
  for (int y = 0; y < grid.height; ++y) {
    for (int x = 0; x < grid.width; ++x) {
      if (!bad.touched(x, y)) continue;
      for (const Side side : kSides) {
        if (bad.bad_edge(x, y, side) && uses(grid.at(x, y), side)) return BadEdge{x, y, side};
      }
    }
  }
  return std::nullopt;
}

}  // namespace bitgrid
