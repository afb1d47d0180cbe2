#include "reference_cpu/scaled/sums.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>

#include "ir/error.h"

namespace bitgrid::cpu {

namespace sums {

void definition(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, const SumPlan& plan, int64_t* out) {
  for (size_t r = begin; r < end; ++r, out += plan.groups()) {
    std::fill_n(out, plan.groups(), 0);
    for (size_t i = 0; i < codes.count; ++i) out[i / plan.group] += int64_t{weights.at(r, i)} * codes.values[i];
  }
}

void scalar(const PackedWeights& weights, size_t begin, size_t end, const Codes& codes, const SumPlan& plan, int64_t* out) {
  std::vector<int8_t> row(codes.count);
  for (size_t r = begin; r < end; ++r, out += plan.groups()) {
    weights.unpack(r, row);
    for (size_t g = 0; g < plan.groups(); ++g) {
      const size_t last = std::min(codes.count, (g + 1) * plan.group);
      int32_t sum = 0;
      for (size_t i = g * plan.group; i < last; ++i) sum += row[i] * codes.values[i];
      out[g] = sum;
    }
  }
}

}  // namespace sums

namespace {

void as_they_are(const Codes&, WeightStorage, SumPlan&) {}
bool always() {
  return true;
}

}  // namespace

const std::vector<SumImplementation>& sum_implementations() {
  static const std::vector<SumImplementation> table = {
    {"definition", "element by element", always, as_they_are, sums::definition},
    {"scalar", "any processor", always, as_they_are, sums::scalar},
#if defined(__x86_64__)
    {"avx2", "AVX2: products of bytes, 32 at a time", sums::have_avx2, as_they_are, sums::avx2},
    {"avx512", "AVX-512 with VNNI: bit planes as masks, 64 products at a time", sums::have_avx512, sums::arrange_avx512, sums::avx512},
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

SumPlan plan_sums(const Codes& codes, size_t group, WeightStorage storage, const SumImplementation& implementation) {
  SumPlan plan;
  plan.implementation = &implementation;
  plan.group = group == 0 ? std::max<size_t>(codes.count, 1) : group;
  plan.code_sums.assign((codes.count + plan.group - 1) / plan.group, 0);
  for (size_t i = 0; i < codes.count; ++i) plan.code_sums[i / plan.group] += codes.values[i];
  implementation.arrange(codes, storage, plan);
  return plan;
}

}  // namespace bitgrid::cpu
