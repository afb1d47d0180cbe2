#include "lowering/mapping/matrix/array_detours.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstdint>

#include "ir/index.h"
#include "lowering/mapping/matrix/operand_rerouting.h"
#include "lowering/mapping/matrix/row_paths.h"

namespace bitgrid::mapping {
namespace {

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
std::vector<int> block_places(const LayoutAttempt& attempt, int blocks, int rows) {
  constexpr int kNever = 1'000'000, kMostColumns = 48;
  const LayoutOptions& options = attempt.options;
  const int price = options.selective == 0 ? 10'000 : 10 / options.selective;  // of a column that is left out
  std::vector<int> troubles;
  for (int x = 0; x <= 2 * blocks + kMostColumns; ++x) {
    troubles.push_back(options.no_words.contains(x + 1) ? kNever : options.selective > 0 ? trouble(attempt.fabric, x, rows) : 0);
  }
  // [blocks placed][columns left out]: the least trouble, and whether the last thing was to leave one out.
  struct Way {
    int64_t cost = INT64_MAX / 2;
    bool skip = false;
  };
  constexpr size_t size = kMostColumns + 1;
  std::vector<std::vector<Way>> ways(index_of(blocks) + 1, std::vector<Way>(size));
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
  std::vector<int> places(index_of(blocks));
  for (size_t c = places.size(), s = best; c > 0;) {
    if (ways[c][s].skip) {
      --s;
    } else {
      --c;
      places[c] = int_of(2 * c + s);
    }
  }
  return places;
}

void make_steps(const LayoutAttempt& attempt, ArrayDetours& array) {
  const BitSerialForm& form = attempt.form;
  const LayoutOptions& options = attempt.options;
  const bool combine = std::any_of(form.groups.begin(), form.groups.end(), [](const RowGroup& g) { return g.planes.size() > 1; });
  const int blocks = count_of(form.columns), rows = count_of(array_rows(form)) + options.first_row;
  int x = 0;
  const std::vector<int> places = block_places(attempt, blocks, rows);
  std::vector<size_t> clean_blocks;
  for (int c = 0; c < blocks; ++c) {
    while (x < places[index_of(c)]) array.steps.push_back({ArrayStepKind::kPlain, x++, 0, 0});
    if (c >= options.first_block && clean(attempt.fabric, x + 1, rows)) clean_blocks.push_back(array.steps.size());
    array.steps.push_back({ArrayStepKind::kBlock, x, c, 0});
    x += 2;
  }
  // Evenly spaced, a cycle is lost behind blocks in which rows can move north together.
  const size_t n = clean_blocks.size(), late = std::min(n, index_of(options.late));
  for (size_t i = 0; i < late; ++i) {
    for (size_t k = clean_blocks[(i + 1) * n / late - 1] + 1; k < array.steps.size(); ++k) ++array.steps[k].late;
  }
  array.late = int_of(late);
  if (combine) {
    while (options.no_ends.contains(x)) array.steps.push_back({ArrayStepKind::kPlain, x++, 0, array.late});
    array.steps.push_back({ArrayStepKind::kEnd, x, 0, array.late});
    x += 2;
  }
  if (array.steps.empty()) array.steps.push_back({ArrayStepKind::kPlain, x++, 0, array.late});
  array.end_x = x;
}

void add_stretches(const Fabric& fabric, size_t k, ArrayPlan& plan) {
  const ArrayStep& step = plan.steps[k];
  const int c = step.column, x = step.x + 1;
  bool any = false;
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    if (!plan.rows[r].counts(c)) continue;
    const RowStep& s = plan.paths[r][k];
    bool joins = any;
    for (int above = joins ? plan.stretches.back().bottom : s.y; joins && above < s.y; ++above)
      joins = fabric.free(x, above, Side::S) && fabric.good(x, above + 1);
    if (!joins) plan.stretches.push_back({c, x, s.y, s.y, step.late, {}});
    WordStretch& stretch = plan.stretches.back();
    stretch.bottom = std::max(stretch.bottom, s.y + (s.word_late ? 1 : 0));
    stretch.taps.push_back({s.y, s.word_late});
    any = true;
  }
}

/// A word that no weight reads: any port, the column's own if it can be.
void add_unused(LayoutAttempt& attempt, int column, int x) {
  Fabric& fabric = attempt.fabric;
  for (int i = 0; i < fabric.width(); ++i) {
    const int position = (x + i) % fabric.width();
    for (const Side side : {Side::N, Side::S}) {
      if (!fabric.port_free(side, position)) continue;
      const int y = side == Side::N ? 0 : fabric.height() - 1;
      const BitSlot port = fabric.take_port({position, y, side, ""}, position + y);
      attempt.plan.words.emplace_back(attempt.form.columns[index_of(column)], port);
      return;
    }
  }
  assert(false && "a border has more ports than a kernel has columns");
}

}  // namespace

