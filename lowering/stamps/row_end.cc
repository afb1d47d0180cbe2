#include "lowering/stamps/row_end.h"

#include <algorithm>
#include <cassert>
#include <initializer_list>

namespace bitgrid {
namespace {

constexpr int kL = 0, kR = 1, kNext = 2;  // columns of a strip stamp

/// A stream of period p that is 1 in the given slots, modulo p.
std::vector<uint8_t> marker(int p, int first, int last) {
  std::vector<uint8_t> slots(static_cast<size_t>(p));
  for (int s = first; s <= last; ++s) slots[static_cast<size_t>(((s % p) + p) % p)] = 1;
  return slots;
}

void set_slot(std::vector<uint8_t>& slots, int slot) {
  slots[static_cast<size_t>(slot) % slots.size()] = 1;
}

/// The flag node of the clamp: (v, c) = 00 accumulate, 01 restart, 10 sample, 11 hold; z the word, q the flag so far.
constexpr bool flag_node(bool z, bool q, bool v, bool c) {
  return v ? (c ? q : (z && q)) : (c ? z : (z || q));
}

constexpr Lut kAnyFlag = lut([](bool n, bool e, bool s, bool w) { return flag_node(n, e, s, w); });
// For outputs from 0 up the range flag needs no restart: it samples with accumulation off.
constexpr Lut kUnsignedRangeFlag = lut([](bool n, bool e, bool s, bool w) { return s && (w ? e : n); });
constexpr Lut kOrNE = lut([](bool n, bool e, bool, bool) { return n || e; });

void tap_lane_at_r(Layout& g, int row) {  // the lane in this row is handed north in column R
  g.wire(kL, row, Side::W, "EE");
  g.wire(kR, row, Side::W, "N");
}

}  // namespace

StripStamp add_words_stamp() {
  Layout g(3, 1);
  g.wire(kL, 0, Side::N, "E");
  g.put(kR, 0, Side::S, lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }));
  g.put(kR, 0, Side::E, lut([](bool n, bool e, bool, bool w) { return majority(n, e, w); }));
  g.wire(kNext, 0, Side::W, "W");
  return {std::move(g), 1, 0, 0, {}};
}

StripStamp add_constant_stamp(int64_t value, int word_slots) {
  assert(value >= 0);
  Layout g(3, 2);
  g.put(kR, 0, Side::S, lut([](bool n, bool e, bool s, bool) { return n ^ e ^ s; }));
  g.put(kR, 0, Side::E, lut([](bool n, bool e, bool s, bool) { return majority(n, e, s); }));
  g.wire(kNext, 0, Side::W, "W");
  tap_lane_at_r(g, 1);
  g.wire(kR, 1, Side::N, "S");
  Lane lane{1, -2, std::vector<uint8_t>(static_cast<size_t>(word_slots))};
  for (int k = 0; k < word_slots && k < 63; ++k) lane.slots[static_cast<size_t>(k)] = static_cast<uint8_t>((value >> k) & 1);
  assert(value >> std::min(word_slots, 62) == 0);
  return {std::move(g), 2, 1, 0, {lane}};
}

int64_t clamp_bias(const ClampParams& p) {
  const int64_t centre = p.low ? int64_t{1} << (p.width - 1) : 0;
  return ((int64_t{1} << p.sign) + centre) << p.shift;
}

int clamp_word_slots(int shift, int sign, int width) {
  return std::max(sign + width + 2, shift + sign + 1);
}

