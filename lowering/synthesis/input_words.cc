#include "lowering/synthesis/input_words.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "ir/index.h"
#include "ir/number.h"

namespace bitgrid::synthesis {
namespace {

struct Numbered {
  std::string stem;
  uint64_t number;
};

// "a[3]" is a, 3.
Numbered split_name(const std::string& name) {
  const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  size_t end = name.size();
  while (end > 0 && !is_digit(name[end - 1]) && !std::isalpha(static_cast<unsigned char>(name[end - 1]))) --end;
  size_t begin = end;
  while (begin > 0 && is_digit(name[begin - 1]) && end - begin < 9) --begin;
  if (begin == end) return {name, 0};
  return {name.substr(0, begin), parse_padded(std::string_view(name).substr(begin, end - begin)).value()};
}

// Input bits that each node depends on, as rows of machine words.
std::vector<uint64_t> supports(const LogicGraph& graph, size_t words) {
  std::vector<uint64_t> rows(graph.nodes.size() * words);
  size_t input = 0;
  for (size_t n = 1; n < graph.nodes.size(); ++n) {
    const LogicNode& node = graph.nodes[n];
    if (node.kind == LogicNode::Kind::kInput) {
      rows[n * words + input / 64] |= uint64_t{1} << (input % 64);
      ++input;
      continue;
    }
    for (size_t w = 0; w < words; ++w) rows[n * words + w] = rows[node.a / 2 * words + w] | rows[node.b / 2 * words + w];
  }
  return rows;
}

}  // namespace

std::vector<std::vector<size_t>> input_words(const LogicGraph& graph) {
  std::map<std::string, size_t> stems;
  std::vector<std::vector<std::pair<uint64_t, size_t>>> numbered;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const auto [stem, number] = split_name(graph.inputs[i]);
    const auto [it, fresh] = stems.try_emplace(stem, numbered.size());
    if (fresh) numbered.emplace_back();
    numbered[it->second].emplace_back(number, i);
  }
  std::vector<std::vector<size_t>> words;
  for (auto& word : numbered) {
    std::sort(word.begin(), word.end());
    words.emplace_back();
    for (const auto& [number, input] : word) words.back().push_back(input);
  }
  return words;
}

std::vector<TwoWords> two_words(const LogicGraph& graph) {
  std::vector<TwoWords> result;
  auto words = input_words(graph);
  std::erase_if(words, [](const auto& w) { return w.size() < 2; });
  if (words.size() == 2) result.push_back({words[0], words[1]});
  const size_t half = graph.inputs.size() / 2;
  TwoWords halves;
  for (size_t i = 0; i < half; ++i) {
    halves.a.push_back(i);
    halves.b.push_back(half + i);
  }
  if (half > 0 && (result.empty() || result[0] != halves)) result.push_back(halves);
  return result;
}

std::vector<size_t> order_of_dependence(const LogicGraph& graph) {
  const size_t words = (graph.inputs.size() + 63) / 64;
  const auto rows = supports(graph, words);
  const auto size_of = [&](size_t output) {
    size_t bits = 0;
    for (size_t w = 0; w < words; ++w) bits += index_of(__builtin_popcountll(rows[graph.outputs[output].literal / 2 * words + w]));
    return bits;
  };
  std::vector<std::pair<size_t, size_t>> outputs;
  for (size_t o = 0; o < graph.outputs.size(); ++o) outputs.emplace_back(size_of(o), o);
  std::sort(outputs.begin(), outputs.end());
  std::vector<size_t> order;
  std::vector<uint8_t> taken(graph.inputs.size());
  const auto take = [&](size_t input) {
    if (!taken[input]) order.push_back(input);
    taken[input] = 1;
  };
  for (const auto& [size, output] : outputs)
    for (size_t i = 0; i < graph.inputs.size(); ++i)
      if ((rows[graph.outputs[output].literal / 2 * words + i / 64] >> (i % 64)) & 1u) take(i);
  for (size_t i = 0; i < graph.inputs.size(); ++i) take(i);
  return order;
}

}  // namespace bitgrid::synthesis