PathEnd row_end(const ArrayPlan& plan, int group) {
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    const RowPath& path = plan.paths[r];
    if (plan.rows[r].group == group && plan.rows[r].last_plane()) return {plan.end_x(path.size()), path.back().y_out, path.back().late};
  }
  return {};
}

std::optional<ArrayDetours> find_array(LayoutAttempt& attempt) {
  ArrayDetours array;
  const LayoutOptions& options = attempt.options;
  const std::vector<ArrayRow> rows = array_rows(attempt.form);
  make_steps(attempt, array);
  RowPathsParams params;
  params.first = options.first_row;
  params.height = attempt.fabric.height();
  params.candidates = options.candidates;
  params.words_end = options.first_row + count_of(rows);
  params.late_end = array.late;
  params.turn = attempt.stamps.any;
  if (params.turn) {
    params.corner = options.corner_steps;
    for (int i = 0; i < options.corner_steps; ++i) array.steps.push_back({ArrayStepKind::kPlain, array.end_x + i, 0, array.late});
  }
  RowPaths found = find_row_paths(attempt.fabric, array.steps, rows, params);
  if (found.paths.size() < rows.size()) {
    const ArrayStep& step = array.steps[index_of(found.failed_step)];
    if (step.kind == ArrayStepKind::kEnd) attempt.next.no_ends.insert(step.x);
    attempt.fail(fmt::format("row {} of {} finds no path through column {} within {} rows of cells", found.paths.size(), rows.size(),
                             step.x, params.height),
                 step.kind == ArrayStepKind::kEnd);
    return std::nullopt;
  }
  array.rows = std::move(found.rows);
  array.paths = std::move(found.paths);
  array.lowest = found.lowest;
  return array;
}

void lay_array(LayoutAttempt& attempt, const ArrayDetours& array) {
  Fabric& fabric = attempt.fabric;
  ArrayPlan& plan = attempt.plan;
  plan.steps = array.steps;
  plan.rows = array.rows;
  plan.paths = array.paths;
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    for (size_t k = 0; k < plan.paths[r].size(); ++k) {
      const bool combines = plan.steps[k].kind == ArrayStepKind::kEnd;
      const auto edges = combines ? combination_edges(plan, r, k) : row_edges(plan.steps[k], plan.paths[r][k]);
      for (const FabricEdge& e : edges) {
        // The word's own edge is taken with its way.
        const bool word = !combines && e.side == Side::W && e.x == plan.steps[k].x + 1;
        if (word)
          fabric.reserve(e);
        else
          fabric.take(e);
      }
    }
  }
  for (size_t k = 0; k < plan.steps.size(); ++k) {
    if (plan.steps[k].kind == ArrayStepKind::kBlock) add_stretches(fabric, k, plan);
  }
  for (const WordStretch& s : plan.stretches) {
    for (int y = s.top; y < s.bottom; ++y) fabric.reserve({s.x, y, Side::S});
  }
}

bool feed_array(LayoutAttempt& attempt) {
  ArrayPlan& plan = attempt.plan;
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    add_row_start(attempt.form, r, plan);
    const int y = plan.paths[r].front().y_in;
    attempt.fabric.take_port({0, y, Side::W, ""}, y);
  }
  return feed_words(attempt);
}

void add_unused_words(LayoutAttempt& attempt) {
  const ArrayPlan& plan = attempt.plan;
  std::vector<bool> read(attempt.form.columns.size());
  for (const WordStretch& s : plan.stretches) read[index_of(s.column)] = true;
  for (const ArrayStep& step : plan.steps) {
    if (step.kind == ArrayStepKind::kBlock && !read[index_of(step.column)]) add_unused(attempt, step.column, step.x + 1);
  }
}

}  // namespace bitgrid::mapping
