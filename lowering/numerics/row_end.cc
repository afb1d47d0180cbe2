#include "lowering/numerics/row_end.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "ir/index.h"
#include "lowering/mapping/matrix/row_end_stamps.h"
#include "lowering/numerics/kernel_dag.h"

namespace bitgrid::numerics {

int bits_of(int64_t value) {
  return int_of(std::bit_width(static_cast<uint64_t>(value)));
}

namespace {

template <typename T>
int64_t per_row(const std::vector<T>& values, size_t row, int64_t absent) {
  return values.empty() ? absent : static_cast<int64_t>(values[values.size() == 1 ? 0 : row]);
}

int result_bits(int lo, int hi) {
  return bits_of(hi) + (lo < 0 ? 1 : 0);
}

/// Shifts that a multiplier costs less than the stamp's own: multiplier << by fits 8 bits.
int raise_to_stamp(int shift, const std::vector<int>& multiplier) {
  const int by = std::max(0, mapping::kMultiplierDrop - shift);
  for (const int m : multiplier) {
    if ((m << by) >= 256) return -1;
  }
  return by;
}

/// (sum * multiplier) << -shift. A factor above `hi` takes whatever is not 0 out of range, so that larger ones do the same.
void take_left_shift(NormalRequantise& n) {
  int common = 64;
  std::vector<int64_t> factor;
  for (const int m : n.multiplier) {
    factor.push_back(std::min(int64_t{m} << -n.shift, int64_t{n.hi} + 1));
    common = std::min(common, std::countr_zero(static_cast<uint64_t>(factor.back())));
  }
  for (size_t r = 0; r < factor.size(); ++r) n.multiplier[r] = int_of(factor[r] >> common);
  n.left = common;
  n.shift = 0;
}

}  // namespace

NormalRequantise normalise(const Requantise& rq, int rows, bool foldable) {
  NormalRequantise n;
  n.shift = rq.shift;
  n.lo = rq.lo;
  n.hi = rq.hi;
  const auto count = index_of(rows);
  n.weight_factor.assign(count, 1);
  n.multiplier.resize(count);
  for (size_t r = 0; r < count; ++r) {
    n.bias.push_back(per_row(rq.bias, r, 0));
    n.multiplier[r] = int_of(per_row(rq.multiplier, r, 1));
  }
  const auto first = static_cast<unsigned>(n.multiplier[0]);
  if (std::has_single_bit(first) && std::all_of(n.multiplier.begin(), n.multiplier.end(), [&](int m) { return m == n.multiplier[0]; })) {
    n.shift -= std::countr_zero(first);
    n.multiplier.assign(count, 1);
  }
  if (n.shift < 0) take_left_shift(n);
  if (std::all_of(n.multiplier.begin(), n.multiplier.end(), [](int m) { return m == 1; })) return n;
  if (const int by = raise_to_stamp(n.shift, n.multiplier); by >= 0) {
    n.multiply = true;
    n.shift += by;
    for (int& m : n.multiplier) m <<= by;
  } else if (foldable) {
    for (size_t r = 0; r < count; ++r) n.weight_factor[r] = n.multiplier[r];
    n.multiplier.assign(count, 1);
  } else {
    // What the multipliers have no room for the sums take over.
    const int room = 8 - bits_of(*std::max_element(n.multiplier.begin(), n.multiplier.end()));
    n.multiply = true;
    n.left += mapping::kMultiplierDrop - n.shift - room;
    n.shift = mapping::kMultiplierDrop;
    for (int& m : n.multiplier) m <<= room;
  }
  return n;
}

RowEnd plan_clamp(const NormalRequantise& n, const std::vector<Range>& y, int extra_sign_bits) {
  RowEnd end;
  end.requantise = n;
  const int s = n.shift, w = result_bits(n.lo, n.hi);
  const int64_t centre = n.lo < 0 ? int64_t{1} << (w - 1) : 0, half = s > 0 ? int64_t{1} << (s - 1) : 0;
  int h = w + 1;
  for (size_t r = 0; r < y.size(); ++r) {
    for (const int64_t value : {y[r].lo, y[r].hi}) {
      const int64_t v = ((value + n.bias[r]) * n.scale(r) * n.multiplier[r] + half) >> s;
      h = std::max(h, bits_of(std::abs(v) + centre + 1));
    }
  }
  h += extra_sign_bits;
  end.clamp = {s, h, w, n.lo < 0};
  end.multiply = n.multiply;
  end.multiplier = n.multiplier;
  const int64_t bias = mapping::clamp_bias({0, s, h, w, n.lo < 0}) + half;
  for (size_t r = 0; r < y.size(); ++r) {
    const int64_t m = n.multiplier[r];
    end.total.push_back(n.bias[r] * n.scale(r) + bias / m);
    end.multiplier_constant.push_back(int_of(bias % m));
    const int64_t top = y[r].hi * n.scale(r) + end.total[r];
    end.min_word_slots = std::max(end.min_word_slots, bits_of(top) + (n.multiply ? 1 : 0));
  }
  if (n.multiply) end.clamp.shift -= mapping::kMultiplierDrop;
  end.min_word_slots = std::max(end.min_word_slots, mapping::clamp_word_slots(end.clamp.shift, h, w));
  end.encoding = {id_of(w), 1, {-centre}};
  end.max_code = static_cast<uint64_t>(n.hi + centre);
  return end;
}

int sign_word_slots(const Sign& sign, const std::vector<Range>& y) {
  int p = 2;
  for (size_t r = 0; r < y.size(); ++r) {
    const int64_t b = per_row(sign.bias, r, 0);
    p = std::max({p, bits_of(std::abs(y[r].lo + b)) + 1, bits_of(std::abs(y[r].hi + b)) + 1});
  }
  return p;
}

RowEnd plan_sign(const Sign& sign, const std::vector<Range>& y, int word_slots) {
  RowEnd end;
  end.sign = true;
  end.min_word_slots = word_slots;
  for (size_t r = 0; r < y.size(); ++r) end.total.push_back(per_row(sign.bias, r, 0) + (int64_t{1} << (word_slots - 1)));
  end.multiplier.assign(y.size(), 1);
  end.multiplier_constant.assign(y.size(), 0);
  end.encoding = {1, 2, {-1}};
  end.max_code = 1;
  return end;
}

NodeId result_node(Dag& dag, NodeId sum, const RowEnd& end, size_t r, int64_t sum_offset) {
  const uint32_t width = dag.node(sum).width;
  if (end.sign) {  // y + bias >= 0: the top bit of y + bias + 2^(P - 1)
    Sum biased(dag, width);
    biased.add(sum);
    biased.add_constant(end.total[r] - sum_offset);
    return add_slice(dag, biased.finish(), width - 1, 1);
  }
  const NormalRequantise& n = end.requantise;
  const int64_t half = n.shift > 0 ? int64_t{1} << (n.shift - 1) : 0, m = n.multiplier[r];
  const auto shift = id_of(n.shift);
  // t = (y + bias) * m + half + (offset << shift) with y + bias = sum + (bias - sum_offset).
  const auto offset_bits = std::max(id_of(end.clamp.sign), end.encoding.bits) + 1;
  const int64_t offset = int64_t{1} << offset_bits;
  const uint32_t t_bits = offset_bits + shift + 1;
  Sum t(dag, t_bits);
  t.add(multiply(dag, sum, m, t_bits));
  t.add_constant((n.bias[r] * n.scale(r) - sum_offset) * m + half + (offset << shift));
  return clamp_code(dag, t.finish(), shift, offset, n.lo, n.hi, -end.encoding.zero[0], end.encoding.bits);
}

Encoding activation_encoding(const Activation& activation) {
  if (std::holds_alternative<Sign>(activation)) return {1, 2, {-1}};
  const auto& rq = std::get<Requantise>(activation);
  const int w = result_bits(rq.lo, rq.hi);
  return {id_of(w), 1, {rq.lo < 0 ? -(int64_t{1} << (w - 1)) : 0}};
}

uint64_t activation_max_code(const Activation& activation) {
  if (std::holds_alternative<Sign>(activation)) return 1;
  const auto& rq = std::get<Requantise>(activation);
  return static_cast<uint64_t>(rq.hi - activation_encoding(activation).zero[0]);
}

}  // namespace bitgrid::numerics
