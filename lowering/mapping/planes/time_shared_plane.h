// AND/XOR planes of wave mode (II = 1) whose columns are shared in time and that go around bad cells. (Those of settle mode, with wires
// both ways: folded_plane.h.)
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
  int spare_columns = 6;         // tried at most, beyond one for each input but one and each output, among both
  int tries = 8;                 // orders of the terms for each number of them
  int64_t effort = 100'000'000;  // elementary steps, after which the best so far is taken
};

struct TimeSharedPlaneStats {
  int width = 0;
  int height = 0;
  int tries = 0;
  int idle_rows = 0;  // of the chosen one: rows without a term
};

/// The kernel of `esop`, II = 1, without use of any defect of the tile whose north-west corner it takes. In a plain plane every input and
/// every output has a column and every term a row: inputs go south, terms run east, sums go south in columns east of the inputs. Everything
/// moves east or south, so any path is in time. Here
/// - a column belongs to a sum from its first term to its last one, then the sum leaves E and another may have the column;
/// - an input without a column enters W as the first literal of a term (one input never has one); where columns end at defects and a term
///   needs two such inputs, one comes back into a column;
/// - a row takes whichever term finds its edges good;
/// - a sum whose column ends moves east across others, or all sums between it and a free column move west by one in a row of their own, in
///   which the others lose the same cycle.
/// Several numbers of columns and orders are tried, the smallest rectangle is kept. nullopt if no layout is found.
std::optional<MappedKernel> time_shared_plane(const std::string& name, const synthesis::Esop& esop, const Defects& defects,
                                              const TimeSharedPlaneParams& params = {}, TimeSharedPlaneStats* stats = nullptr);

}  // namespace bitgrid::mapping
