#include "reference_cpu/scaled/sums.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdlib>
#include <cstring>

#include "ir/error.h"
#include "ir/vectorised.h"

namespace bitgrid::cpu {

namespace {

constexpr int kLowBits = 7;  // of a wide code

/// The block of vectors that begins with vector `first`.
size_t block_width(size_t first, size_t vectors, size_t most) {
  return std::min(std::bit_floor(vectors - first), most);
}

BITGRID_VECTORISED int32_t dot(const int8_t* row, const int16_t* codes, size_t count) {
  int32_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += row[i] * codes[i];
  return sum;
}

BITGRID_VECTORISED int64_t sum_of(std::span<const int16_t> codes) {
  int64_t sum = 0;
  for (size_t i = 0; i < codes.size(); ++i) sum += codes[i];
  return sum;
}

}  // namespace

namespace sums {

void definition(const PackedWeights& weights, size_t begin, size_t end, const SumPlan& plan, int32_t* sums) {
  for (size_t t = begin; t < end; ++t) {
    for (size_t v = 0; v < plan.vectors(); ++v, sums += plan.groups * kTileRows) {
      std::fill_n(sums, plan.groups * kTileRows, 0);
      for (size_t r = t * kTileRows; r < std::min(weights.rows(), (t + 1) * kTileRows); ++r)
        for (size_t i = 0; i < plan.columns; ++i)
          sums[i / plan.group * kTileRows + r % kTileRows] += weights.at(r, i) * plan.codes[v].values[i];
    }
  }
}

void scalar(const PackedWeights& weights, size_t begin, size_t end, const SumPlan& plan, int32_t* sums) {
  std::vector<int8_t> row(plan.columns);
  for (size_t t = begin; t < end; ++t, sums += plan.tile_sums()) {
    for (size_t r = t * kTileRows; r < std::min(weights.rows(), (t + 1) * kTileRows); ++r) {
      weights.unpack(r, row);
      int32_t* out = sums + r % kTileRows;
      for (const Codes& codes : plan.codes)
        for (size_t i = 0; i < plan.columns; i += plan.group, out += kTileRows)
          *out = dot(row.data() + i, codes.values.data() + i, std::min(plan.group, plan.columns - i));
    }
  }
}

BITGRID_VECTORISED void add_groups(const GroupOperands& o, int64_t* y) {
  for (size_t g = 0; g < o.groups; ++g) {
    const int64_t factor = int64_t{1} << (o.shifts == nullptr ? 0 : o.shifts[g]);
    for (size_t r = 0; r < kTileRows; ++r) y[r] += int64_t{o.scales[g * kTileRows + r]} * o.sums[g * kTileRows + r] * factor;
  }
}

void by_group(const int16_t* scales, size_t groups, int16_t* out) {
  for (size_t g = 0; g < groups; ++g)
    for (size_t r = 0; r < kTileRows; ++r) out[g * kTileRows + r] = scales[r * groups + g];
}

void with_kernels(const PackedWeights& weights, size_t begin, size_t end, const SumPlan& plan, int32_t* sums) {
  if (plan.bytes.empty()) return scalar(weights, begin, end, plan, sums);
  const size_t vectors = plan.vectors() * (plan.wide ? 2 : 1), most = plan.implementation->most_vectors;
  const size_t sums_per_vector = plan.groups * kTileRows, fields = 8 / bits_of(weights.storage());
  std::vector<int32_t> parts(plan.wide ? vectors * sums_per_vector : 0);
  TileOperands o;
  o.cells = weights.cells();
  o.groups = plan.groups;
  o.cells_per_group = plan.groups == 1 ? o.cells : plan.group / inputs_per_cell(weights.storage());
  o.stride = sums_per_vector;
  for (size_t t = begin; t < end; ++t, sums += plan.tile_sums()) {
    o.tile = weights.tile(t);
    int32_t* out = plan.wide ? parts.data() : sums;
    for (size_t v = 0, width = 0; v < vectors; v += width) {
      width = block_width(v, vectors, most);
      o.bytes = plan.bytes.data() + v * o.cells * fields * kCellBytes;
      o.offsets = plan.offsets.data() + v * plan.groups;
      plan.implementation->kernel(weights.storage(), width)(o, out + v * sums_per_vector);
    }
    if (!plan.wide) continue;
    for (size_t v = 0; v < plan.vectors(); ++v) {
      const int32_t* high = out + 2 * v * sums_per_vector;
      // Modulo 2^32: the sum fits, the higher part alone need not.
      for (size_t i = 0; i < sums_per_vector; ++i) {
        const auto upper = static_cast<uint32_t>(high[i]) << kLowBits, lower = static_cast<uint32_t>(high[sums_per_vector + i]);
        sums[v * sums_per_vector + i] = static_cast<int32_t>(upper + lower);
      }
    }
  }
}

}  // namespace sums

namespace {

bool always() {
  return true;
}

sums::TileKernel no_kernel(WeightStorage, size_t) {
  return nullptr;
}

/// Vector `lane` of a block of `width`: byte(i) for each input.
template <typename Byte>
void place(size_t count, size_t width, size_t lane, int8_t* block, Byte byte) {
  for (size_t i = 0; i < count; i += kCellBytes) {
    int8_t* four = block + i * width + kCellBytes * lane;
    for (size_t m = 0; m < std::min(kCellBytes, count - i); ++m) four[m] = byte(i + m);
  }
}

/// Fills what kernels read; they do not know groups that end within a cell.
void arrange(SumPlan& plan, WeightStorage storage) {
  const size_t inputs = inputs_per_cell(storage);
  if (plan.groups > 1 && plan.group % inputs != 0) return;
  plan.wide = std::any_of(plan.codes.begin(), plan.codes.end(), [](const Codes& c) { return c.bytes.empty() && c.count != 0; });
  const size_t vectors = plan.vectors() * (plan.wide ? 2 : 1), most = plan.implementation->most_vectors;
  const size_t padded = std::max<size_t>((plan.columns + inputs - 1) / inputs * inputs, 1);
  plan.bytes.assign(vectors * padded, 0);
  plan.offsets.resize(vectors * plan.groups);
  const int32_t offset = storage == WeightStorage::kByte ? 128 : 1;  // codes are larger than weights by that
  for (size_t first = 0, width = 0; first < vectors; first += width) {
    width = block_width(first, vectors, most);
    for (size_t v = first; v < first + width; ++v) {
      const Codes& codes = plan.codes[plan.wide ? v / 2 : v];
      int8_t* block = plan.bytes.data() + first * padded;
      const int16_t* values = codes.values.data();
      const auto high = [values](size_t i) { return static_cast<int8_t>(values[i] >> kLowBits); };
      const auto low = [values](size_t i) { return static_cast<int8_t>(values[i] & ((1 << kLowBits) - 1)); };
      if (!plan.wide && width == 1)
        std::memcpy(block, codes.bytes.data(), codes.count);
      else if (!plan.wide)
        place(plan.columns, width, v - first, block, [&](size_t i) { return codes.bytes[i]; });
      else if (v % 2 == 0)
        place(plan.columns, width, v - first, block, high);
      else
        place(plan.columns, width, v - first, block, low);
      for (size_t g = 0; g < plan.groups; ++g) {
        int64_t sum = plan.code_sums[(plan.wide ? v / 2 : v) * plan.groups + g];
        if (plan.wide) {
          int64_t highs = 0;
          for (size_t i = g * plan.group; i < std::min(plan.columns, (g + 1) * plan.group); ++i) highs += high(i);
          sum = v % 2 == 0 ? highs : sum - (highs << kLowBits);
        }
        plan.offsets[v * plan.groups + g] = static_cast<int32_t>(offset * sum);
      }
    }
  }
}

}  // namespace

const std::vector<SumImplementation>& sum_implementations() {
  static const std::vector<SumImplementation> table = {
    {"definition", "element by element", always, sums::definition, no_kernel, 0, sums::add_groups, sums::by_group},
    {"scalar", "any processor", always, sums::scalar, no_kernel, 0, sums::add_groups, sums::by_group},
#if defined(__x86_64__)
    {"avx2", "AVX2: products of bytes in pairs, 32 at a time", sums::have_avx2, sums::with_kernels, sums::avx2, 4, sums::add_groups,
     sums::by_group_avx2},
    {"avxvnni", "AVX-VNNI: products of bytes in fours, 32 at a time", sums::have_avxvnni, sums::with_kernels, sums::avxvnni, 4,
     sums::add_groups, sums::by_group_avx2},
    {"avx512", "AVX-512 with VNNI: products of bytes in fours, 64 at a time", sums::have_avx512, sums::with_kernels, sums::avx512, 16,
     sums::add_groups_avx512, sums::by_group_avx2},
#elif defined(__aarch64__)
    {"dotprod", "NEON with dot products: products of bytes in fours, 16 at a time", sums::have_dotprod, sums::with_kernels, sums::dotprod,
     4, sums::add_groups, sums::by_group},
#endif
  };
  return table;
}

const SumImplementation& find_sums(const std::string& name) {
  std::string names;
  for (const SumImplementation& s : sum_implementations()) {
    if (!s.available()) continue;
    if (s.name == name) return s;
    names += (names.empty() ? "" : ", ") + std::string(s.name);
  }
  if (name.empty()) {
    const auto& all = sum_implementations();
    return *std::find_if(all.rbegin(), all.rend(), [](const SumImplementation& s) { return s.available(); });
  }
  throw Error("BITGRID_CPU", "'" + name + "' is unknown, or this processor does not have it", "choose one of " + names);
}

const SumImplementation& chosen_sums() {
  static const SumImplementation& chosen = [&]() -> const SumImplementation& {
    const char* name = std::getenv("BITGRID_CPU");
    return find_sums(name == nullptr ? "" : name);
  }();
  return chosen;
}

SumPlan plan_sums(std::span<const Codes> codes, size_t group, WeightStorage storage, const SumImplementation& implementation) {
  SumPlan plan;
  plan.implementation = &implementation;
  plan.codes = codes;
  plan.columns = codes[0].count;
  plan.group = group == 0 ? std::max<size_t>(plan.columns, 1) : group;
  plan.groups = (plan.columns + plan.group - 1) / plan.group;
  for (const Codes& c : codes) {
    assert(c.count == plan.columns);
    for (size_t i = 0; i < plan.columns; i += plan.group)
      plan.code_sums.push_back(sum_of(std::span(c.values).subspan(i, std::min(plan.group, plan.columns - i))));
  }
  if (implementation.most_vectors != 0) arrange(plan, storage);
  return plan;
}

}  // namespace bitgrid::cpu
