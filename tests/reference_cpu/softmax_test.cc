// Attention of one head against its formula, element by element.
#include "reference_cpu/scaled/softmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace bitgrid::cpu {
namespace {

ScaledTables tables() {
  ScaledTables t;
  for (int i = 0; i < 16; ++i) t.exponential.push_back(static_cast<int32_t>(std::lround(4095.0 * std::exp2(-i / 16.0))));
  t.mean_step.assign(8, constant(0.6));
  return t;
}

LayerCache cache(const CacheForm& form, size_t heads, size_t width, size_t recent) {
  return {CacheRing(heads, width, form, 0), CacheRing(heads, width, {}, std::max<size_t>(recent, 1))};
}

CacheEntry entry(const LayerCache& c, const HeadOperands& o, size_t j) {
  return (j + o.recent < o.positions ? c.old : c.recent).at(j, o.head);
}

std::vector<int64_t> by_the_formula(const HeadOperands& o, const ScaledTables& t) {
  std::vector<int64_t> scores, weights, out(o.query.size());
  for (size_t j = 0; j < o.positions; ++j) {
    const CacheEntry key = entry(o.keys, o, j);
    int64_t sum = 0;
    for (size_t c = 0; c < o.query.size(); ++c) sum += o.query[c] * key.code(c);
    scores.push_back(std::clamp<int64_t>(scaled(sum, multiply(o.score_unit, scalar(key.mantissa, key.exponent))), -32767, 32767));
  }
  int64_t total = 0;
  for (const int64_t s : scores) {
    const int64_t d = *std::max_element(scores.begin(), scores.end()) - s;
    weights.push_back(rounded_shift(t.exponential[static_cast<size_t>(d % 16)], d / 16));
    total += weights.back();
  }
  const size_t old = o.positions - std::min(o.positions, o.recent);
  for (const auto& [begin, end] : {std::pair(size_t{0}, old), std::pair(old, o.positions)}) {
    if (begin == end) continue;
    int top = INT16_MIN;
    for (size_t j = begin; j < end; ++j) top = std::max(top, entry(o.values, o, j).exponent);
    for (size_t c = 0; c < out.size(); ++c) {
      int64_t sum = 0;
      for (size_t j = begin; j < end; ++j) {
        const CacheEntry v = entry(o.values, o, j);
        sum += v.code(c) * rounded_shift(weights[j] * v.mantissa, 7 + top - v.exponent);
      }
      out[c] += scaled(sum, shifted(divide(scalar(1), scalar(total)), top + 7 + kMixBits));
    }
  }
  return out;
}

TEST(Softmax, IsItsFormula) {
  std::mt19937 random(1);
  const auto number = [&](int most) { return static_cast<int64_t>(random() % static_cast<unsigned>(2 * most + 1)) - most; };
  const ScaledTables t = tables();
  constexpr size_t kHeads = 3;
  for (const char* forms : {"k=8", "k=4:max,v=2:mean,recent=5", "k=1:mean,v=6:max,recent=40", "recent=300"}) {
    const CacheForms f = parse_cache_forms(forms);
    for (const size_t width : {1, 20, 64, 128}) {
      LayerCache keys = cache(f.key, kHeads, width, static_cast<size_t>(f.recent)),
                 values = cache(f.value, kHeads, width, static_cast<size_t>(f.recent));
      for (size_t positions = 1; positions < 600; ++positions) {
        const int size = 1 << (random() % 20);
        for (LayerCache* c : {&keys, &values}) {
          std::vector<int64_t> v(kHeads * width);
          for (int64_t& x : v) x = number(size);
          c->old.add(v, t.mean_step);
          if (f.recent > 0) c->recent.add(v, t.mean_step);
        }
        if (positions > 9 && positions % 97 != 0) continue;
        std::vector<int64_t> query(width);
        for (int64_t& q : query) q = number(127);
        // From weights that are nearly equal to a single one.
        for (const int unit : {-30, -20, -10}) {
          const HeadOperands o = {query,     shifted(constant(1.0), unit), keys, values, positions % kHeads,
                                  positions, static_cast<size_t>(f.recent)};
          ASSERT_EQ(attend_head(o, t), by_the_formula(o, t)) << forms << ", width " << width << ", " << positions << " positions";
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitgrid::cpu
