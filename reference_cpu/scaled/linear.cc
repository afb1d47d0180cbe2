#include "reference_cpu/scaled/linear.h"

#include <algorithm>

#include "ir/vectorised.h"

namespace bitgrid::cpu {

namespace {

/// Bits of the codes between the two matrices of a low rank or an adapter.
constexpr int kInnerBits = 10;
constexpr size_t kPartBytes = size_t{1} << 17;     // of weights that a thread takes at a time
constexpr size_t kWorthThreads = size_t{1} << 15;  // weights; below, waking threads takes longer

/// body(first tile, tile behind the last) for all tiles, with several threads.
template <typename Body>
void for_tiles(const PackedWeights& weights, ThreadPool* pool, Body body) {
  const size_t tiles = weights.tiles(), at_once = std::max<size_t>(1, kPartBytes * tiles / std::max<size_t>(weights.bytes(), 1));
  const size_t parts = (tiles + at_once - 1) / at_once;
  const auto part = [&](size_t i) { body(i * at_once, std::min(tiles, (i + 1) * at_once)); };
  if (pool == nullptr || weights.rows() * weights.columns() < kWorthThreads) {
    for (size_t i = 0; i < parts; ++i) part(i);
    return;
  }
  pool->run(parts, part);
}

using Batch = std::span<const Codes>;
using Vectors = std::vector<std::vector<int64_t>>;
constexpr size_t kMostSums = size_t{1} << 12;  // of tiles that are looked at together

/// Room that is used again for each tile.
using Scratch = std::vector<int16_t>;

/// Sums of all rows for all vectors. use(tile, plan, sums, y, scratch) adds to y[vector][row] of a tile, of 16 rows, what its sums
/// [vector][group][16] are worth.
template <typename Use>
Vectors from_sums(const PackedWeights& weights, Batch batch, size_t group, const LinearParams& params, Use use) {
  Vectors y(batch.size(), std::vector<int64_t>(weights.tiles() * kTileRows));
  const SumPlan plan = plan_sums(batch, group, weights.storage(), sums_of(params.kernel));
  const size_t at_once = std::max<size_t>(1, kMostSums / std::max<size_t>(1, plan.tile_sums()));
  for_tiles(weights, params.pool, [&](size_t begin, size_t end) {
    Scratch scratch;
    std::vector<int32_t> sums(std::min(at_once, end - begin) * plan.tile_sums());
    for (size_t first = begin; first < end; first += at_once) {
      const size_t last = std::min(end, first + at_once);
      tile_sums(weights, first, last, plan, sums.data());
      for (size_t t = first; t < last; ++t) use(t, plan, sums.data() + (t - first) * plan.tile_sums(), y, scratch);
    }
  });
  for (std::vector<int64_t>& v : y) v.resize(weights.rows());
  return y;
}

const uint8_t* shifts_of(const Codes& codes) {
  return codes.group == 0 ? nullptr : codes.shifts.data();
}

BITGRID_VECTORISED void add_shifted(const int32_t* sums, const uint8_t* shifts, size_t groups, int64_t* y) {
  for (size_t g = 0; g < groups; ++g)
    for (size_t r = 0; r < kTileRows; ++r) y[r] += int64_t{sums[g * kTileRows + r]} << (shifts == nullptr ? 0 : shifts[g]);
}

/// W a without any scale of W; the codes' own shifts count.
Vectors plain_sums(const PackedWeights& weights, Batch batch, const LinearParams& params) {
  return from_sums(weights, batch, batch[0].group, params, [&](size_t t, const SumPlan& plan, const int32_t* sums, Vectors& y, Scratch&) {
    for (size_t b = 0; b < batch.size(); ++b, sums += plan.groups * kTileRows)
      add_shifted(sums, shifts_of(batch[b]), plan.groups, y[b].data() + t * kTileRows);
  });
}

/// y_r = sum over the groups of scale times sum, and of zero times the sum of the codes.
Vectors grouped_sums(const LinearMap& map, Batch batch, const LinearParams& params) {
  return from_sums(*map.weights, batch, map.group, params,
                   [&](size_t t, const SumPlan& plan, const int32_t* sums, Vectors& y, Scratch& by_group) {
                     const size_t first = t * kTileRows, rows = std::min(kTileRows, map.outputs() - first), groups = plan.groups;
                     const int16_t* scales = map.scales.data() + first * groups;
                     std::vector<int16_t> whole;  // a last tile that is not full
                     if (rows < kTileRows) {
                       whole.assign(scales, scales + rows * groups);
                       whole.resize(kTileRows * groups);
                       scales = whole.data();
                     }
                     by_group.resize(kTileRows * groups);
                     plan.implementation->by_group(scales, groups, by_group.data());
                     for (size_t b = 0; b < batch.size(); ++b, sums += groups * kTileRows) {
                       int64_t* own = y[b].data() + first;
                       plan.implementation->add_groups({sums, by_group.data(), shifts_of(batch[b]), groups}, own);
                       if (map.zeros.empty()) continue;
                       for (size_t r = 0; r < rows; ++r)
                         for (size_t g = 0; g < groups; ++g)
                           own[r] += map.zeros[(first + r) * groups + g] * plan.code_sums[b * groups + g] *
                                     (int64_t{1} << (batch[b].group == 0 ? 0 : batch[b].shifts[g]));
                     }
                   });
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
