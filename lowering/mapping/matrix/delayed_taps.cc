#include "lowering/mapping/matrix/delayed_taps.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

constexpr int kTapRounds = 8;

std::optional<FabricWire> find_copy(const Fabric& fabric, const LateCopy& copy) {
  // Cells of the word's wire, with the sides through which it enters them.
  struct Tap {
    int x, y;
    Side enter;
  };
  std::vector<Tap> taps = {{copy.word.x, copy.word.y, copy.word.enter}};
  for (const char move : copy.word.moves) {
    const Side side = side_of(move);
    taps.push_back({taps.back().x + dx(side), taps.back().y + dy(side), opposite(side)});
  }
  taps.pop_back();  // behind the wire
  for (size_t i = taps.size(); i-- > 0;) {
    const int hops = count_of(taps) - int_of(i) + copy.late;
    auto wire = fabric.find_between(taps[i].x, taps[i].y, taps[i].enter, copy.to, hops);
    if (wire) wire = fabric.lengthened(*wire, hops - count_of(wire->moves), false);
    if (wire) return wire;
  }
  return std::nullopt;
}

}  // namespace

std::vector<size_t> find_late_copies(Fabric& fabric, const std::vector<LateCopy>& copies, std::vector<FabricWire>& found) {
  std::vector<size_t> order(copies.size()), failed;
  std::iota(order.begin(), order.end(), size_t{0});
  for (int round = 0; round < kTapRounds; ++round) {
    std::vector<std::optional<FabricWire>> wires(copies.size());
    failed.clear();
    for (const size_t i : order) {
      for (const FabricEdge& e : copies[i].kept) fabric.release(e);
      wires[i] = find_copy(fabric, copies[i]);
      if (wires[i]) {
        fabric.reserve_wire(*wires[i]);
      } else {
        failed.push_back(i);
        for (const FabricEdge& e : copies[i].kept) fabric.reserve(e);
      }
    }
    for (const auto& wire : wires) {
      if (wire) fabric.release_wire(*wire);
    }
    if (failed.empty()) {
      for (const auto& wire : wires) {
        fabric.take(*wire);
        found.push_back(*wire);
      }
      return failed;
    }
    for (const LateCopy& copy : copies) {
      for (const FabricEdge& e : copy.kept) fabric.reserve(e);
    }
    // One that finds no way although it went first never will.
    if (failed.front() == order.front()) return {failed.front()};
    // Those that found none go first the next time.
    std::stable_partition(order.begin(), order.end(), [&](size_t i) { return std::find(failed.begin(), failed.end(), i) != failed.end(); });
  }
  return failed;
}

}  // namespace bitgrid::mapping
