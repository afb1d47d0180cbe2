#include "check/lut_builder.h"

#include <algorithm>

namespace bitgrid::check {

LutLiteral LutBuilder::add_lut(uint16_t table, std::array<LutLiteral, 4> operands) {
  // Fan-ins in order of their ids; complements, constants and repetitions go into the index.
  std::vector<SignalId> fanins;
  for (const LutLiteral& o : operands)
    if (!o.is_constant()) fanins.push_back(o.signal);
  std::sort(fanins.begin(), fanins.end());
  fanins.erase(std::unique(fanins.begin(), fanins.end()), fanins.end());
  const auto value = [&](unsigned index) {
    unsigned old_index = 0;
    for (unsigned j = 0; j < 4; ++j) {
      bool bit = operands[j].complemented;
      if (!operands[j].is_constant()) {
        const auto at = std::lower_bound(fanins.begin(), fanins.end(), operands[j].signal) - fanins.begin();
        bit ^= (index >> at) & 1u;
      }
      old_index |= static_cast<unsigned>(bit) << j;
    }
    return static_cast<unsigned>(table >> old_index) & 1u;
  };
  unsigned reduced = 0;
  for (unsigned i = 0; i < (1u << fanins.size()); ++i) reduced |= value(i) << i;

  for (size_t k = fanins.size(); k-- > 0;) {  // drop what it does not depend on
    const unsigned step = 1u << k, size = 1u << fanins.size();
    unsigned low = 0, high = 0;
    for (unsigned i = 0, n = 0; i < size; ++i) {
      if (i & step) continue;
      low |= ((reduced >> i) & 1u) << n;
      high |= ((reduced >> (i | step)) & 1u) << n;
      ++n;
    }
    if (low != high) continue;
    reduced = low;
    fanins.erase(fanins.begin() + static_cast<std::ptrdiff_t>(k));
  }
  if (fanins.empty()) return {kConstantSignal, reduced != 0};
  if (fanins.size() == 1) return {fanins[0], reduced == 1};

  const bool complemented = reduced & 1u;  // a node is 0 for index 0
  if (complemented) reduced = ~reduced & ((1u << (1u << fanins.size())) - 1);
  const auto [it, fresh] = hash_.try_emplace({static_cast<uint16_t>(reduced), fanins}, static_cast<SignalId>(nodes_.size()));
  if (fresh) {
    LutNode node;
    node.fanin_count = static_cast<uint8_t>(fanins.size());
    std::copy(fanins.begin(), fanins.end(), node.fanins.begin());
    node.table = static_cast<uint16_t>(reduced);
    nodes_.push_back(node);
  }
  return {it->second, complemented};
}

LutLiteral LutBuilder::add_select(LutLiteral condition, LutLiteral if_one, LutLiteral if_zero) {
  return add_lut(0xCACA, {if_zero, if_one, condition, LutLiteral{}});
}

LutNetwork LutBuilder::take(const std::vector<LutLiteral>& outputs) const {
  std::vector<bool> used(nodes_.size());
  for (const LutLiteral& o : outputs)
    if (!o.is_constant() && !(o.signal & kInputFlag)) used[o.signal] = true;
  for (size_t n = nodes_.size(); n-- > 0;) {
    if (!used[n]) continue;
    for (const SignalId f : fanins(nodes_[n]))
      if (!(f & kInputFlag)) used[f] = true;
  }
  LutNetwork network;
  for (uint32_t i = 0; i < inputs_; ++i) network.inputs.push_back("i" + std::to_string(i));
  std::vector<SignalId> renumbered(nodes_.size());
  const auto signal = [&](SignalId s) { return s == kConstantSignal ? s : s & kInputFlag ? s & ~kInputFlag : renumbered[s]; };
  for (size_t n = 0; n < nodes_.size(); ++n) {
    if (!used[n]) continue;
    renumbered[n] = network.signal_of_node(network.nodes.size());
    network.nodes.push_back(nodes_[n]);
    LutNode& node = network.nodes.back();
    for (unsigned j = 0; j < node.fanin_count; ++j) node.fanins[j] = signal(node.fanins[j]);
  }
  for (size_t o = 0; o < outputs.size(); ++o)
    network.outputs.push_back({"o" + std::to_string(o), signal(outputs[o].signal), outputs[o].complemented});
  return network;
}

}  // namespace bitgrid::check
