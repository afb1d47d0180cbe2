#include "reference_cpu/scaled/softmax.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "ir/vectorised.h"

namespace bitgrid::cpu {

namespace {

constexpr int64_t kMostScore = 32767;
constexpr int kUnitMantissaBits = 7;  // a mantissa of 128 counts as 1

/// Sums of products of a query with keys that lie `stride` apart.
BITGRID_VECTORISED_INTEGERS void dots(const int16_t* query, size_t width, const int8_t* keys, size_t stride, size_t count, int32_t* sums) {
  for (size_t j = 0; j < count; ++j, keys += stride) {
    int32_t sum = 0;
    for (size_t c = 0; c < width; ++c) sum += query[c] * keys[c];
    sums[j] = sum;
  }
}

/// table[d mod 16] / 2^(d / 16), rounded, for the distances d of scores to the largest one. Returns their sum.
BITGRID_VECTORISED_INTEGERS int64_t weights_of(const int64_t* scores, size_t count, int64_t top, const int32_t* table, int64_t* weights) {
  int64_t sum = 0;
  for (size_t j = 0; j < count; ++j) {
    const int64_t d = top - scores[j];
    weights[j] = (((2 * int64_t{table[d & 15]}) >> std::min<int64_t>(d >> 4, 62)) + 1) >> 1;
    sum += weights[j];
  }
  return sum;
}

/// Scores of one head: 16 a doubling.
std::vector<int64_t> scores_of(const HeadOperands& o, size_t old) {
  const std::vector<int16_t> query(o.query.begin(), o.query.end());
  int64_t query_sum = 0;
  for (const int64_t q : o.query) query_sum += q;
  std::vector<int64_t> scores(o.positions);
  std::vector<int32_t> sums;
  for (size_t j = 0; j < o.positions;) {
    const CacheRing& ring = j < old ? o.keys.old : o.keys.recent;
    const CacheRun keys = ring.run(j, j < old ? old : o.positions, o.head);
    sums.resize(std::max(sums.size(), keys.count));
    dots(query.data(), query.size(), keys.codes, keys.stride(), keys.count, sums.data());
    int mantissa = -1;
    Scalar unit;
    for (size_t i = 0; i < keys.count; ++i, ++j) {
      if (keys.mantissas[i * keys.heads] != mantissa) {
        mantissa = keys.mantissas[i * keys.heads];
        unit = multiply(o.score_unit, scalar(mantissa));
      }
      const int64_t sum = ring.odd() ? 2 * sums[i] + query_sum : sums[i];
      scores[j] = std::clamp(scaled(sum, shifted(unit, keys.exponents[i * keys.heads])), -kMostScore, kMostScore);
    }
  }
  return scores;
}

constexpr size_t kRowsAtOnce = 4;

/// sums[c] += the sum of weights times codes of rows that begin at `begins`; a multiple of kRowsAtOnce of them.
BITGRID_VECTORISED_INTEGERS void add_products(const int32_t* weights, const size_t* begins, size_t count, const int8_t* codes, size_t width,
                                              int32_t* sums) {
  for (size_t j = 0; j < count; j += kRowsAtOnce) {
    const int8_t *a = codes + begins[j], *b = codes + begins[j + 1], *c = codes + begins[j + 2], *d = codes + begins[j + 3];
    for (size_t i = 0; i < width; ++i) sums[i] += weights[j] * a[i] + weights[j + 1] * b[i] + weights[j + 2] * c[i] + weights[j + 3] * d[i];
  }
}

/// Adds the mix of positions begin .. end - 1, which are of one form, to `out`.
void add_mix(const CacheRing& ring, size_t head, size_t begin, size_t end, std::span<const int64_t> weights, Scalar reciprocal,
             std::vector<int64_t>& out) {
  if (begin == end) return;
  constexpr size_t kPartialSums = 256;  // products of 14 and 8 bits that fit into 32
  int top = INT16_MIN;
  for (size_t j = begin; j < end;) {
    const CacheRun values = ring.run(j, end, head);
    for (size_t i = 0; i < values.count; ++i) top = std::max<int>(top, values.exponents[i * values.heads]);
    j += values.count;
  }
  std::vector<int64_t> sums(out.size());
  std::vector<int32_t> part(out.size());
  std::array<int32_t, kPartialSums> w;
  std::array<size_t, kPartialSums> begins;
  int64_t weight_sum = 0;
  for (size_t j = begin; j < end;) {
    const CacheRun values = ring.run(j, std::min(end, j + kPartialSums), head);
    size_t count = 0;
    for (size_t i = 0; i < values.count; ++i) {
      const int64_t own =
          rounded_shift(weights[j + i] * values.mantissas[i * values.heads], kUnitMantissaBits + top - values.exponents[i * values.heads]);
      if (own == 0) continue;
      weight_sum += own;
      w[count] = static_cast<int32_t>(own);
      begins[count++] = i * values.stride();
    }
    for (; count % kRowsAtOnce != 0; ++count) w[count] = 0, begins[count] = 0;
    std::fill(part.begin(), part.end(), 0);
    add_products(w.data(), begins.data(), count, values.codes, part.size(), part.data());
    for (size_t c = 0; c < sums.size(); ++c) sums[c] += part[c];
    j += values.count;
  }
  const Scalar unit = shifted(reciprocal, top + kUnitMantissaBits + kMixBits);
  for (size_t c = 0; c < sums.size(); ++c) out[c] += scaled(ring.odd() ? 2 * sums[c] + weight_sum : sums[c], unit);
}

}  // namespace

std::vector<int64_t> attend_head(const HeadOperands& o, const ScaledTables& tables, HeadTrace* trace) {
  const size_t old = o.positions - std::min(o.positions, o.recent);
  std::vector<int64_t> scores = scores_of(o, old), weights(o.positions);
  const int64_t top = *std::max_element(scores.begin(), scores.end());
  const int64_t sum = weights_of(scores.data(), o.positions, top, tables.exponential.data(), weights.data());
  const Scalar reciprocal = divide(scalar(1), scalar(sum));
  std::vector<int64_t> out(o.query.size());
  add_mix(o.values.old, o.head, 0, old, weights, reciprocal, out);
  add_mix(o.values.recent, o.head, old, o.positions, weights, reciprocal, out);
  if (trace != nullptr) *trace = {std::move(scores), std::move(weights)};
  return out;
}

}  // namespace bitgrid::cpu
