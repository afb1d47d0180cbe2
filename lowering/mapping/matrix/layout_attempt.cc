#include "lowering/mapping/matrix/layout_attempt.h"

#include <algorithm>

namespace bitgrid::mapping {

bool LayoutAttempt::fail(const std::string& why, bool worth_a_try) {
  problem = why;
  again = worth_a_try;
  return false;
}

void LayoutAttempt::add_word(const Word& word, BitSlot slot) {
  for (uint32_t k = 0; k < word.bits; ++k) {
    kernel.inputs.push_back({word.first + k, {slot.side, slot.position, slot.phase + 2 * static_cast<int>(k + word.shift)}, 1});
    if ((word.rest >> k) & 1) kernel.resting_ones.push_back(word.first + k);
  }
}

BitSlot LayoutAttempt::lay_feed(const FabricWire& wire, int at) {
  fabric.wire(wire);
  const auto hops = static_cast<int>(wire.moves.size());
  longest_feed = std::max(longest_feed, hops);
  return fabric.take_port(wire, at - hops);
}

BitSlot LayoutAttempt::leave(const FabricWire& wire, int before) {
  fabric.wire(wire);
  int x = wire.x, y = wire.y;
  Side last = Side::N;
  for (size_t i = 0; i < wire.moves.size(); ++i) {
    last = *std::find_if(kSides.begin(), kSides.end(), [&](Side s) { return letter(s) == wire.moves[i]; });
    if (i + 1 < wire.moves.size()) x += dx(last), y += dy(last);
  }
  return {last, last == Side::N || last == Side::S ? x : y, before + static_cast<int>(wire.moves.size())};
}

void LayoutAttempt::add_outputs(size_t group, BitSlot slot, bool sign) {
  for (uint32_t k = 0; k < form.raw_bits; ++k)
    kernel.outputs[group * form.raw_bits + k] = {slot.side, slot.position, slot.phase + 2 * static_cast<int>(k + form.raw_shift)};
  if (sign && form.sign)
    kernel.outputs[groups() * form.raw_bits + group] = {slot.side, slot.position, slot.phase + 2 * (form.word_slots - 1)};
}

}  // namespace bitgrid::mapping
