#include "lowering/mapping/matrix/detour_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstdint>

#include "lowering/mapping/matrix/operand_rerouting.h"

namespace bitgrid::mapping {
namespace {

std::vector<ArrayRow> rows_of(const BitSerialForm& form) {
  std::vector<ArrayRow> rows;
  for (size_t g = 0; g < form.groups.size(); ++g) {
    const auto& planes = form.groups[g].planes;
    for (size_t p = 0; p < planes.size(); ++p)
      rows.push_back({&planes[p], static_cast<int>(g), static_cast<int>(p), static_cast<int>(planes.size())});
  }
  return rows;
}

/// The word of a column of cells reaches all rows from the north.
bool clean(const Fabric& fabric, int x, int rows) {
  for (int y = 0; y < rows; ++y) {
    if (!fabric.good(x, y, Side::S)) return false;
  }
  return true;
}

/// What stands in the way of rows and words in the two columns of cells of a block, in tenths of a defect.
int trouble(const Fabric& fabric, int x, int rows) {
  constexpr int kBadCell = 5, kCutWord = 10;
  int trouble = 0;
  bool cut = false;
  for (int y = 0; y < rows; ++y) {
    trouble += kBadCell * (!fabric.good(x, y) + !fabric.good(x + 1, y));
    // Rows below the cut cannot use time.
    if (!cut && !fabric.good(x + 1, y, Side::S)) trouble += kCutWord * (rows - y) / rows, cut = true;
  }
  return trouble;
}

/// The x of each block: from west to east, with the least trouble and not too many columns of cells between them.
std::vector<int> block_places(const LayoutAttempt& draft, int blocks, int rows) {
  constexpr int kNever = 1'000'000, kMostColumns = 48;
  const LayoutOptions& plan = draft.plan;
  const int price = plan.selective == 0 ? 10'000 : 10 / plan.selective;  // of a column that is left out
  std::vector<int> troubles;
  for (int x = 0; x <= 2 * blocks + kMostColumns; ++x) {
    troubles.push_back(plan.no_words.contains(x + 1) ? kNever : plan.selective > 0 ? trouble(draft.fabric, x, rows) : 0);
  }
  // [blocks placed][columns left out]: the least trouble, and whether the last thing was to leave one out.
  struct Way {
    int64_t cost = INT64_MAX / 2;
    bool skip = false;
  };
  const auto size = static_cast<size_t>(kMostColumns) + 1;
  std::vector<std::vector<Way>> ways(static_cast<size_t>(blocks) + 1, std::vector<Way>(size));
  ways[0][0].cost = 0;
  for (size_t c = 0; c < ways.size(); ++c) {
    for (size_t s = 0; s < size; ++s) {
      const int64_t cost = ways[c][s].cost;
      if (s + 1 < size && cost + price < ways[c][s + 1].cost) ways[c][s + 1] = {cost + price, true};
      if (c + 1 == ways.size()) continue;
      const int64_t then = cost + troubles[2 * c + s];
      if (then < ways[c + 1][s].cost) ways[c + 1][s] = {then, false};
    }
  }
  size_t best = 0;
  for (size_t s = 1; s < size; ++s) {
    if (ways.back()[s].cost < ways.back()[best].cost) best = s;
  }
  std::vector<int> places(static_cast<size_t>(blocks));
  for (size_t c = places.size(), s = best; c > 0;) {
    if (ways[c][s].skip) {
      --s;
    } else {
      --c;
      places[c] = static_cast<int>(2 * c + s);
    }
  }
  return places;
}

void make_steps(const LayoutAttempt& draft, DetourArray& array) {
  const BitSerialForm& form = draft.form;
  const LayoutOptions& plan = draft.plan;
  const bool combine = std::any_of(form.groups.begin(), form.groups.end(), [](const RowGroup& g) { return g.planes.size() > 1; });
  const int blocks = static_cast<int>(form.columns.size()), rows = static_cast<int>(rows_of(form).size()) + plan.first_row;
  int x = 0;
  const std::vector<int> places = block_places(draft, blocks, rows);
  std::vector<size_t> clean_blocks;
  for (int c = 0; c < blocks; ++c) {
    while (x < places[static_cast<size_t>(c)]) array.steps.push_back({ArrayStepKind::kPlain, x++, 0, 0});
    if (c >= plan.first_block && clean(draft.fabric, x + 1, rows)) clean_blocks.push_back(array.steps.size());
    array.steps.push_back({ArrayStepKind::kBlock, x, c, 0});
    x += 2;
  }
  // A cycle is lost behind every so many of the blocks in which rows can move north together.
  const size_t n = clean_blocks.size(), late = std::min(n, static_cast<size_t>(plan.late));
  for (size_t i = 0; i < late; ++i) {
    for (size_t k = clean_blocks[(i + 1) * n / late - 1] + 1; k < array.steps.size(); ++k) ++array.steps[k].late;
  }
  array.late = static_cast<int>(late);
  if (combine) {
    while (plan.no_ends.contains(x)) array.steps.push_back({ArrayStepKind::kPlain, x++, 0, array.late});
    array.steps.push_back({ArrayStepKind::kEnd, x, 0, array.late});
    x += 2;
  }
  if (array.steps.empty()) array.steps.push_back({ArrayStepKind::kPlain, x++, 0, array.late});
  array.end_x = x;
}

/// The sum's and carry's tables of a weight.
struct Adder {
  Lut sum, carry;
};
Adder adder(int weight, Side carry, Side from) {
  const auto table = [&](auto f) {
    return lut([&](bool n, bool e, bool s, bool w) {
      const auto of = [&](Side side) { return side == Side::N ? n : side == Side::S ? s : w; };
      return f(of(carry), e, of(from));
    });
  };
  if (weight == 0) return {kCopy[static_cast<size_t>(from)], 0};
  const Lut sum = table([](bool c, bool x, bool z) { return c ^ x ^ z; });
  if (weight > 0) return {sum, table([](bool c, bool x, bool z) { return majority(c, x, z); })};
  return {sum, table([](bool c, bool x, bool z) { return majority(c, x, !z); })};
}

void lay_combination(Fabric& fabric, const DetourArray& array, size_t place, int x) {
  const ArrayRow& row = array.rows.rows[place];
  const size_t step = static_cast<size_t>(
      std::find_if(array.steps.begin(), array.steps.end(), [](const ArrayStep& k) { return k.kind == ArrayStepKind::kEnd; }) -
      array.steps.begin());
  const int y = array.rows.paths[place][step].y;
  const bool more = row.index + 1 < row.planes;
  fabric.wire({x + 1, y, Side::W, more ? "S" : "E"});
  if (row.index == 0) return fabric.wire({x, y, Side::W, "E"});
  for (int above = array.rows.paths[place - 1][step].y + 1; above < y; ++above) fabric.wire({x + 1, above, Side::N, "S"});
  fabric.wire({x + 1, y, Side::N, "W"});
  fabric.put(x, y, Side::E, lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }));
  fabric.put(x, y, Side::N, lut([](bool n, bool e, bool, bool w) { return majority(n, e, w); }));
  fabric.put(x, y - 1, Side::S, kFromS);
}

