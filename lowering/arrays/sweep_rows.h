// One sweep: which signal is on which edge of which row, and the configuration that this means. Inside sweep.cc only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/mapped_kernel.h"
#include "lowering/netlist/logic_graph.h"

namespace bitgrid {

inline constexpr int kNoSignal = -1;

/// Signals (node numbers) of a row of cells.
struct SweepRow {
  int west = kNoSignal;    // enters W
  std::vector<int> north;  // enters column x from N
  std::vector<int> south;  // leaves it S
  std::vector<int> east;   // leaves it E
};

struct SweepExit {
  Side side = Side::S;  // E: from a row; S: from a column, after the last row; N, W: constants 0 and 1
  int position = 0;     // row or column
};

struct SweepRows {
  int width = 0;
  std::vector<SweepRow> rows;    // shorter ones are idle in their last columns, or pass their last E signal on
  std::vector<SweepExit> exits;  // one for each output
};

struct SweepPlan {
  std::vector<uint32_t> gates;    // operands first
  std::vector<uint32_t> columns;  // inputs that enter N in columns 0, 1, ..
  size_t window = 16;             // gates that are considered: the first so many in order that are not done
};

/// nullopt once width x height reaches `limit`. Counts its steps.
std::optional<SweepRows> sweep_rows(const LogicGraph& graph, const SweepPlan& plan, int64_t limit, int64_t& steps);

MappedKernel sweep_kernel(const LogicGraph& graph, SweepRows sweep);

}  // namespace bitgrid
