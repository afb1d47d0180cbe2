// Stamps for the row ends of a systolic array. Each is two columns wide (L, R), the pitch of strips; data runs south in column R; marker
// lanes run east through all strips, two phases later a strip, like the data. Layouts and times are those of docs/stamps.md.
#pragma once

#include <cstdint>
#include <vector>

#include "lowering/mapping/canvas.h"

namespace bitgrid::mapping {

inline constexpr int kL = 0, kR = 1, kNext = 2;  // columns of a strip stamp

/// A marker lane of a strip stamp: a stream of period P (the word's slots) that enters column L of the first strip from the west in row
/// `row`.
struct Lane {
  int row = 0;    // relative to the stamp's first row
  int phase = 0;  // phase at which column L reads slot 0, relative to the phase at which (R, first row) reads slot 0 of the word
  std::vector<uint8_t> slots;  // P bits
};

/// A piece of a strip: a word stream enters (R, row 0) from the north and leaves (R, rows - 1) to the south. The layout is three columns
/// wide: the third (column L of the strip to the east, or one spare column after the last) bounces loops.
struct StripStamp {
  Layout layout;
  int rows = 0;
  int delay = 0;       // latch phase of slot 0 leaving the last row minus read phase of slot 0 at row 0
  int slot_shift = 0;  // the result's bit 0 is in this slot of the outgoing frame
  std::vector<Lane> lanes;
};

/// The low bits of a value, one for each slot of a word.
std::vector<uint8_t> slots_of(int64_t value, int word_slots);

/// Adds the word that enters (L, row 0) from the north one phase before the other enters (R, row 0). The sum must fit P bits.
/// `also_north`: it leaves (R, row 0) north, too.
StripStamp add_words_stamp(bool also_north = false);

/// Adds a constant: the word leaves as word + value. Must not overflow P bits.
StripStamp add_constant_stamp(int64_t value, int word_slots);

struct ClampParams {
  int word_slots = 0;  // P
  int shift = 0;       // s: the result is taken from bit s on
  int sign = 0;        // h: position of the sign above the shift; |v| + centre < 2^h
  int width = 0;       // w output bits
  bool low = false;    // value of the low bits when too small: true gives -(2^(w-1) - 1) in offset binary, false gives 0
};

/// What the incoming word must carry above v's own bits so that the clamp (low_profile_clamp.h) gives v + centre: ((1 << h) + centre) << s,
/// with centre = 1 << (w - 1) for signed outputs and 0 for outputs from 0 up.
int64_t clamp_bias(const ClampParams& params);
/// Smallest P for these shift, sign and width.
int clamp_word_slots(int shift, int sign, int width);

/// (u * m + k) >> 7 for 8-bit m, 0 <= k < 2^8, one slot of growth: the right-shifting multiplier. Marker lane i restarts the carries of
/// stage i.
StripStamp multiply_stamp(int m, int k, int word_slots);
inline constexpr int kMultiplierDrop = 7;  // bits that multiply_stamp shifts out

}  // namespace bitgrid::mapping
