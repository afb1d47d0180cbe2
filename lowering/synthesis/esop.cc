#include "lowering/synthesis/esop.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/synthesis/esop_walk.h"
#include "lowering/synthesis/pseudo_kronecker.h"

namespace bitgrid::synthesis {
namespace {

uint32_t input_count(const std::vector<BitVector>& table) {
  const std::string where = "ESOP of a table";
  if (table.empty() || !std::has_single_bit(table.size()))
    throw Error(where, fmt::format("{} words are not a power of two", table.size()), "give a word for every value of the inputs");
  const auto inputs = id_of(std::countr_zero(table.size()));
  if (inputs > kMaxEsopInputs)
    throw Error(where, fmt::format("{} inputs are more than {}", inputs, kMaxEsopInputs), "split the table or map it as a netlist");
  for (const BitVector& word : table)
    if (word.width != table[0].width)
      throw Error(where, fmt::format("words of {} and {} bits", table[0].width, word.width), "give all words the same width");
  return inputs;
}

// The outputs 64 at a time: one machine word an entry.
std::vector<uint64_t> group_of(const std::vector<BitVector>& table, uint32_t group) {
  std::vector<uint64_t> words(table.size());
  for (size_t i = 0; i < table.size(); ++i) words[i] = table[i].words[group];
  return words;
}

// Minimises one group of up to 64 outputs.
TermList minimise_group(const std::vector<uint64_t>& table, uint32_t inputs, uint64_t output_mask, const EsopParams& params,
                        std::mt19937_64& rng, size_t& start_cubes) {
  std::vector<TermList> starts = pseudo_kronecker_starts(table, inputs, output_mask, params.orders, rng);
  std::stable_sort(starts.begin(), starts.end(), [](const TermList& a, const TermList& b) { return a.terms.size() < b.terms.size(); });
  start_cubes += starts[0].terms.size();
  TermList best = starts[0];
  const int walks = inputs > 10 ? std::min(params.walks, 1) : params.walks;  // more gain little, and each takes half a second
  for (int walk = 0; walk < walks; ++walk) {
    TermList result = walk_esop(starts[index_of(walk) % starts.size()], inputs, 2, params.steps, rng);
    if (result.terms.size() < best.terms.size()) best = std::move(result);
  }
  return best;
}

}  // namespace

Esop minimise_esop(const std::vector<BitVector>& table, const EsopParams& params, EsopStats* stats) {
  const auto begin = std::chrono::steady_clock::now();
  Esop esop;
  esop.inputs = input_count(table);
  esop.outputs = table[0].width;
  esop.complement = BitVector(esop.outputs);
  std::mt19937_64 rng(params.seed);
  size_t start_cubes = 0;
  std::map<std::pair<uint32_t, uint32_t>, BitVector> by_literals;  // equal products of several groups share a cube
  for (uint32_t group = 0; group < esop.complement.words.size(); ++group) {
    const uint32_t width = std::min(64u, esop.outputs - 64 * group);
    const uint64_t mask = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
    const TermList terms = minimise_group(group_of(table, group), esop.inputs, mask, params, rng, start_cubes);
    esop.complement.words[group] = terms.complement;
    for (const Term& t : terms.terms) {
      const auto key = std::pair{literal_care(t.literals), literal_value(t.literals)};
      auto [it, fresh] = by_literals.try_emplace(key, BitVector(esop.outputs));
      it->second.words[group] ^= t.outputs;
    }
  }
  for (auto& [literals, outputs] : by_literals) esop.cubes.push_back({literals.first, literals.second, outputs});
  if (stats) {
    *stats = {start_cubes, esop.cubes.size(), 0, 0};
    for (const Cube& c : esop.cubes) stats->literals += index_of(std::popcount(c.care));
    stats->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  return esop;
}

std::vector<BitVector> evaluate(const Esop& esop) {
  std::vector<BitVector> table(size_t{1} << esop.inputs, esop.complement);
  for (size_t i = 0; i < table.size(); ++i)
    for (const Cube& c : esop.cubes)
      if ((i & c.care) == c.value)
        for (size_t w = 0; w < c.outputs.words.size(); ++w) table[i].words[w] ^= c.outputs.words[w];
  return table;
}

}  // namespace bitgrid::synthesis
