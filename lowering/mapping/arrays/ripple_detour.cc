#include "lowering/mapping/arrays/ripple_detour.h"

#include <algorithm>
#include <array>
#include <vector>

#include "ir/index.h"
#include "ir/output_cone.h"
#include "lowering/mapping/canvas.h"
#include "lowering/mapping/normalise_phases.h"

namespace bitgrid::mapping {
namespace {

/// The state leaves a column east in row y, after `positions` of them.
struct Reached {
  int positions = -1;  // none: not reached
  int from = 0;        // row in which it came
  bool position = false;
};

class RippleRow {
 public:
  RippleRow(const MappedKernel& ripple, const Defects& defects, int rows)
      : ripple_(ripple), rows_(rows), most_(2 * ripple.grid.width + 100), bad_(defects, most_, rows) {}

  /// Columns; nullopt: no way, or `limit` cells.
  std::optional<int> find(int64_t limit) {
    reached_.assign(1, std::vector<Reached>(index_of(rows_), Reached{0, 0, false}));
    for (int x = 0; x < most_ && int64_t{x} * rows_ < limit; ++x) {
      for (int y = 0; y < rows_; ++y) {
        if (at(x, y).positions == ripple_.grid.width) {
          end_ = y;
          return x;
        }
      }
      reached_.emplace_back(index_of(rows_));
      for (int y = 0; y < rows_; ++y) extend(x, y);
    }
    return std::nullopt;
  }

  MappedKernel lay(int columns) const {
    std::vector<int> entry(index_of(columns) + 1);  // row in which the state enters each column
    int y = end_;
    for (int x = columns; x >= 0; --x) {
      entry[index_of(x)] = y;
      y = at(x, y).from;
    }
    MappedKernel kernel = ripple_;
    Layout layout(columns, rows_);
    int phase = entry[0], p = 0;
    if (carry_in()) {
      for (InputSlot& in : kernel.inputs)
        if (in.slot.side == Side::W) in.slot = {Side::W, entry[0], phase};
    }
    for (int x = 0; x < columns; ++x) {
      const int from = entry[index_of(x)], to = entry[index_of(x) + 1];
      if (at(x + 1, to).position) {
        place(kernel, layout, p++, x, from, phase);
      } else if (p > 0 || carry_in()) {
        if (from != to) layout.wire(x, from, Side::W, from < to ? Side::S : Side::N, std::abs(to - from));
        layout.put(x, to, Side::E, from == to ? kFromW : from < to ? kFromN : kFromS);
        phase += std::abs(to - from);
      }
      ++phase;
      if (p == 0 && !carry_in()) phase += (x + 1 + to - phase) & 1;
    }
    kernel.grid = layout.config();
    normalise_phases(kernel);
    raise_lead(kernel);
    return kernel;
  }

 private:
  const Reached& at(int x, int y) const { return reached_[index_of(x)][index_of(y)]; }
  bool carry_in() const {
    return std::any_of(ripple_.inputs.begin(), ripple_.inputs.end(), [](const InputSlot& in) { return in.slot.side == Side::W; });
  }
  bool good_column(int x) const {
    for (int y = 0; y < rows_; ++y)
      if (bad_.touched(x, y)) return false;
    return true;
  }
  void reach(int x, int y, const Reached& how) {
    Reached& r = reached_[index_of(x)][index_of(y)];
    if (how.positions > r.positions) r = how;
  }
  void extend(int x, int y) {
    const Reached& now = at(x, y);
    if (now.positions < 0) return;
    if (good_column(x)) return reach(x + 1, y, {now.positions + 1, y, true});
    if (now.positions == 0 && !carry_in()) {  // there is no state yet
      for (int to = 0; to < rows_; ++to) reach(x + 1, to, {0, y, false});
      return;
    }
    if (bad_.bad_cell(x, y)) return;
    for (int to = y; to < rows_ && !bad_.bad_cell(x, to); ++to) {
      if (!bad_.bad_edge(x, to, Side::E)) reach(x + 1, to, {now.positions, y, false});
      if (bad_.bad_edge(x, to, Side::S)) break;
    }
    for (int to = y; to >= 0 && !bad_.bad_cell(x, to); --to) {
      if (!bad_.bad_edge(x, to, Side::E)) reach(x + 1, to, {now.positions, y, false});
      if (bad_.bad_edge(x, to, Side::N)) break;
    }
  }

  /// Position p at (x, y), which reads the state in `phase`.
  void place(MappedKernel& kernel, Layout& layout, int p, int x, int y, int phase) const {
    const std::array<Lut, 4> luts = cell_luts(ripple_.grid.at(p, 0));
    const bool last = p + 1 == ripple_.grid.width;
    const auto slot = [&](Side side) { return BitSlot{side, side == Side::E || side == Side::W ? y : x, phase}; };
    if (!last) layout.put(x, y, Side::E, luts[index_of(Side::E)]);
    const int above = y, below = rows_ - 1 - y;
    for (size_t i = 0; i < ripple_.inputs.size(); ++i) {
      const BitSlot& was = ripple_.inputs[i].slot;
      if (was.side == Side::W || was.position != p) continue;
      const int hops = was.side == Side::N ? above : below;
      if (hops > 0) layout.wire(x, was.side == Side::N ? 0 : rows_ - 1, was.side, opposite(was.side), hops);
      kernel.inputs[i].slot = slot(was.side);
      kernel.inputs[i].slot.phase -= hops;
    }
    for (size_t o = 0; o < ripple_.outputs.size(); ++o) {
      const BitSlot& was = ripple_.outputs[o];
      if (was.side == Side::E ? !last : was.position != p) continue;
      layout.put(x, y, was.side, luts[index_of(was.side)]);
      const int hops = was.side == Side::N ? above : was.side == Side::S ? below : 0;
      if (hops > 0) layout.wire(x, y + dy(was.side), opposite(was.side), was.side, hops);
      kernel.outputs[o] = slot(was.side);
      kernel.outputs[o].phase += hops;
    }
  }

  const MappedKernel& ripple_;
  const int rows_, most_;
  const DefectMap bad_;
  std::vector<std::vector<Reached>> reached_;  // [columns passed][row]
  int end_ = 0;
};

}  // namespace

std::optional<MappedKernel> ripple_detour(const MappedKernel& ripple, const Defects& defects, int most_rows) {
  std::optional<MappedKernel> best;
  for (int rows = 1; rows <= most_rows; ++rows) {
    RippleRow row(ripple, defects, rows);
    const auto columns = row.find(best ? std::ssize(best->grid.cells) : INT64_MAX);
    if (columns && (!best || int64_t{*columns} * rows < std::ssize(best->grid.cells))) best = row.lay(*columns);
  }
  return best;
}

}  // namespace bitgrid::mapping