StripStamp clamp_stamp(const ClampParams& p) {
  const int s = p.shift, h = p.sign, w = p.width, P = p.word_slots;
  assert(s >= 0 && h > w && w >= 1 && P >= clamp_word_slots(s, h, w));
  for (int d = h / 2 + 2;; ++d) {           // rows of delay line; one more where the router finds no path
    const int o = d, k = d + 1, j = d + 4;  // rows of the or-gate, the overflow flag, the range flag
    Layout g(3, d + 10);
    for (int r = 0; r < k; ++r) g.wire(kR, r, Side::N, "S");  // the word
    // Overflow flag at (R, k): word from N, marker V1 from S, A from W, loop through the strip to the east.
    g.wire(kR, k, Side::N, "SSS");
    g.put(kR, k, Side::E, kAnyFlag);
    g.put(kR, k, Side::N, kAnyFlag);
    g.wire(kNext, k, Side::W, "W");
    g.wire(kL, k + 2, Side::W, "NNE");
    g.wire(kR, k + 1, Side::W, "N");
    // Or-gate at (L, o): delayed word from N, flag from E.
    g.wire(kR, o, Side::S, "W");
    g.put(kL, o, Side::S, kOrNE);
    const auto path = find_delay_path(g, kR, o - 1, kL, o - 1, Side::S, 2 * h + 4, Box{kL, 0, kR, o - 1});
    if (!path) {
      assert(d < 64 && "a delay line fits a box of this size");
      continue;
    }
    g.wire(kR, o - 1, Side::N, *path);
    for (int r = k; r < j + 3; ++r) g.wire(kL, r, Side::N, "S");
    // Range flag at (R, j): word from N, V2 from S, B from W, loop through the strip to the east.
    const Lut range = p.low ? kAnyFlag : kUnsignedRangeFlag;
    g.put(kR, j, Side::S, range);
    g.put(kR, j, Side::E, range);
    g.wire(kNext, j, Side::W, "W");
    g.wire(kL, j + 2, Side::W, "NNE");
    g.wire(kR, j + 1, Side::W, "N");
    g.wire(kR, j + 1, Side::N, "SS");
    // Output at (R, j + 3): range flag from N, word from W, window V3 from S, first slot F from E.
    g.wire(kL, j + 3, Side::N, "E");
    g.put(kR, j + 3, Side::S,
          p.low ? lut([](bool n, bool e, bool s_, bool w_) { return s_ && (n ? w_ : e); })
                : lut([](bool n, bool, bool s_, bool w_) { return s_ && n && w_; }));
    g.wire(kR, j + 4, Side::W, "N");
    g.wire(kNext, j + 5, Side::W, "NNW");
    g.wire(kR, j + 4, Side::N, "SS");
    for (const int r : {k + 1, k + 2, j + 1, j + 2, j + 4, j + 5}) g.wire(kL, r, Side::W, "EE");
    const int top = s + h,
              t = 1;  // phases are relative to slot 0 at (R, 0), which is read at phase 1 when slot 0 is on the wavefront x + y
    Lane a{k + 2, k - 2 - t, marker(P, top + 1, top + w - 1)};
    set_slot(a.slots, s + w);
    Lane b{j + 2, j - 2 - t, marker(P, top + 1, top + w + 1)};
    set_slot(b.slots, s);
    std::vector<Lane> lanes = {{k + 1, k - 1 - t, marker(P, top, top + w - 1)}, std::move(a),
                               {j + 1, j - 1 - t, marker(P, top, top + w + 1)}, std::move(b),
                               {j + 4, j + 6 - t, marker(P, top, top + w - 1)}, {j + 5, j + 3 - t, marker(P, top, top)}};
    return {std::move(g), d + 10, j + 10 - t, top, std::move(lanes)};
  }
}

StripStamp multiply_stamp(int m, int k, int word_slots) {
  constexpr int kDigits = 8;
  assert(m >= 0 && m < 256 && k >= 0 && k < 256);
  Layout g(3, 2 * kDigits + 1);
  g.wire(kR, 0, Side::N, "WS");  // u comes down column R and goes on in column L
  std::vector<Lane> lanes;
  for (int i = 0; i < kDigits; ++i) {
    const int r = 2 * i + 1;
    const bool m_i = (m >> i) & 1, k_i = (k >> i) & 1;
    g.wire(kL, r, Side::N, i + 1 < kDigits ? "EWSS" : "E");  // u: into R and back, then down
    g.put(kR, r, Side::S, lut([=](bool n, bool e, bool s, bool w) { return (n && !s) ^ (m_i && w) ^ e; }));
    g.put(kR, r, Side::E, lut([=](bool n, bool e, bool s, bool w) { return s ? k_i : majority(n, m_i && w, e); }));
    g.wire(kNext, r, Side::W, "W");
    tap_lane_at_r(g, r + 1);
    g.wire(kR, r + 1, Side::N, "S");
    lanes.push_back({r + 1, 4 * i + 1, marker(word_slots, word_slots - 1, word_slots - 1)});
  }
  return {std::move(g), 2 * kDigits + 1, 4 * kDigits, 0, std::move(lanes)};
}

}  // namespace bitgrid
