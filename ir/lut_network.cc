#include "ir/lut_network.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "ir/bit_slices.h"
#include "ir/error.h"
#include "ir/names.h"

namespace bitgrid {
namespace {

// A prefix that keeps made-up names apart from those of inputs and outputs.
std::string node_prefix(const LutNetwork& network) {
  std::vector<std::string_view> taken(network.inputs.begin(), network.inputs.end());
  for (const LutOutput& o : network.outputs) taken.push_back(o.name);
  return free_prefix("n", taken);
}

std::string name_with(const LutNetwork& network, SignalId signal, const std::string& prefix) {
  if (signal == kConstantSignal) return "constant";
  return network.is_input(signal) ? network.inputs[signal] : prefix + std::to_string(signal - network.inputs.size());
}

void verify_node(const LutNetwork& network, size_t index) {
  const LutNode& node = network.nodes[index];
  const std::string where = fmt::format("LUT network {}, node {}", network.name, index);
  if (node.fanin_count > 4) throw Error(where, fmt::format("{} fan-ins", node.fanin_count), "a LUT has at most four");
  for (size_t i = 0; i < node.fanin_count; ++i) {
    if (node.fanins[i] >= network.signal_of_node(index))
      throw Error(where, fmt::format("fan-in {} is signal {}, which does not come before the node", i, node.fanins[i]),
                  "order nodes topologically");
    for (size_t j = 0; j < i; ++j)
      if (node.fanins[i] == node.fanins[j])
        throw Error(where, fmt::format("fan-ins {} and {} are the same signal", j, i), "merge them in the table");
  }
  const uint32_t entries = 1u << node.fanin_count;
  if (entries < 16 && (node.table >> entries) != 0)
    throw Error(where, fmt::format("table {:04x} has bits above its {} entries", node.table, entries), "clear them");
}

bool is_blif_name(const std::string& name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c != '#' && c != '\\' && c != '=' && c != 0x7F; });
}

// Minterms of a table as BLIF rows: of the smaller half, the off-set if that is it. Not of an empty off-set: no rows are the constant 0.
std::string rows_of(uint16_t table, unsigned inputs) {
  const unsigned entries = 1u << inputs;
  const unsigned ones = static_cast<unsigned>(__builtin_popcount(table));
  const bool on = 2 * ones <= entries || ones == entries;
  std::string text;
  for (unsigned i = 0; i < entries; ++i) {
    if (((table >> i) & 1u) != on) continue;
    for (unsigned j = 0; j < inputs; ++j) text += ((i >> j) & 1u) ? '1' : '0';
    text += inputs > 0 ? (on ? " 1\n" : " 0\n") : "1\n";
  }
  return text;
}

}  // namespace

std::string signal_name(const LutNetwork& network, SignalId signal) {
  return name_with(network, signal, node_prefix(network));
}

int depth(const LutNetwork& network) {
  std::vector<int> level(network.inputs.size() + network.nodes.size());
  for (size_t n = 0; n < network.nodes.size(); ++n) {
    int& mine = level[network.signal_of_node(n)];
    for (const SignalId f : fanins(network.nodes[n])) mine = std::max(mine, level[f]);
    ++mine;
  }
  return level.empty() ? 0 : *std::max_element(level.begin(), level.end());
}

void verify(const LutNetwork& network) {
  const std::string where = "LUT network " + network.name;
  std::unordered_set<std::string> seen;
  for (const std::string& name : network.inputs) {
    if (!is_blif_name(name))
      throw Error(where, "input name \"" + name + "\" cannot be written", "use printable characters without blanks, '#', '=' and '\\'");
    if (!seen.insert(name).second) throw Error(where, "two inputs are called " + name, "give each its own name");
  }
  for (size_t n = 0; n < network.nodes.size(); ++n) verify_node(network, n);
  const std::unordered_set<std::string> inputs = std::exchange(seen, {});
  const size_t signals = network.inputs.size() + network.nodes.size();
  for (const LutOutput& o : network.outputs) {
    if (!is_blif_name(o.name))
      throw Error(where, "output name \"" + o.name + "\" cannot be written", "use printable characters without blanks, '#', '=' and '\\'");
    if (!seen.insert(o.name).second) throw Error(where, "two outputs are called " + o.name, "give each its own name");
    if (inputs.contains(o.name) && (o.complemented || o.signal >= network.inputs.size() || network.inputs[o.signal] != o.name))
      throw Error(where, "output " + o.name + " has the name of an input", "give it its own name, unless it shows that very input");
    if (o.signal != kConstantSignal && o.signal >= signals)
      throw Error(where, fmt::format("output {} is signal {} of {}", o.name, o.signal, signals), "refer to an input or a node");
  }
}

BitMatrix evaluate(const LutNetwork& network, const BitMatrix& inputs) {
  if (inputs.cols != network.inputs.size())
    throw Error("LUT network " + network.name, fmt::format("{} input bits are given, but it has {}", inputs.cols, network.inputs.size()),
                "give one column for each input");
  std::vector<uint64_t> value(network.inputs.size() + network.nodes.size());
  return evaluate_slices(inputs, network.outputs.size(), [&](std::span<const uint64_t> in, std::span<uint64_t> out) {
    std::copy(in.begin(), in.end(), value.begin());
    for (size_t n = 0; n < network.nodes.size(); ++n) {
      const LutNode& node = network.nodes[n];
      std::array<uint64_t, 16> part{};  // the multiplexer tree, from the leaves
      for (unsigned i = 0; i < (1u << node.fanin_count); ++i) part[i] = 0 - uint64_t{(node.table >> i) & 1u};
      for (unsigned k = node.fanin_count; k-- > 0;) {
        const uint64_t select = value[node.fanins[k]];
        for (unsigned i = 0; i < (1u << k); ++i) part[i] ^= (part[i] ^ part[i + (1u << k)]) & select;
      }
      value[network.signal_of_node(n)] = part[0];
    }
    for (size_t o = 0; o < network.outputs.size(); ++o) {
      const LutOutput& output = network.outputs[o];
      out[o] = (output.signal == kConstantSignal ? 0 : value[output.signal]) ^ (0 - uint64_t{output.complemented});
    }
  });
}

std::string to_blif(const LutNetwork& network) {
  const std::string prefix = node_prefix(network);
  std::string text = ".model " + (is_blif_name(network.name) ? network.name : "network") + "\n.inputs";
  for (const std::string& name : network.inputs) text += " " + name;
  text += "\n.outputs";
  for (const LutOutput& o : network.outputs) text += " " + o.name;
  text += "\n";
  for (size_t n = 0; n < network.nodes.size(); ++n) {
    const LutNode& node = network.nodes[n];
    text += ".names";
    for (const SignalId f : fanins(node)) text += " " + name_with(network, f, prefix);
    text += " " + name_with(network, network.signal_of_node(n), prefix) + "\n" + rows_of(node.table, node.fanin_count);
  }
  for (const LutOutput& o : network.outputs) {
    if (o.signal == kConstantSignal) {
      text += ".names " + o.name + "\n" + (o.complemented ? "1\n" : "");
      continue;
    }
    const std::string source = name_with(network, o.signal, prefix);
    if (source == o.name && !o.complemented) continue;  // an output that is the input of its name
    text += ".names " + source + " " + o.name + "\n" + (o.complemented ? "0 1\n" : "1 1\n");
  }
  return text + ".end\n";
}

}  // namespace bitgrid
