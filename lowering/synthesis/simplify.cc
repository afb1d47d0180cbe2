#include "lowering/synthesis/simplify.h"

#include <algorithm>
#include <utility>

namespace bitgrid::synthesis {
namespace {

struct Source {  // what a signal of the old network is in the new one
  SignalId signal = kConstantSignal;
  bool complemented = false;
};

// The table as a function of the distinct, non-constant sources of its fan-ins.
LutNode resolve(const LutNode& node, const std::vector<Source>& sources) {
  LutNode result;
  for (const SignalId f : fanins(node)) {
    const SignalId s = sources[f].signal;
    const auto known = fanins(result);
    if (s != kConstantSignal && std::find(known.begin(), known.end(), s) == known.end()) result.fanins[result.fanin_count++] = s;
  }
  for (unsigned i = 0; i < (1u << result.fanin_count); ++i) {
    unsigned index = 0;
    for (unsigned k = 0; k < node.fanin_count; ++k) {
      const Source source = sources[node.fanins[k]];
      bool value = source.complemented;
      for (unsigned j = 0; j < result.fanin_count; ++j)
        if (result.fanins[j] == source.signal) value ^= (i >> j) & 1u;
      index |= static_cast<unsigned>(value) << k;
    }
    result.table = static_cast<uint16_t>(result.table | (((node.table >> index) & 1u) << i));
  }
  return result;
}

bool depends_on(const LutNode& node, unsigned input) {
  for (unsigned i = 0; i < (1u << node.fanin_count); ++i)
    if (((node.table >> i) & 1u) != ((node.table >> (i ^ (1u << input))) & 1u)) return true;
  return false;
}

void drop_input(LutNode& node, unsigned input) {
  uint16_t table = 0;
  for (unsigned i = 0; i < (1u << (node.fanin_count - 1)); ++i) {
    const unsigned low = i & ((1u << input) - 1), high = (i >> input) << (input + 1);
    table = static_cast<uint16_t>(table | (((node.table >> (high | low)) & 1u) << i));
  }
  for (unsigned k = input; k + 1 < node.fanin_count; ++k) node.fanins[k] = node.fanins[k + 1];
  node.fanins[--node.fanin_count] = 0;
  node.table = table;
}

std::vector<uint8_t> needed_nodes(const LutNetwork& network) {
  std::vector<uint8_t> needed(network.nodes.size());
  auto need = [&](SignalId s) {
    if (s != kConstantSignal && !network.is_input(s)) needed[s - network.inputs.size()] = 1;
  };
  for (const LutOutput& o : network.outputs) need(o.signal);
  for (size_t n = network.nodes.size(); n-- > 0;)
    if (needed[n])
      for (const SignalId f : fanins(network.nodes[n])) need(f);
  return needed;
}

// One round; `changed` says whether dropped fan-ins may have left nodes without users.
LutNetwork fold(const LutNetwork& network) {
  LutNetwork result;
  result.name = network.name;
  result.inputs = network.inputs;
  std::vector<Source> sources;
  for (SignalId s = 0; s < network.inputs.size(); ++s) sources.push_back({s, false});
  const std::vector<uint8_t> needed = needed_nodes(network);
  for (size_t n = 0; n < network.nodes.size(); ++n) {
    sources.emplace_back();
    if (!needed[n]) continue;
    LutNode node = resolve(network.nodes[n], sources);
    for (unsigned k = node.fanin_count; k-- > 0;)
      if (!depends_on(node, k)) drop_input(node, k);
    if (node.fanin_count == 0) {
      sources.back() = {kConstantSignal, node.table != 0};
    } else if (node.fanin_count == 1) {
      sources.back() = {node.fanins[0], node.table == 1};
    } else {
      result.nodes.push_back(node);
      sources.back() = {result.signal_of_node(result.nodes.size() - 1), false};
    }
  }
  for (const LutOutput& o : network.outputs) {
    const Source s = o.signal == kConstantSignal ? Source{} : sources[o.signal];
    result.outputs.push_back({o.name, s.signal, s.complemented != o.complemented});
  }
  return result;
}

}  // namespace

LutNetwork simplify(const LutNetwork& network) {
  LutNetwork result = fold(network);
  for (size_t before = network.nodes.size(); result.nodes.size() != before;) {
    before = result.nodes.size();
    result = fold(result);
  }
  return result;
}

}  // namespace bitgrid::synthesis
