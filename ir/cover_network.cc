#include "ir/cover_network.h"

#include <algorithm>

#include <fmt/format.h>

#include "ir/bit_slices.h"
#include "ir/error.h"

namespace bitgrid {
namespace {

const std::string& name_of(const CoverNetwork& network, SignalId signal) {
  return signal < network.inputs.size() ? network.inputs[signal] : network.nodes[signal - network.inputs.size()].name;
}

/// A line of words. A last word that ends in `\` would take the next line in: it gets a mark of its own and an empty line to take.
class Line {
 public:
  explicit Line(std::string first) : text_(std::move(first)) {}
  void add(const std::string& word) { text_ += " " + word; }
  std::string finish() const { return text_ + (text_.ends_with('\\') ? "\\\n\n" : "\n"); }

 private:
  std::string text_;
};

}  // namespace

BitMatrix evaluate(const CoverNetwork& network, const BitMatrix& inputs) {
  if (inputs.cols != network.inputs.size())
    throw Error("network " + network.name, fmt::format("{} input bits are given, but it has {}", inputs.cols, network.inputs.size()),
                "give one column for each input");
  std::vector<uint64_t> value(network.inputs.size() + network.nodes.size());
  return evaluate_slices(inputs, network.outputs.size(), [&](std::span<const uint64_t> in, std::span<uint64_t> out) {
    std::copy(in.begin(), in.end(), value.begin());
    for (size_t n = 0; n < network.nodes.size(); ++n) {
      const CoverNode& node = network.nodes[n];
      uint64_t sum = 0;
      for (const CoverRow& row : node.rows) {
        uint64_t product = ~uint64_t{0};
        for (size_t i = 0; i < row.size(); ++i)
          if (row[i] != '-') product &= row[i] == '1' ? value[node.fanins[i]] : ~value[node.fanins[i]];
        sum |= product;
      }
      value[network.signal_of_node(n)] = node.complemented ? ~sum : sum;
    }
    for (size_t o = 0; o < network.outputs.size(); ++o) out[o] = value[network.outputs[o].signal];
  });
}

void verify(const CoverNetwork& network) {
  for (size_t n = 0; n < network.nodes.size(); ++n) {
    const CoverNode& node = network.nodes[n];
    const std::string where = "network " + network.name + ", node " + node.name;
    for (const SignalId f : node.fanins)
      if (f >= network.signal_of_node(n))
        throw Error(where, fmt::format("fan-in {} does not come before it", f), "order nodes topologically");
    for (const CoverRow& row : node.rows)
      if (row.size() != node.fanins.size() || row.find_first_not_of("01-") != std::string::npos)
        throw Error(where, "row \"" + row + "\" does not fit its " + std::to_string(node.fanins.size()) + " fan-ins",
                    "use 0, 1 and -, one per");
  }
  for (const auto& o : network.outputs)
    if (o.signal >= network.inputs.size() + network.nodes.size())
      throw Error("network " + network.name, "output " + o.name + " does not refer to a signal", "refer to an input or a node");
}

std::string to_blif(const CoverNetwork& network) {
  Line model(".model"), inputs(".inputs"), outputs(".outputs");
  model.add(network.name);
  for (const std::string& input : network.inputs) inputs.add(input);
  for (const auto& output : network.outputs) outputs.add(output.name);
  std::string text = model.finish() + inputs.finish() + outputs.finish();
  for (const CoverNode& node : network.nodes) {
    Line names(".names");
    for (const SignalId fanin : node.fanins) names.add(name_of(network, fanin));
    names.add(node.name);
    text += names.finish();
    for (const CoverRow& row : node.rows) text += fmt::format("{}{}{}\n", row, row.empty() ? "" : " ", node.complemented ? 0 : 1);
    if (node.rows.empty() && node.complemented) text += std::string(node.fanins.size(), '-') + (node.fanins.empty() ? "1\n" : " 1\n");
  }
  for (const auto& output : network.outputs) {
    const std::string& signal = name_of(network, output.signal);
    if (signal == output.name) continue;
    Line names(".names");
    names.add(signal);
    names.add(output.name);
    text += names.finish() + "1 1\n";
  }
  return text + ".end\n";
}

}  // namespace bitgrid
