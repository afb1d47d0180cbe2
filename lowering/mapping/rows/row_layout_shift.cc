#include "lowering/mapping/rows/row_layout_shift.h"

#include <array>
#include <initializer_list>
#include <utility>

#include "ir/index.h"

namespace bitgrid::mapping {

std::optional<ShiftRow> plan_shift_row(const std::vector<int>& south, const std::function<bool(int)>& is_input, const Columns& columns,
                                       int y, int look_ahead) {
  const int width = count_of(south);
  const auto lasts = [&](int x) { return columns.run(x, y) > look_ahead; };
  constexpr int kImpossible = -1'000'000, kEndsSoon = 1000, kDropped = 100;
  enum State { kVacant, kMoves, kWest, kEast, kDrop };
  using Values = std::array<int, 5>;
  std::vector<Values> values;
  std::vector<std::array<int, 5>> from;
  const auto edge = [&](int x, Side side) { return columns.good(x, y, side); };
  for (int x = 0; x < width; ++x) {
    const Values before = x == 0 ? Values{0, kImpossible, kImpossible, kImpossible, kImpossible} : values.back();
    Values now;
    now.fill(kImpossible);
    std::array<int, 5> best{};
    const auto extend = [&](State state, int gain, std::initializer_list<State> after) {
      for (const State s : after) {
        if (before[s] + gain > now[state] && before[s] > kImpossible) now[state] = before[s] + gain, best[state] = s;
      }
    };
    const int n = south[index_of(x)];
    if (n == kNoSignal) {
      extend(kVacant, 0, {kVacant, kMoves, kWest, kEast, kDrop});
    } else {
      const bool stays = columns.run(x, y) > 1;
      if (x > 0 && edge(x, Side::W) && columns.run(x - 1, y) > 1)
        extend(kMoves, 1 + (lasts(x - 1) ? 0 : -kEndsSoon) + (lasts(x) ? 0 : kEndsSoon), {kVacant, kMoves, kDrop});
      if (stays && x > 0 && edge(x, Side::W) && edge(x - 1, Side::E)) extend(kWest, 0, {kVacant, kMoves, kWest, kDrop});
      if (stays && x + 1 < width && edge(x, Side::E) && edge(x + 1, Side::W)) extend(kEast, 0, {kVacant, kMoves, kWest, kEast, kDrop});
      if (is_input(n)) extend(kDrop, -kDropped, {kVacant, kMoves, kWest, kEast, kDrop});
    }
    values.push_back(now);
    from.push_back(best);
  }
  int state = 0;
  for (int s = 1; s < 5; ++s)
    if (values.back()[index_of(s)] > values.back()[index_of(state)]) state = s;
  if (values.back()[index_of(state)] <= 0) return std::nullopt;
  ShiftRow row{std::vector<RowShift>(south.size(), RowShift::kNone), south};
  for (int x = width - 1; x >= 0; --x) {
    const auto i = index_of(x);
    if (state == kMoves) row.shifts[i] = RowShift::kMovesWest;
    if (state == kWest) row.shifts[i] = RowShift::kByWest;
    if (state == kEast) row.shifts[i] = RowShift::kByEast;
    if (state == kDrop) row.south[i] = kNoSignal;
    state = from[i][index_of(state)];
  }
  for (size_t x = 1; x < row.shifts.size(); ++x)
    if (row.shifts[x] == RowShift::kMovesWest) row.south[x - 1] = std::exchange(row.south[x], kNoSignal);
  return row;
}

}  // namespace bitgrid::mapping
