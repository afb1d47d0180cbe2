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

using Batch = std::span<const Codes>;
using Vectors = std::vector<std::vector<int64_t>>;

int64_t shifted_sum(const Codes& codes, size_t group, int64_t sum) {
  return codes.group == 0 ? sum : sum * (int64_t{1} << codes.shifts[group]);
}

/// Sums of all rows for all vectors: use(vector, its plan, first row, row behind the last, sums) for each part.
template <typename Use>
void for_sums(const PackedWeights& weights, Batch batch, size_t group, const LinearParams& params, Use use) {
  std::vector<SumPlan> plans;
  for (const Codes& codes : batch) plans.push_back(plan_sums(codes, group, weights.storage(), sums_of(params.kernel)));
  for_rows(weights, params.pool, [&](size_t begin, size_t end) {
    std::vector<int64_t> sums((end - begin) * plans[0].groups());
    for (size_t b = 0; b < batch.size(); ++b) {
      row_sums(weights, begin, end, batch[b], plans[b], sums.data());
      use(b, plans[b], begin, end, sums.data());
    }
  });
}

/// W a without any scale of W; the codes' own shifts count.
Vectors plain_sums(const PackedWeights& weights, Batch batch, const LinearParams& params) {
  Vectors y(batch.size(), std::vector<int64_t>(weights.rows()));
  for_sums(weights, batch, batch[0].group, params, [&](size_t b, const SumPlan& plan, size_t begin, size_t end, const int64_t* sums) {
    for (size_t r = begin; r < end; ++r)
      for (size_t g = 0; g < plan.groups(); ++g) y[b][r] += shifted_sum(batch[b], g, *sums++);
  });
  return y;
}

/// y_r = sum over the groups of scale times sum, and of zero times the sum of the codes.
Vectors grouped_sums(const LinearMap& map, Batch batch, const LinearParams& params) {
  Vectors y(batch.size(), std::vector<int64_t>(map.outputs()));
  for_sums(*map.weights, batch, map.group, params, [&](size_t b, const SumPlan& plan, size_t begin, size_t end, const int64_t* sums) {
    const size_t groups = plan.groups();
    for (size_t r = begin; r < end; ++r) {
      for (size_t g = 0; g < groups; ++g) {
        int64_t term = map.scales[r * groups + g] * *sums++;
        if (!map.zeros.empty()) term += map.zeros[r * groups + g] * plan.code_sums[g];
        y[b][r] += shifted_sum(batch[b], g, term);
      }
    }
  });
  return y;
}

void multiply_rows(Vectors& y, const auto& scales) {
  for (std::vector<int64_t>& v : y)
    for (size_t r = 0; r < v.size(); ++r) v[r] *= scales[r];
}

/// Ten-bit codes of the values in between, and the unit that they have.
Codes inner_codes(std::vector<int64_t> h, Scalar unit) {
  const int shift = block_floating_point(h, kInnerBits);
  return make_codes(h, shifted(unit, shift));
}

std::vector<Codes> inner_codes(Vectors h, Batch batch, int fraction) {
  std::vector<Codes> codes;
  for (size_t b = 0; b < batch.size(); ++b) codes.push_back(inner_codes(std::move(h[b]), shifted(batch[b].unit, -fraction)));
  return codes;
}

void add_adapter(const Adapter& adapter, Batch batch, const LinearParams& params, std::vector<Sums>& y) {
  Vectors p = plain_sums(*adapter.a, batch, params);
  multiply_rows(p, adapter.a_scales.values);
  const std::vector<Codes> c = inner_codes(std::move(p), batch, adapter.a_scales.fraction);
  Vectors z = plain_sums(*adapter.b, c, params);
  multiply_rows(z, adapter.b_scales.values);
  for (size_t b = 0; b < batch.size(); ++b) {
    const Scalar ratio = divide(multiply(shifted(c[b].unit, -adapter.b_scales.fraction), adapter.alpha), y[b].unit);
    for (size_t r = 0; r < z[b].size(); ++r) y[b].values[r] += scaled(z[b][r], ratio);
  }
}

std::vector<Sums> with_units(Vectors values, Batch batch, const LinearMap& map) {
  std::vector<Sums> y;
  for (size_t b = 0; b < batch.size(); ++b) y.push_back({std::move(values[b]), multiply(batch[b].unit, map.scale)});
  return y;
}

std::vector<Sums> without_adapter(const LinearMap& map, Batch batch, const LinearParams& params) {
  if (map.group != 0) return with_units(grouped_sums(map, batch, params), batch, map);
  std::vector<Codes> inner;
  if (map.low_rank) {
    inner = inner_codes(plain_sums(*map.low_rank, batch, params), batch, 0);
    batch = inner;
  }
  Vectors y = plain_sums(*map.weights, batch, params);
  if (!map.scales.empty()) multiply_rows(y, map.scales);
  return with_units(std::move(y), batch, map);
}

}  // namespace

std::vector<Sums> apply(const LinearMap& map, std::span<const Codes> batch, const LinearParams& params) {
  if (batch.empty()) return {};
  std::vector<Sums> y = without_adapter(map, batch, params);
  if (map.adapter) add_adapter(*map.adapter, batch, params, y);
  return y;
}

Sums apply(const LinearMap& map, const Codes& codes, const LinearParams& params) {
  return std::move(apply(map, std::span(&codes, 1), params)[0]);
}

}  // namespace bitgrid::cpu
