#include "reference_cpu/scaled/softmax.h"

#include <algorithm>
#include <cstddef>

#include "ir/vectorised.h"

namespace bitgrid::cpu {

namespace {

constexpr int64_t kMostScore = 32767;
constexpr int kUnitMantissaBits = 7;  // a mantissa of 128 counts as 1

/// Sum of products of codes of eight bits.
BITGRID_VECTORISED int32_t dot(const int16_t* query, const int8_t* key, size_t count) {
  int32_t sum = 0;
  for (size_t c = 0; c < count; ++c) sum += query[c] * key[c];
  return sum;
}

BITGRID_VECTORISED void add_product(int32_t* sums, int32_t weight, const int8_t* codes, size_t count) {
  for (size_t c = 0; c < count; ++c) sums[c] += weight * codes[c];
}

/// Adds the mix of positions begin .. end - 1, which are of one form, to `out`.
void add_mix(const CacheRing& values, size_t head, size_t begin, size_t end, std::span<const int64_t> weights, Scalar reciprocal,
             std::vector<int64_t>& out) {
  if (begin == end) return;
  constexpr size_t kPartialSums = 256;  // products of 14 and 8 bits that fit into 32
  int top = values.at(begin, head).exponent;
  for (size_t j = begin; j < end; ++j) top = std::max(top, values.at(j, head).exponent);
  std::vector<int64_t> sums(out.size());
  std::vector<int32_t> part(out.size());
  int64_t weight_sum = 0;
  const auto flush = [&] {
    for (size_t c = 0; c < sums.size(); ++c) sums[c] += part[c];
    std::fill(part.begin(), part.end(), 0);
  };
  for (size_t j = begin; j < end; ++j) {
    const CacheEntry entry = values.at(j, head);
    const int64_t w = rounded_shift(weights[j] * entry.mantissa, kUnitMantissaBits + top - entry.exponent);
    weight_sum += w;
    if (w != 0) add_product(part.data(), static_cast<int32_t>(w), entry.codes.data(), part.size());
    if ((j - begin) % kPartialSums == kPartialSums - 1) flush();
  }
  flush();
  const bool odd = values.at(begin, head).odd;
  const Scalar unit = shifted(reciprocal, top + kUnitMantissaBits + kMixBits);
  for (size_t c = 0; c < sums.size(); ++c) out[c] += scaled(odd ? 2 * sums[c] + weight_sum : sums[c], unit);
}

}  // namespace

std::vector<int64_t> attend_head(const HeadOperands& o, const ScaledTables& tables, HeadTrace* trace) {
  const size_t old = o.positions - std::min(o.positions, o.recent);
  const std::vector<int16_t> query(o.query.begin(), o.query.end());
  int64_t query_sum = 0;
  for (const int64_t q : o.query) query_sum += q;
  std::vector<int64_t> scores(o.positions), weights(o.positions);
  for (size_t j = 0; j < o.positions; ++j) {
    const CacheEntry key = (j < old ? o.keys.old : o.keys.recent).at(j, o.head);
    const Scalar unit = multiply(o.score_unit, scalar(key.mantissa, key.exponent));
    const int64_t sum = dot(query.data(), key.codes.data(), query.size());
    scores[j] = std::clamp(scaled(key.odd ? 2 * sum + query_sum : sum, unit), -kMostScore, kMostScore);
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
