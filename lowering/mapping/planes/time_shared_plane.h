// AND/XOR planes of wave mode (II = 1) whose columns are shared in time and which avoid bad cells. (folded_plane.h has those of settle
// mode, with wires both ways.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "lowering/synthesis/esop.h"

namespace bitgrid::mapping {

struct TimeSharedPlaneParams {
  uint64_t seed = 1;
  int spare_columns = 6;         // most that are tried, beyond one for each input but one and each output, for inputs and outputs together
  int tries = 8;                 // orders of the terms for each number of columns
  int64_t effort = 100'000'000;  // elementary steps, after which the best result so far is taken
};

struct TimeSharedPlaneStats {
  int width = 0;
  int height = 0;
  int tries = 0;
  int idle_rows = 0;  // of the chosen plane: rows without a term
};

/// Maps `esop` at II = 1 without using any defect of the tile whose north-west corner it takes. In a plain plane, every input and every
/// output has a column and every term a row. Inputs run south, terms run east, and sums run south in columns east of the inputs. Everything
/// moves east or south, so that any path is in time. In this plane:
/// - a column belongs to a sum from its first term to its last one; then the sum leaves E, and another may use the column;
/// - an input without a column enters W as the first literal of a term (one input never has a column); where columns end at defects and a
///   term needs two such inputs, one returns to a column;
/// - a row takes any term that finds its edges good;
/// - a sum whose column ends moves east across others, or all sums between it and a free column move west by one in a row of their own, in
///   which the others lose the same cycle.
/// It tries several numbers of columns and orders and keeps the smallest rectangle. Returns nullopt if it finds no layout.
std::optional<MappedKernel> time_shared_plane(const std::string& name, const synthesis::Esop& esop, const Defects& defects,
                                              const TimeSharedPlaneParams& params = {}, TimeSharedPlaneStats* stats = nullptr);

}  // namespace bitgrid::mapping
