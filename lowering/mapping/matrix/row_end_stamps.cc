#include "lowering/mapping/matrix/row_end_stamps.h"

#include <algorithm>
#include <cassert>

#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

/// A stream of period p that is 1 in the given slots, modulo p.
std::vector<uint8_t> marker(int p, int first, int last) {
  std::vector<uint8_t> slots(index_of(p));
  for (int s = first; s <= last; ++s) slots[index_of(((s % p) + p) % p)] = 1;
  return slots;
}

void tap_lane_at_r(Layout& g, int row) {  // the lane in this row is handed north in column R
  g.wire(kL, row, Side::W, "EE");
  g.wire(kR, row, Side::W, "N");
}

}  // namespace

std::vector<uint8_t> slots_of(int64_t value, int word_slots) {
  std::vector<uint8_t> bits(index_of(word_slots));
  for (int k = 0; k < word_slots && k < 63; ++k) bits[index_of(k)] = (value >> k) & 1;
  return bits;
}

StripStamp add_words_stamp(bool also_north) {
  Layout g(3, 1);
  constexpr Lut kSum = lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; });
  g.wire(kL, 0, Side::N, "E");
  g.put(kR, 0, Side::S, kSum);
  if (also_north) g.put(kR, 0, Side::N, kSum);
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
  assert(value >> std::min(word_slots, 62) == 0);
  return {std::move(g), 2, 1, 0, {{1, -2, slots_of(value, word_slots)}}};
}

int64_t clamp_bias(const ClampParams& p) {
  const int64_t centre = p.low ? int64_t{1} << (p.width - 1) : 0;
  return ((int64_t{1} << p.sign) + centre) << p.shift;
}

int clamp_word_slots(int shift, int sign, int width) {
  return std::max(sign + width + 2, shift + sign + 1);
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

}  // namespace bitgrid::mapping
