#include "lowering/synthesis/paired_esop.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

#include "ir/index.h"
#include "lowering/synthesis/esop_walk.h"

namespace bitgrid::synthesis {
namespace {

using Order = std::vector<uint32_t>;

/// The values of a pair that have the wanted literals of its inputs: sets of 0 .. 3, as bits.
constexpr std::array<uint32_t, 2> kSecondIs = {0b0011, 0b1100}, kFirstIs = {0b0101, 0b1010};

uint64_t paired_literals(const Cube& cube, const Order& order) {
  uint64_t literals = 0;
  for (size_t k = 0; k < order.size(); k += 2) {
    uint32_t values = 15;
    if ((cube.care >> order[k]) & 1) values &= kFirstIs[(cube.value >> order[k]) & 1];
    if (k + 1 < order.size() && ((cube.care >> order[k + 1]) & 1)) values &= kSecondIs[(cube.value >> order[k + 1]) & 1];
    literals |= uint64_t{values} << (2 * k);
  }
  return literals;
}

/// The terms of up to 64 outputs, after what merges has merged.
TermList terms_of(const Esop& esop, size_t group, const Order& order, std::mt19937_64& rng) {
  TermList list;
  for (const Cube& cube : esop.cubes)
    if (const uint64_t outputs = cube.outputs.words[group]; outputs != 0) list.terms.push_back({paired_literals(cube, order), outputs});
  return walk_esop(list, (esop.inputs + 1) / 2, 4, 0, rng);
}

size_t cubes(const Esop& esop, const Order& order, std::mt19937_64& rng) {
  size_t count = 0;
  for (size_t group = 0; group < esop.complement.words.size(); ++group) count += terms_of(esop, group, order, rng).terms.size();
  return count;
}

/// Inputs of different pairs change places as long as that merges more cubes.
size_t improve(const Esop& esop, Order& order, std::mt19937_64& rng) {
  size_t least = cubes(esop, order, rng);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < order.size(); ++i)
      for (size_t j = (i | 1) + 1; j < order.size(); ++j) {
        std::swap(order[i], order[j]);
        const size_t now = cubes(esop, order, rng);
        if (now < least) {
          least = now;
          changed = true;
        } else {
          std::swap(order[i], order[j]);
        }
      }
  }
  return least;
}

PairedEsop walked(const Esop& esop, const Order& order, int steps, std::mt19937_64& rng) {
  PairedEsop out{esop.inputs, esop.outputs, order, {}, esop.complement};
  std::map<uint64_t, BitVector> by_literals;  // equal products of several groups share a cube
  for (size_t group = 0; group < esop.complement.words.size(); ++group) {
    const TermList terms = walk_esop(terms_of(esop, group, order, rng), out.pairs(), 4, steps, rng);
    out.complement.words[group] ^= terms.complement;
    for (const Term& t : terms.terms) by_literals.try_emplace(t.literals, BitVector(esop.outputs)).first->second.words[group] ^= t.outputs;
  }
  for (const auto& [literals, outputs] : by_literals) out.cubes.push_back({literals, outputs});
  return out;
}

/// The cube of the values at which an output is `value`, if that is one.
std::optional<Cube> product_of(const std::vector<BitVector>& table, uint32_t output, bool value) {
  const auto all = id_of(table.size() - 1);
  uint32_t ones = all, zeros = all;  // inputs that are always 1, always 0
  size_t count = 0;
  for (uint32_t i = 0; i <= all; ++i) {
    if (table[i].get(output) != value) continue;
    ones &= i;
    zeros &= ~i;
    ++count;
  }
  if (count == 0 || count == table.size() || count != size_t{1} << std::popcount(all & ~(ones | zeros))) return std::nullopt;
  Cube cube{ones | zeros, ones, BitVector(table[0].width)};
  cube.outputs.set(output, true);
  return cube;
}

}  // namespace

PairedEsop pair_inputs(const Esop& esop, const EsopParams& params) {
  std::mt19937_64 rng(params.seed);
  Order order(esop.inputs);
  std::iota(order.begin(), order.end(), 0u);
  std::vector<std::pair<size_t, Order>> tried;
  const int orders = std::max(1, esop.outputs > 64 ? 1 : params.orders / 4);
  for (int i = 0; i < orders; ++i) {
    const size_t count = improve(esop, order, rng);
    tried.emplace_back(count, order);
    for (size_t k = order.size(); k > 1; --k) std::swap(order[k - 1], order[rng() % k]);
  }
  std::stable_sort(tried.begin(), tried.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  PairedEsop best;
  for (int walk = 0; walk < std::max(1, params.walks); ++walk) {
    PairedEsop result = walked(esop, tried[index_of(walk) % tried.size()].second, params.steps, rng);
    if (walk == 0 || result.cubes.size() < best.cubes.size()) best = std::move(result);
  }
  return best;
}

PairedEsop minimise_paired_esop(const std::vector<BitVector>& table, const EsopParams& params, int steps, bool products_apart) {
  std::vector<BitVector> rest = table;
  std::vector<Cube> products;
  BitVector complement(table.empty() ? 0 : table[0].width);
  for (uint32_t o = 0; products_apart && o < complement.width; ++o) {
    std::optional<Cube> product = product_of(table, o, true);
    complement.set(o, !product);
    if (!product) product = product_of(table, o, false);
    if (!product) {
      complement.set(o, false);
      continue;
    }
    for (BitVector& word : rest) word.set(o, false);
    products.push_back(std::move(*product));
  }
  EsopParams second = params;
  second.steps = steps;
  PairedEsop esop = pair_inputs(minimise_esop(rest, params), second);
  for (const Cube& product : products) esop.cubes.push_back({paired_literals(product, esop.order), product.outputs});
  for (size_t w = 0; w < complement.words.size(); ++w) esop.complement.words[w] |= complement.words[w];
  return esop;
}

std::vector<BitVector> evaluate(const PairedEsop& esop) {
  std::vector<BitVector> table(size_t{1} << esop.inputs, esop.complement);
  for (size_t i = 0; i < table.size(); ++i)
    for (const PairedCube& c : esop.cubes) {
      bool all = true;
      for (uint32_t p = 0; p < esop.pairs() && all; ++p) {
        const auto bit = [&](size_t k) { return k < esop.order.size() ? id_of(i >> esop.order[k]) & 1 : 0; };
        all = (c.values(p) >> (bit(2 * p) + 2 * bit(2 * p + 1))) & 1;
      }
      for (size_t w = 0; all && w < c.outputs.words.size(); ++w) table[i].words[w] ^= c.outputs.words[w];
    }
  return table;
}

}  // namespace bitgrid::synthesis
