#include "lowering/mapping/matrix/low_profile_clamp.h"

#include <cassert>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

constexpr int kMostDelayRows = 64;

/// What a flag does with the word's bit z in a slot.
enum class FlagOp { kAccumulate, kRestart, kSample, kHold };

constexpr bool flag_after(FlagOp op, bool z, bool q) {
  switch (op) {
    case FlagOp::kAccumulate:
      return z || q;
    case FlagOp::kRestart:
      return z;
    case FlagOp::kSample:
      return z && q;
    case FlagOp::kHold:
      return q;
  }
  return q;
}

/// Two control bits choose the operation. `v`, `c`: the slots in which they are 1 are added by set().
struct Control {
  std::vector<uint8_t> v, c;
  explicit Control(int word_slots) : v(index_of(word_slots)), c(v) {}
  void set(int first, int last, bool v_on, bool c_on) {
    for (int s = first; s <= last; ++s) {
      const size_t i = index_of(s) % v.size();
      v[i] = v_on, c[i] = c_on;
    }
  }
};

/// The word from N, itself from E, V from S, C from W.
template <FlagOp V0C0, FlagOp V0C1, FlagOp V1C0, FlagOp V1C1>
constexpr Lut flag_lut() {
  return lut([](bool n, bool e, bool s, bool w) { return flag_after(s ? (w ? V1C1 : V1C0) : (w ? V0C1 : V0C0), n, e); });
}
constexpr Lut kFlag = flag_lut<FlagOp::kAccumulate, FlagOp::kRestart, FlagOp::kSample, FlagOp::kHold>();
// C is 0 in the first slot of holding, where the lower end of the range has its 1, and after which a result of two bits holds no more.
constexpr Lut kHoldFirstFlag = flag_lut<FlagOp::kAccumulate, FlagOp::kRestart, FlagOp::kHold, FlagOp::kSample>();
// Results from 0 up: the sign alone.
constexpr Lut kSignFlag = flag_lut<FlagOp::kRestart, FlagOp::kRestart, FlagOp::kRestart, FlagOp::kHold>();

/// How the 1 of the lower end of the range gets to the result.
enum class LowEnd {
  kNone,       // results from 0 up
  kFromZeros,  // C is 0 in the result's first slot: the word's bits are 0 there, so that to accumulate is to hold
  kFromHold,   // C is 0 in the result's first slot, which is the only one in which the flag must hold
  kLane,       // a lane of its own
};

LowEnd low_end(const ClampParams& p) {
  if (!p.low) return LowEnd::kNone;
  if (p.word_slots >= p.shift + p.sign + 2) return LowEnd::kFromZeros;
  return p.width == 2 ? LowEnd::kFromHold : LowEnd::kLane;
}

Control overflow_control(const ClampParams& p) {
  const int top = p.shift + p.sign;
  Control control(p.word_slots);
  control.set(p.shift + p.width, p.shift + p.width, false, true);
  control.set(top, top, true, false);
  control.set(top + 1, top + p.width - 1, true, true);
  return control;
}

Control range_control(const ClampParams& p, LowEnd low) {
  const int top = p.shift + p.sign;
  Control control(p.word_slots);
  if (low != LowEnd::kNone) control.set(p.shift, p.shift, false, true);
  control.set(top, top, true, low == LowEnd::kFromHold);
  control.set(top + 1, top + p.width, true, true);
  if (low == LowEnd::kFromZeros) control.set(top + 1, top + 1, false, false);
  if (low == LowEnd::kFromHold) control.set(top + 1, top + 1, true, false);
  return control;
}

/// The result at column L of row y: the word from N, the flag that says that it is in range from E, what tells its first slot from S (then
/// it is 0 there) or from a lane W.
void put_result(Layout& g, int y, LowEnd low) {
  switch (low) {
    case LowEnd::kNone:
      return g.put(kL, y, Side::S, lut([](bool n, bool e, bool, bool) { return n && e; }));
    case LowEnd::kLane:
      return g.put(kL, y, Side::S, lut([](bool n, bool e, bool, bool w) { return e ? n : w; }));
    default:
      return g.put(kL, y, Side::S, lut([](bool n, bool e, bool s, bool) { return e ? n : !s; }));
  }
}

