// Any acyclic logic at II = 1 without placement and routing: rows in which everything moves east or south.
#pragma once

#include <cstdint>
#include <optional>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::mapping {

struct RowLayoutParams {
  uint64_t seed = 1;
  int64_t max_cells = 200'000;  // limit of the bounding box
  int64_t effort = 40'000'000;  // elementary steps, after which no further order of gates and inputs is tried
  int min_tries = 2;            // tries in any case, whatever the effort
  int max_tries = 400;
  Defects defects = {};  // of the tile whose north-west corner it takes: no bad edge is used
};

struct RowLayoutStats {
  size_t gates = 0;
  int tries = 0;
  int width = 0;
  int height = 0;
};

/// Signals live in columns and flow south. In each row some of them run east, each over its own stretch, and meet others; a cell computes
/// up to two functions of what comes from N and from W. Results stay in the column, or run on to the next meeting or to a free column.
/// Since all hops go east or south, every layout is in step (law 2 of time). Inputs enter N, or W in the row where they are needed. Outputs
/// leave E as soon as the row is free, or S. Without defects it always succeeds if max_cells allows, with at most one row and one column
/// per gate; otherwise it returns nullopt. It tries several orders, and the smallest bounding box wins.
std::optional<MappedKernel> map_row_layout(const synthesis::LogicGraph& graph, const RowLayoutParams& params = {},
                                           RowLayoutStats* stats = nullptr);

}  // namespace bitgrid::mapping
