#include "reference_cpu/scaled/linear.h"

#include <algorithm>

namespace bitgrid::cpu {

namespace {

/// Bits of the codes between the two matrices of a low rank or an adapter.
constexpr int kInnerBits = 10;
constexpr size_t kRowsAtOnce = 64;
constexpr size_t kWorthThreads = size_t{1} << 15;  // weights; below, waking threads takes longer

template <typename Body>
void for_rows(const PackedWeights& weights, ThreadPool* pool, Body body) {
  const size_t rows = weights.rows(), parts = (rows + kRowsAtOnce - 1) / kRowsAtOnce;
  const auto part = [&](size_t i) { body(i * kRowsAtOnce, std::min(rows, (i + 1) * kRowsAtOnce)); };
  if (pool == nullptr || rows * weights.columns() < kWorthThreads) {
    for (size_t i = 0; i < parts; ++i) part(i);
    return;
  }
  pool->run(parts, part);
}

/// W a without any scale of W; the codes' own shifts count.
std::vector<int64_t> plain_sums(const PackedWeights& weights, const Codes& codes, const LinearParams& params) {
  std::vector<int64_t> y(weights.rows());
  const SumPlan plan = plan_sums(codes, codes.group, weights.storage(), sums_of(params.kernel));
  const size_t groups = plan.groups();
  for_rows(weights, params.pool, [&](size_t begin, size_t end) {
    if (groups == 1 && codes.group == 0) return row_sums(weights, begin, end, codes, plan, y.data() + begin);
    std::vector<int64_t> sums((end - begin) * groups);
    row_sums(weights, begin, end, codes, plan, sums.data());
    for (size_t r = begin; r < end; ++r)
      for (size_t g = 0; g < groups; ++g) y[r] += sums[(r - begin) * groups + g] * (int64_t{1} << (codes.group == 0 ? 0 : codes.shifts[g]));
  });
  return y;
}

/// y_r = sum over the groups of scale times sum, and of zero times the sum of the codes.
std::vector<int64_t> grouped_sums(const LinearMap& map, const Codes& codes, const LinearParams& params) {
  std::vector<int64_t> y(map.outputs());
  const SumPlan plan = plan_sums(codes, map.group, map.weights->storage(), sums_of(params.kernel));
  const size_t groups = plan.groups();
  for_rows(*map.weights, params.pool, [&](size_t begin, size_t end) {
    std::vector<int64_t> sums((end - begin) * groups);
    row_sums(*map.weights, begin, end, codes, plan, sums.data());
    for (size_t r = begin; r < end; ++r) {
      for (size_t g = 0; g < groups; ++g) {
        int64_t term = map.scales[r * groups + g] * sums[(r - begin) * groups + g];
        if (!map.zeros.empty()) term += map.zeros[r * groups + g] * plan.code_sums[g];
        y[r] += term * (int64_t{1} << (codes.group == 0 ? 0 : codes.shifts[g]));
      }
    }
  });
  return y;
}

std::vector<int64_t> with_row_scales(std::vector<int64_t> y, const auto& scales) {
  for (size_t r = 0; r < y.size(); ++r) y[r] *= scales[r];
  return y;
}

/// Ten-bit codes of the values in between, and the unit that they have.
Codes inner_codes(std::vector<int64_t> h, Scalar unit) {
  const int shift = block_floating_point(h, kInnerBits);
  return make_codes(h, shifted(unit, shift));
}

void add_adapter(const Adapter& adapter, const Codes& codes, const LinearParams& params, Sums& y) {
  const std::vector<int64_t> p = with_row_scales(plain_sums(*adapter.a, codes, params), adapter.a_scales.values);
  const Codes c = inner_codes(p, shifted(codes.unit, -adapter.a_scales.fraction));
  const std::vector<int64_t> z = with_row_scales(plain_sums(*adapter.b, c, params), adapter.b_scales.values);
  const Scalar ratio = divide(multiply(shifted(c.unit, -adapter.b_scales.fraction), adapter.alpha), y.unit);
  for (size_t r = 0; r < z.size(); ++r) y.values[r] += scaled(z[r], ratio);
}

Sums without_adapter(const LinearMap& map, const Codes& codes, const LinearParams& params) {
  if (map.group != 0) return {grouped_sums(map, codes, params), multiply(codes.unit, map.scale)};
  if (!map.low_rank) {
    Sums y = {plain_sums(*map.weights, codes, params), multiply(codes.unit, map.scale)};
    if (!map.scales.empty()) y.values = with_row_scales(std::move(y.values), map.scales);
    return y;
  }
  const Codes c = inner_codes(plain_sums(*map.low_rank, codes, params), codes.unit);
  Sums y = {plain_sums(*map.weights, c, params), multiply(c.unit, map.scale)};
  if (!map.scales.empty()) y.values = with_row_scales(std::move(y.values), map.scales);
  return y;
}

}  // namespace

Sums apply(const LinearMap& map, const Codes& codes, const LinearParams& params) {
  Sums y = without_adapter(map, codes, params);
  if (map.adapter) add_adapter(*map.adapter, codes, params, y);
  return y;
}

}  // namespace bitgrid::cpu