void lay_step(Fabric& fabric, const ArrayRow& row, const ArrayStep& step, const RowStep& s) {
  const RowMove& move = row_moves()[static_cast<size_t>(s.move)];
  Side enter = Side::W;
  for (const RowMove::Hop h : move.hops) {
    fabric.put(step.x, s.y_in + h.dy, h.side, kCopy[static_cast<size_t>(enter)]);
    enter = opposite(h.side);
  }
  assert(enter == move.from);
  if (step.kind == ArrayStepKind::kPlain) return fabric.put(step.x, s.y, Side::E, kCopy[static_cast<size_t>(enter)]);
  const Adder a = adder(s.carry ? row.digit(step.column) : 0, s.carry.value_or(Side::N), move.from);
  fabric.put(step.x, s.y, Side::E, a.sum);
  fabric.wire({step.x + 1, s.y, Side::W, s.north ? "NE" : "E"});
  if (!s.carry) return;
  const Side out = *s.carry;
  fabric.put(step.x, s.y, out, a.carry);
  fabric.put(step.x + dx(out), s.y + dy(out), opposite(out), kCopy[static_cast<size_t>(opposite(out))]);
  fabric.reserve({step.x + 1, s.y, Side::W});
  if (s.word_late) fabric.put(step.x + 1, s.y + 1, Side::N, kFromN);
}

void feed_rows(LayoutAttempt& draft, const DetourArray& array) {
  for (size_t r = 0; r < array.rows.rows.size(); ++r) {
    const PlaneRow& row = *array.rows.rows[r].plane;
    const int y = array.row_start(r);
    const BitSlot slot = draft.fabric.take_port({0, y, Side::W, ""}, y + kSumFront);
    if (row.start_word) {
      draft.add_word(*row.start_word, slot);
    } else if (row.start != 0) {
      ConstantStream stream{slot, std::vector<uint8_t>(static_cast<size_t>(draft.form.word_slots))};
      for (int k = 0; k < draft.form.word_slots; ++k) stream.bits[static_cast<size_t>(k)] = static_cast<uint8_t>((row.start >> k) & 1);
      draft.kernel.constants.push_back(std::move(stream));
    }
  }
}

void add_stretches(const Fabric& fabric, DetourArray& array, size_t k) {
  std::vector<WordStretch>& stretches = array.stretches;
  const int c = array.steps[k].column, x = array.steps[k].x + 1;
  bool any = false;
  for (size_t r = 0; r < array.rows.rows.size(); ++r) {
    if (!array.rows.rows[r].counts(c)) continue;
    const RowStep& s = array.rows.paths[r][k];
    bool joins = any;
    for (int above = joins ? stretches.back().bottom : s.y; joins && above < s.y; ++above)
      joins = fabric.free(x, above, Side::S) && fabric.good(x, above + 1);
    if (!joins) stretches.push_back({c, x, s.y, s.y, array.steps[k].late, {}});
    stretches.back().bottom = std::max(stretches.back().bottom, s.y + (s.word_late ? 1 : 0));
    stretches.back().taps.push_back({s.y, s.word_late});
    any = true;
  }
  if (!any) array.unused.push_back({c, x});
}

