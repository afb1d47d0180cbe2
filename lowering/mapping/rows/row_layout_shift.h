// Rows in which signals move west, the only direction that costs time. For row_layout_rows.cc only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "lowering/mapping/good_columns.h"

namespace bitgrid::mapping {

inline constexpr int kNoSignal = -1;

/// What the signal of a column does in a row where some signals move west by a column. A hop west costs a cycle, which the others lose by a
/// hop to a neighbour and back.
enum class RowShift : uint8_t { kNone, kMovesWest, kByWest, kByEast };

struct ShiftRow {
  std::vector<RowShift> shifts;  // by column
  std::vector<int> south;        // signals that leave it S; kNoSignal: none
};

/// Plans row `y` with signals `south` in its columns. As many of them as possible move west by a column, starting with those whose columns
/// end within `look_ahead` rows. Inputs (`is_input`) that find no path are dropped, because they can enter again. Returns nullopt if the
/// row has no use or not all signals find a path. Linear in the columns.
std::optional<ShiftRow> plan_shift_row(const std::vector<int>& south, const std::function<bool(int)>& is_input, const Columns& columns,
                                       int y, int look_ahead);

}  // namespace bitgrid::mapping
