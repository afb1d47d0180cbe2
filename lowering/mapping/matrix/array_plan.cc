#include "lowering/mapping/matrix/array_plan.h"

#include <algorithm>

#include "ir/index.h"

namespace bitgrid::mapping {

int ArrayRow::digit(int column) const {
  return plane->residents.empty() ? plane->weights[index_of(column)] : plane->residents[index_of(column)].zero;
}

bool ArrayRow::counts(int column) const {
  return digit(column) != 0 || (!plane->residents.empty() && plane->residents[index_of(column)].one != 0);
}

std::vector<ArrayRow> array_rows(const BitSerialForm& form) {
  std::vector<ArrayRow> rows;
  for (int g = 0; g < count_of(form.groups); ++g) {
    const auto& planes = form.groups[index_of(g)].planes;
    for (int p = 0; p < count_of(planes); ++p) rows.push_back({&planes[index_of(p)], g, p, count_of(planes)});
  }
  return rows;
}

const std::vector<RowMove>& row_moves() {
  using enum Side;
  static const std::vector<RowMove> moves = {
      {{}, 0, 0, W, {N, S}},                  // straight
      {{{0, S}}, 1, 0, N, {W, S}},            // south
      {{{0, N}}, -1, 1, S, {N, W}},           // north
      {{{0, N}, {-1, S}}, 0, 1, N, {S}},      // waits: north and back
      {{{0, S}, {1, N}}, 0, 1, S, {N}},       // south and back
      {{{0, S}, {1, S}}, 2, 0, N, {W, S}},    // twice south
      {{{0, N}, {-1, N}}, -2, 2, S, {N, W}},  // twice north
  };
  return moves;
}

void add_row_start(const BitSerialForm& form, size_t row, ArrayPlan& plan) {
  const PlaneRow& plane = *plan.rows[row].plane;
  const int y = plan.paths[row].front().y_in;
  const BitSlot slot{Side::W, y, y + kSumFront};
  if (plane.start_word)
    plan.words.emplace_back(*plane.start_word, slot);
  else if (plane.start != 0)
    plan.constants.push_back({slot, slots_of(plane.start, form.word_slots)});
}

std::vector<FabricEdge> row_edges(const ArrayStep& step, const RowStep& s) {
  std::vector<FabricEdge> edges;
  for (const RowMove::Hop h : move_of(s).hops) edges.push_back({step.x, s.y_in + h.dy, h.side});
  edges.push_back({step.x, s.y, Side::E});
  if (s.carry) {
    edges.push_back({step.x, s.y, *s.carry});
    edges.push_back({step.x + dx(*s.carry), s.y + dy(*s.carry), opposite(*s.carry)});
    edges.push_back({step.x + 1, s.y, Side::W});
  }
  if (step.kind == ArrayStepKind::kPlain) return edges;
  if (s.word_late) edges.push_back({step.x + 1, s.y + 1, Side::N});
  if (s.north) edges.push_back({step.x + 1, s.y, Side::N});
  edges.push_back({step.x + 1, s.y_out, Side::E});
  return edges;
}

std::vector<FabricEdge> combination_edges(const ArrayPlan& plan, size_t place, size_t step) {
  const int x = plan.steps[step].x, y = plan.paths[place][step].y;
  std::vector<FabricEdge> edges = {{x, y, Side::E}, {x + 1, y, plan.rows[place].last_plane() ? Side::E : Side::S}};
  if (plan.rows[place].index == 0) return edges;
  for (int above = plan.paths[place - 1][step].y + 1; above < y; ++above) edges.push_back({x + 1, above, Side::S});
  edges.insert(edges.end(), {{x + 1, y, Side::W}, {x, y, Side::N}, {x, y - 1, Side::S}});
  return edges;
}

}  // namespace bitgrid::mapping
