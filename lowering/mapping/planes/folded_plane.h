// Tables as AND/XOR planes whose wires run both ways, in settle mode. They take a third of the cells of a wave-mode plane
// (time_shared_plane.h), without placement or routing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/index.h"
#include "ir/mapped_kernel.h"
#include "lowering/synthesis/paired_esop.h"

namespace bitgrid::mapping {

/// Where the products and sums of an ESOP lie when everything may run both ways (folding of programmable logic arrays; Hachtel, Newton and
/// Sangiovanni-Vincentelli 1982). A column of inputs has one input that runs south and one that runs north, and a column of sums likewise.
/// A row has a product that runs east and one that runs west.
///
///     outside:  | sums | inputs | sums |      inside:  | inputs | sums | inputs |
///               <------ a product                      a product ------>
///                      a product ------>               <------ another product
/// In the outside form, a cube that feeds sums on both sides runs both ways in one row, and each input is there once. In the inside form,
/// every sum takes what comes from either side, and the inputs enter twice.
/// comes from either side, and the inputs enter twice.
struct FoldedPlanePlan {
  bool inside = false;
  std::vector<uint32_t> west, east;  // outputs that are summed there; in the inside form, all are in `east`
  std::vector<uint32_t> direct;      // outputs that equal one cube, which leave at the end of its row
  struct Row {
    int west = -1, east = -1;  // cubes
  };
  std::vector<Row> rows;
  int input_columns = 0;

  int west_columns() const { return int_of(west.size() + 1) / 2; }
  int east_columns() const { return int_of(east.size() + 1) / 2; }
  int width() const { return west_columns() + (inside ? 2 : 1) * input_columns + east_columns(); }
  int height() const { return count_of(rows); }
  int64_t cells() const { return int64_t{width()} * height(); }
};

/// Returns the smaller of the two forms. A local search from a few random starts chooses the sides of outputs. The plan has at least one
/// row.
FoldedPlanePlan plan_folded_plane(const synthesis::PairedEsop& esop, uint64_t seed);

/// Returns the kernel, with strategy "folded-plane". Throws Error if the ESOP has no inputs.
MappedKernel folded_plane_kernel(const std::string& name, const synthesis::PairedEsop& esop, const FoldedPlanePlan& plan);

}  // namespace bitgrid::mapping
