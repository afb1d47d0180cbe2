// Stamps for the row ends of a systolic array. Each is two columns wide (L, R), which is the pitch of strips. Data runs south in column R.
// Marker lanes run east through all strips and, like the data, reach each strip two phases after the one before. docs/stamps.md gives
// layouts and times.
#pragma once

#include <cstdint>
#include <vector>

#include "lowering/mapping/canvas.h"

namespace bitgrid::mapping {

inline constexpr int kL = 0, kR = 1, kNext = 2;  // columns of a strip stamp

/// A marker lane of a strip stamp: a stream of period P (the slots of the word) that enters column L of the first strip from the west in
/// row `row`.
struct Lane {
  int row = 0;                 // relative to the stamp's first row
  int phase = 0;               // in which column L reads slot 0, relative to the phase in which (R, first row) reads slot 0 of the word
  std::vector<uint8_t> slots;  // P bits
};

/// A piece of a strip. A word stream enters (R, row 0) from the north and leaves (R, rows - 1) to the south. The layout is three columns
/// wide. The third column bounces loops; it is column L of the strip to the east, or a spare column after the last strip.
struct StripStamp {
  Layout layout;
  int rows = 0;
  int delay = 0;       // latch phase of slot 0 leaving the last row, minus read phase of slot 0 at row 0
  int slot_shift = 0;  // slot of the outgoing frame that holds the result's bit 0
  std::vector<Lane> lanes;
};

/// Returns the low bits of a value, one per slot of a word.
std::vector<uint8_t> slots_of(int64_t value, int word_slots);

/// Adds the word that enters (L, row 0) from the north one phase before the other enters (R, row 0). The sum must fit in P bits. With
/// `also_north`, it also leaves (R, row 0) to the north.
StripStamp add_words_stamp(bool also_north = false);

/// Adds a constant: the word leaves as word + value. It must not overflow P bits.
StripStamp add_constant_stamp(int64_t value, int word_slots);

struct ClampParams {
  int word_slots = 0;  // P
  int shift = 0;       // s: the result starts at bit s
  int sign = 0;        // h: position of the sign above the shift; |v| + centre < 2^h
  int width = 0;       // w output bits
  bool low = false;    // result when the value is too small: true gives -(2^(w-1) - 1) in offset binary, false gives 0
};

/// Returns what the incoming word must carry in addition to v's own bits so that the clamp (low_profile_clamp.h) gives v + centre: ((1 <<
/// h) + centre) << s, with centre = 1 << (w - 1) for signed outputs and 0 for outputs from 0 up.
int64_t clamp_bias(const ClampParams& params);
/// Returns the smallest P for this shift, sign and width.
int clamp_word_slots(int shift, int sign, int width);

/// The right-shifting multiplier: (u * m + k) >> 7 for 8-bit m, 0 <= k < 2^8, with one slot of growth. Marker lane i restarts the carries
/// of stage i.
StripStamp multiply_stamp(int m, int k, int word_slots);
inline constexpr int kMultiplierDrop = 7;  // bits that multiply_stamp shifts out

}  // namespace bitgrid::mapping
