#include "reference_cpu/scaled/softmax.h"

#include <algorithm>
#include <cstddef>

namespace bitgrid::cpu {

namespace {

constexpr int64_t kMostScore = 32767;
constexpr int kUnitMantissaBits = 7;  // a mantissa of 128 counts as 1

/// Sum of a product of codes; the entry's own codes may be odd.
int64_t dot(std::span<const int64_t> query, int64_t query_sum, const CacheEntry& key) {
  int64_t sum = 0;
  for (size_t c = 0; c < query.size(); ++c) sum += query[c] * key.codes[c];
  return key.odd ? 2 * sum + query_sum : sum;
}

/// Adds the mix of positions begin .. end - 1, which are of one form, to `out`.
void add_mix(const CacheRing& values, size_t head, size_t begin, size_t end, std::span<const int64_t> weights, Scalar reciprocal,
             std::vector<int64_t>& out) {
  if (begin == end) return;
  int top = values.at(begin, head).exponent;
  for (size_t j = begin; j < end; ++j) top = std::max(top, values.at(j, head).exponent);
  std::vector<int64_t> sums(out.size());
  for (size_t j = begin; j < end; ++j) {
    const CacheEntry entry = values.at(j, head);
    const int64_t w = rounded_shift(weights[j] * entry.mantissa, kUnitMantissaBits + top - entry.exponent);
    if (w == 0) continue;
    for (size_t c = 0; c < sums.size(); ++c) sums[c] += w * entry.code(c);
  }
  const Scalar unit = shifted(reciprocal, top + kUnitMantissaBits + kMixBits);
  for (size_t c = 0; c < sums.size(); ++c) out[c] += scaled(sums[c], unit);
}

}  // namespace

std::vector<int64_t> attend_head(const HeadOperands& o, const ScaledTables& tables, HeadTrace* trace) {
  const size_t old = o.positions - std::min(o.positions, o.recent);
  int64_t query_sum = 0;
  for (const int64_t q : o.query) query_sum += q;
  std::vector<int64_t> scores(o.positions), weights(o.positions);
  for (size_t j = 0; j < o.positions; ++j) {
    const CacheEntry key = (j < old ? o.keys.old : o.keys.recent).at(j, o.head);
    const Scalar unit = multiply(o.score_unit, scalar(key.mantissa, key.exponent));
    scores[j] = std::clamp(scaled(dot(o.query, query_sum, key), unit), -kMostScore, kMostScore);
  }
  const int64_t top = *std::max_element(scores.begin(), scores.end());
  int64_t sum = 0;
  for (size_t j = 0; j < o.positions; ++j) {
    const int64_t d = top - scores[j];
    weights[j] = rounded_shift(tables.exponential[static_cast<size_t>(d) % tables.exponential.size()], d >> 4);
    sum += weights[j];
  }
  const Scalar reciprocal = divide(scalar(1), scalar(sum));
  std::vector<int64_t> out(o.query.size());
  add_mix(o.values.old, o.head, 0, old, weights, reciprocal, out);
  add_mix(o.values.recent, o.head, old, o.positions, weights, reciprocal, out);
  if (trace != nullptr) *trace = {std::move(scores), std::move(weights)};
  return out;
}

}  // namespace bitgrid::cpu
