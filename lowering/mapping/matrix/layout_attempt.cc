#include "lowering/mapping/matrix/layout_attempt.h"

#include <algorithm>

namespace bitgrid::mapping {

bool LayoutAttempt::fail(const std::string& why, bool worth_a_try) {
  problem = why;
  again = worth_a_try;
  return false;
}

void LayoutAttempt::lay(const FabricWire& wire) {
  fabric.take(wire);
  if (!wire.moves.empty()) plan.wires.push_back(wire);
}

BitSlot LayoutAttempt::lay_feed(const FabricWire& wire, int at) {
  lay(wire);
  const int hops = count_of(wire.moves);
  longest_feed = std::max(longest_feed, hops);
  return fabric.take_port(wire, at - hops);
}

BitSlot LayoutAttempt::leave(const FabricWire& wire, int before) {
  lay(wire);
  int x = wire.x, y = wire.y;
  Side last = Side::N;
  for (size_t i = 0; i < wire.moves.size(); ++i) {
    last = side_of(wire.moves[i]);
    if (i + 1 < wire.moves.size()) x += dx(last), y += dy(last);
  }
  return {last, last == Side::N || last == Side::S ? x : y, before + count_of(wire.moves)};
}

}  // namespace bitgrid::mapping
