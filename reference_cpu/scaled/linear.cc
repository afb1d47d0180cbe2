#include "reference_cpu/scaled/linear.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "ir/vectorised.h"

namespace bitgrid::cpu {

namespace {

/// Bits of the codes between the two matrices of a low rank or an adapter.
constexpr int kInnerBits = 10;
constexpr size_t kLeastBytes = size_t{1} << 15;    // of weights that a thread takes at a time
constexpr size_t kWorthThreads = size_t{1} << 15;  // weights; below, waking threads takes longer
constexpr size_t kMostSums = size_t{1} << 12;      // of tiles that are looked at together

using Batch = std::span<const Codes>;
using Vectors = std::vector<std::vector<int64_t>>;

/// One matrix times a batch of vectors.
struct Product {
  const PackedWeights* weights;
  const LinearMap* map = nullptr;  // whose scales and zeros multiply the sums; nullptr: nothing does
  std::shared_ptr<const SumPlan> plan = nullptr;
  Vectors y = {};  // [vector][rows], with room for whole tiles

  size_t group(Batch batch) const { return map != nullptr && map->group != 0 ? map->group : batch[0].group; }
};

/// Room of one thread.
struct Scratch {
  std::vector<int32_t> sums;
  std::vector<int16_t> by_group;
};

const uint8_t* shifts_of(const Codes& codes) {
  return codes.group == 0 ? nullptr : codes.shifts.data();
}

/// y[r] of tiles that have one sum a row; those of a tile lie `stride` behind those of the one before it.
BITGRID_VECTORISED_INTEGERS void put_sums(const int32_t* sums, size_t stride, size_t tiles, int64_t* y) {
  for (size_t t = 0; t < tiles; ++t)
    for (size_t r = 0; r < kTileRows; ++r) y[t * kTileRows + r] = sums[t * stride + r];
}

BITGRID_VECTORISED_INTEGERS void add_shifted(const int32_t* sums, const uint8_t* shifts, size_t groups, int64_t* y) {
  for (size_t g = 0; g < groups; ++g) {
    const int64_t factor = int64_t{1} << (shifts == nullptr ? 0 : shifts[g]);
    for (size_t r = 0; r < kTileRows; ++r) y[r] += sums[g * kTileRows + r] * factor;
  }
}

BITGRID_VECTORISED_INTEGERS void multiply_rows(int64_t* y, const int16_t* scales, size_t rows) {
  for (size_t r = 0; r < rows; ++r) y[r] *= scales[r];
}

/// y_r = the sum over the groups of the codes, times the scale of the row where there is one.
void finish_plain(Product& p, Batch batch, size_t begin, size_t end, const int32_t* sums) {
  const size_t groups = p.plan->groups, stride = p.plan->tile_sums(), first = begin * kTileRows;
  for (size_t b = 0; b < batch.size(); ++b) {
    int64_t* y = p.y[b].data() + first;
    const int32_t* own = sums + b * groups * kTileRows;
    if (groups == 1 && batch[b].group == 0)
      put_sums(own, stride, end - begin, y);
    else
      for (size_t t = begin; t < end; ++t)
        add_shifted(own + (t - begin) * stride, shifts_of(batch[b]), groups, y + (t - begin) * kTileRows);
    if (p.map != nullptr && !p.map->scales.empty())
      multiply_rows(y, p.map->scales.data() + first, std::min(end * kTileRows, p.weights->rows()) - first);
  }
}

/// y_r = sum over the groups of scale times sum, and of zero times the sum of the codes.
void finish_groups(Product& p, Batch batch, size_t t, const int32_t* sums, std::vector<int16_t>& by_group) {
  const LinearMap& map = *p.map;
  const size_t first = t * kTileRows, rows = std::min(kTileRows, map.outputs() - first), groups = p.plan->groups;
  const int16_t* scales = map.scales.data() + first * groups;
  std::vector<int16_t> whole;  // a last tile that is not full
  if (rows < kTileRows) {
    whole.assign(scales, scales + rows * groups);
    whole.resize(kTileRows * groups);
    scales = whole.data();
  }
  by_group.resize(kTileRows * groups);
  p.plan->implementation->by_group(scales, groups, by_group.data());
  for (size_t b = 0; b < batch.size(); ++b, sums += groups * kTileRows) {
    int64_t* own = p.y[b].data() + first;
    p.plan->implementation->add_groups({sums, by_group.data(), shifts_of(batch[b]), groups}, own);
    if (map.zeros.empty()) continue;
    for (size_t r = 0; r < rows; ++r)
      for (size_t g = 0; g < groups; ++g)
        own[r] += map.zeros[(first + r) * groups + g] * p.plan->code_sums[b * groups + g] *
                  (int64_t{1} << (batch[b].group == 0 ? 0 : batch[b].shifts[g]));
  }
}

void multiply_tiles(Product& p, Batch batch, size_t begin, size_t end, Scratch& scratch) {
  const size_t stride = p.plan->tile_sums(), at_once = std::max<size_t>(1, kMostSums / std::max<size_t>(1, stride));
  for (size_t first = begin; first < end; first += at_once) {
    const size_t last = std::min(end, first + at_once);
    scratch.sums.resize(std::max(scratch.sums.size(), (last - first) * stride));
    tile_sums(*p.weights, first, last, *p.plan, scratch.sums.data());
    if (p.map == nullptr || p.map->group == 0) {
      finish_plain(p, batch, first, last, scratch.sums.data());
      continue;
    }
    for (size_t t = first; t < last; ++t) finish_groups(p, batch, t, scratch.sums.data() + (t - first) * stride, scratch.by_group);
  }
}

/// body(begin, end) for parts of 0 .. tiles - 1, on all threads of the pool: large parts first, so that each thread reads from front to
/// back, and small ones at the end, so that all threads end together.
template <typename Body>
void in_parts(size_t tiles, size_t least, ThreadPool& pool, Body body) {
  std::atomic<size_t> next = 0;
  const auto threads = static_cast<size_t>(pool.threads());
  pool.run(threads, [&](size_t) {
    Scratch scratch;
    size_t begin = next, end = 0;
    while (begin < tiles) {
      end = std::min(tiles, begin + std::max(least, (tiles - begin) / (2 * threads)));
      if (!next.compare_exchange_weak(begin, end)) continue;
      body(begin, end, scratch);
      begin = next;
    }
  });
}

/// All products of one batch, the tiles of one behind those of the other.
void multiply(std::span<Product> products, Batch batch, const LinearParams& params) {
  size_t tiles = 0, bytes = 0, weights = 0;
  for (Product& p : products) {
    for (const Product& other : products)
      if (other.plan && other.group(batch) == p.group(batch) && other.weights->storage() == p.weights->storage()) p.plan = other.plan;
    if (!p.plan) p.plan = std::make_shared<SumPlan>(plan_sums(batch, p.group(batch), p.weights->storage(), sums_of(params.kernel)));
    p.y.resize(batch.size());
    for (std::vector<int64_t>& v : p.y) v.resize(p.weights->tiles() * kTileRows);
    tiles += p.weights->tiles();
    bytes += p.weights->bytes();
    weights += p.weights->rows() * p.weights->columns();
  }
  const auto part = [&](size_t begin, size_t end, Scratch& scratch) {
    size_t first = 0;  // tile of a product
    for (Product& p : products) {
      const size_t last = first + p.weights->tiles();
      if (begin < last && end > first) multiply_tiles(p, batch, std::max(begin, first) - first, std::min(end, last) - first, scratch);
      first = last;
    }
  };
  if (params.pool == nullptr || weights < kWorthThreads) {
    Scratch scratch;
    part(0, tiles, scratch);
  } else {
    in_parts(tiles, std::max<size_t>(1, kLeastBytes * tiles / std::max<size_t>(bytes, 1)), *params.pool, part);
  }
  for (Product& p : products)
    for (std::vector<int64_t>& v : p.y) v.resize(p.weights->rows());
}

Vectors multiply(const PackedWeights& weights, const LinearMap* map, Batch batch, const LinearParams& params) {
  Product p = {&weights, map};
  multiply(std::span(&p, 1), batch, params);
  return std::move(p.y);
}

void multiply_rows(Vectors& y, const std::vector<int32_t>& scales) {
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
  Vectors p = multiply(*adapter.a, nullptr, batch, params);
  multiply_rows(p, adapter.a_scales.values);
  const std::vector<Codes> c = inner_codes(std::move(p), batch, adapter.a_scales.fraction);
  Vectors z = multiply(*adapter.b, nullptr, c, params);
  multiply_rows(z, adapter.b_scales.values);
  for (size_t b = 0; b < batch.size(); ++b) {
    const Scalar ratio = divide(multiply(shifted(c[b].unit, -adapter.b_scales.fraction), adapter.alpha), y[b].unit);
    for (size_t r = 0; r < z[b].size(); ++r) y[b].values[r] += scaled(z[b][r], ratio);
  }
}

std::vector<Sums> with_units(Vectors values, Batch batch, const LinearMap& map) {
  std::vector<Sums> y;
  for (size_t b = 0; b < batch.size(); ++b) y.push_back({std::move(values[b]), bitgrid::multiply(batch[b].unit, map.scale)});
  return y;
}

}  // namespace

std::vector<std::vector<Sums>> apply(std::span<const LinearMap* const> maps, std::span<const Codes> batch, const LinearParams& params) {
  std::vector<std::vector<Sums>> y(maps.size());
  if (batch.empty()) return y;
  std::vector<Product> products;
  for (const LinearMap* map : maps)
    if (!map->low_rank) products.push_back({map->weights.get(), map});
  multiply(products, batch, params);
  for (size_t i = 0, product = 0; i < maps.size(); ++i) {
    const LinearMap& map = *maps[i];
    if (map.low_rank) {
      const std::vector<Codes> inner = inner_codes(multiply(*map.low_rank, nullptr, batch, params), batch, 0);
      y[i] = with_units(multiply(*map.weights, &map, inner, params), inner, map);
    } else {
      y[i] = with_units(std::move(products[product++].y), batch, map);
    }
    if (map.adapter) add_adapter(*map.adapter, batch, params, y[i]);
  }
  return y;
}

std::vector<Sums> apply(const LinearMap& map, std::span<const Codes> batch, const LinearParams& params) {
  const LinearMap* one = &map;
  return std::move(apply(std::span(&one, 1), batch, params)[0]);
}

Sums apply(const LinearMap& map, const Codes& codes, const LinearParams& params) {
  std::vector<Sums> y = apply(map, std::span(&codes, 1), params);
  return std::move(y[0]);
}

}  // namespace bitgrid::cpu