/// Rows from `k` on; the word comes down column R and its late copy down column L. Returns how many there are.
int put_core(Layout& g, int k, LowEnd low) {
  const int v = k + 1, a = k + 2, j = k + 3;
  // Overflow flag at (R, k), or-gate at (L, k).
  for (const Side side : {Side::E, Side::W}) g.put(kR, k, side, kFlag);
  g.wire(kNext, k, Side::W, "W");
  g.put(kL, k, Side::S, lut([](bool n, bool e, bool, bool) { return n || e; }));
  g.wire(kR, v, Side::W, "N");
  g.wire(kL, a, Side::W, "NNE");
  for (const int row : {v, a}) g.wire(kL, row, Side::W, "EE");
  g.wire(kR, k, Side::N, "SSS");
  g.wire(kL, v, Side::N, "SS");
  // Range flag at (R, j).
  const bool lane = low == LowEnd::kLane;
  const Lut range = low == LowEnd::kNone ? kSignFlag : low == LowEnd::kFromHold ? kHoldFirstFlag : kFlag;
  for (const Side side : {Side::E, lane ? Side::S : Side::W}) g.put(kR, j, side, range);
  g.wire(kNext, j, Side::W, "W");
  if (!lane) {
    g.wire(kL, j, Side::S, "E");
    put_result(g, j, low);
    return 4;
  }
  g.wire(kL, j, Side::N, "S");
  g.wire(kL, j + 1, Side::S, "NE");
  g.wire(kR, j + 1, Side::S, "N");
  g.wire(kR, j + 1, Side::N, "W");
  g.wire(kL, j + 1, Side::W, "EE");
  put_result(g, j + 1, low);
  return 5;
}

}  // namespace

DelayLine delay_line(int hops) {
  for (int rows = (hops + 4) / 4; rows < kMostDelayRows; ++rows) {
    Layout g(2, rows);
    for (int r = 0; r < rows; ++r) g.wire(kR, r, Side::N, "S");
    auto path = find_delay_path(g, kR, rows - 1, kL, rows - 1, Side::S, hops, Box{kL, 0, kR, rows - 1});
    if (path) return {rows, std::move(*path)};
  }
  assert(false && "a delay line fits a box of this size");
  return {};
}

FlatClamp flat_clamp(const ClampParams& p, bool with_delay_line) {
  const int s = p.shift, h = p.sign, w = p.width, top = s + h;
  assert(s >= 0 && h > w && w >= 1 && p.word_slots >= clamp_word_slots(s, h, w));
  const LowEnd low = low_end(p);
  const DelayLine line = with_delay_line ? delay_line(clamp_copy_hops(h)) : DelayLine{};
  const int d = line.rows;
  Layout g(3, d + (low == LowEnd::kLane ? 5 : 4));
  g.wire(kR, 0, Side::N, Side::S, d);
  if (d > 0) g.wire(kR, d - 1, Side::N, line.copy);
  const int rows = d + put_core(g, d, low), last = rows - 1;
  // On the wavefront (R, y) reads slot 0 in phase y, (L, y) in phase y - 1; each hop north costs two phases.
  Control overflow = overflow_control(p), range = range_control(p, low);
  std::vector<Lane> lanes = {{d + 1, d - 2, std::move(overflow.v)}, {d + 2, d - 3, std::move(overflow.c)}};
  const int late = low == LowEnd::kLane ? 2 : 0;
  if (low == LowEnd::kLane) {
    lanes.push_back({last, last - 1, std::vector<uint8_t>(index_of(p.word_slots))});
    lanes.back().slots[index_of(top + 1) % lanes.back().slots.size()] = 1;
  }
  std::vector<StripFeed> feeds = {{kL, last - 1 - late, std::move(range.c)}, {kR, last - late, std::move(range.v)}};
  // The range flag is a cycle late at the result.
  return {{std::move(g), rows, last - 1 + 2, top, std::move(lanes)}, std::move(feeds), clamp_copy_late(h)};
}

}  // namespace bitgrid::mapping