/// A word that no weight reads: any port, the column's own if it can be.
void add_unused(LayoutAttempt& draft, int column, int x) {
  const Word& word = draft.form.columns[static_cast<size_t>(column)];
  Fabric& fabric = draft.fabric;
  for (int i = 0; i < fabric.width(); ++i) {
    const int position = (x + i) % fabric.width();
    for (const Side side : {Side::N, Side::S}) {
      if (!fabric.port_free(side, position)) continue;
      const int y = side == Side::N ? 0 : fabric.height() - 1;
      return draft.add_word(word, fabric.take_port({position, y, side, ""}, position + y));
    }
  }
  assert(false && "a border has more ports than a kernel has columns");
}

CellWord resident_word(CellWord laid, const RowStep& s, int digit) {
  std::array<Lut, 4> luts = cell_luts(laid);
  const Adder a = adder(digit, s.carry.value_or(Side::N), row_moves()[static_cast<size_t>(s.move)].from);
  luts[static_cast<size_t>(Side::E)] = a.sum;
  if (s.carry) luts[static_cast<size_t>(*s.carry)] = a.carry;
  return cell_word(luts);
}

}  // namespace

PathEnd DetourArray::row_end(int group) const {
  for (size_t r = 0; r < rows.rows.size(); ++r) {
    const ArrayRow& row = rows.rows[r];
    if (row.group == group && row.index + 1 == row.planes) {
      const RowPath& path = rows.paths[r];
      const ArrayStep& last = steps[path.size() - 1];
      return {last.x + (last.kind == ArrayStepKind::kPlain ? 1 : 2), path.back().y_out, path.back().late};
    }
  }
  return {};
}

std::optional<DetourArray> plan_array(LayoutAttempt& draft, bool turn) {
  DetourArray array;
  const LayoutOptions& plan = draft.plan;
  make_steps(draft, array);
  RowPathsParams params;
  params.first = plan.first_row;
  params.height = draft.fabric.height();
  params.candidates = plan.candidates;
  params.words_end = plan.first_row + static_cast<int>(rows_of(draft.form).size());
  params.late_end = array.late;
  params.turn = turn;
  if (turn) {
    params.corner = plan.corner_steps;
    for (int i = 0; i < plan.corner_steps; ++i) array.steps.push_back({ArrayStepKind::kPlain, array.end_x + i, 0, array.late});
  }
  array.rows = find_row_paths(draft.fabric, array.steps, rows_of(draft.form), params);
  const size_t placed = array.rows.paths.size(), all = rows_of(draft.form).size();
  if (placed < all) {
    const ArrayStep& step = array.steps[static_cast<size_t>(array.rows.failed_step)];
    if (step.kind == ArrayStepKind::kEnd) draft.next.no_ends.insert(step.x);
    draft.fail(fmt::format("row {} of {} finds no way through column {} within {} rows of cells", placed, all, step.x, params.height),
               step.kind == ArrayStepKind::kEnd);
    return std::nullopt;
  }
  array.lowest = array.rows.lowest;
  return array;
}

void lay_array(LayoutAttempt& draft, DetourArray& array) {
  for (size_t r = 0; r < array.rows.rows.size(); ++r) {
    for (size_t k = 0; k < array.rows.paths[r].size(); ++k) {
      if (array.steps[k].kind == ArrayStepKind::kEnd) {
        lay_combination(draft.fabric, array, r, array.steps[k].x);
      } else {
        lay_step(draft.fabric, array.rows.rows[r], array.steps[k], array.rows.paths[r][k]);
      }
    }
  }
  Fabric& fabric = draft.fabric;
  array.stretches.clear();
  array.unused.clear();
  for (size_t k = 0; k < array.steps.size(); ++k) {
    if (array.steps[k].kind == ArrayStepKind::kBlock) add_stretches(fabric, array, k);
  }
  for (const WordStretch& s : array.stretches) {
    for (int y = s.top; y < s.bottom; ++y) fabric.reserve({s.x, y, Side::S});
  }
}

bool feed_array(LayoutAttempt& draft, DetourArray& array) {
  feed_rows(draft, array);
  return feed_words(draft, array.stretches);
}

void finish_array(LayoutAttempt& draft, const DetourArray& array) {
  for (const auto& [c, x] : array.unused) add_unused(draft, c, x);
  for (size_t r = 0; r < array.rows.rows.size(); ++r) {
    const PlaneRow& row = *array.rows.rows[r].plane;
    for (size_t k = 0; k < array.steps.size() && !row.residents.empty(); ++k) {
      const ArrayStep& step = array.steps[k];
      if (step.kind != ArrayStepKind::kBlock) continue;
      const RowStep& s = array.rows.paths[r][k];
      const ResidentDigit& digit = row.residents[static_cast<size_t>(step.column)];
      const CellWord laid = draft.kernel.grid.at(step.x, s.y);
      draft.kernel.residents.push_back({digit.bit, step.x, s.y, resident_word(laid, s, digit.zero), resident_word(laid, s, digit.one)});
    }
  }
}

}  // namespace bitgrid::mapping
