#include "report/cell_roles.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace bitgrid::report {
namespace {

constexpr std::array<unsigned, 4> kMask = {1, 2, 4, 8};  // of a side in an index and in a support

Edge edge_of(Lut table) {
  if (table == 0) return {};
  for (const Side s : kSides) {
    if (table == kCopy[static_cast<size_t>(s)]) return {EdgeKind::kPass, s, static_cast<uint8_t>(kMask[static_cast<size_t>(s)])};
  }
  return {EdgeKind::kLogic, Side::N, static_cast<uint8_t>(support(table))};
}

/// Whether `table` is the parity of three inputs (or its complement), and of which.
std::optional<unsigned> parity_of_three(Lut table) {
  for (unsigned mask = 1; mask < 16; ++mask) {
    if (std::popcount(mask) != 3) continue;
    unsigned parity = 0;
    for (unsigned i = 0; i < 16; ++i) parity |= static_cast<unsigned>(std::popcount(i & mask) & 1) << i;
    if (table == parity || table == (~parity & 0xFFFFu)) return mask;
  }
  return std::nullopt;
}

/// Whether `table` is the majority of the inputs in `mask`, those in `inverted` complemented.
bool is_majority(Lut table, unsigned mask, unsigned inverted) {
  for (unsigned i = 0; i < 16; ++i) {
    if (((table >> i) & 1u) != (std::popcount((i ^ inverted) & mask) >= 2 ? 1u : 0u)) return false;
  }
  return true;
}

CellRole role_of(CellWord word) {
  const auto luts = cell_luts(word);
  CellRole role = CellRole::kIdle;
  for (const Lut table : luts) {
    const Edge e = edge_of(table);
    if (e.kind == EdgeKind::kLogic) role = CellRole::kLogic;
    if (e.kind == EdgeKind::kPass && role == CellRole::kIdle) role = CellRole::kWire;
  }
  if (role != CellRole::kLogic) return role;
  for (const Lut sum : luts) {
    const auto mask = parity_of_three(sum);
    if (!mask) continue;
    for (const Lut carry : luts) {
      if (is_majority(carry, *mask, 0)) return CellRole::kAdd;
      for (const unsigned side : kMask) {
        if ((side & *mask) && is_majority(carry, *mask, side)) return CellRole::kSubtract;
      }
    }
  }
  return CellRole::kLogic;
}

/// An output that is one of two functions, by a resident bit.
Edge either(Edge a, Edge b, bool same) {
  if (same) return a;
  return {EdgeKind::kLogic, Side::N, static_cast<uint8_t>(a.support | b.support)};
}

size_t side_index(Side s) {
  return static_cast<size_t>(s);
}

std::array<std::vector<Signal>, 4> port_signals(const MappedKernel& kernel) {
  std::array<std::vector<Signal>, 4> ports;
  for (const Side s : kSides) {
    const bool horizontal = s == Side::N || s == Side::S;
    ports[side_index(s)].assign(static_cast<size_t>(horizontal ? kernel.grid.width : kernel.grid.height), Signal::kNone);
  }
  for (const ConstantStream& c : kernel.constants) ports[side_index(c.slot.side)][static_cast<size_t>(c.slot.position)] = Signal::kConstant;
  for (const InputSlot& in : kernel.inputs) ports[side_index(in.slot.side)][static_cast<size_t>(in.slot.position)] = Signal::kInput;
  return ports;
}

class Tracer {
 public:
  Tracer(CellRoles& roles, const MappedKernel& kernel) : r_(roles), known_(roles.edges.size()) {
    r_.ports = port_signals(kernel);
    r_.signals.assign(r_.edges.size(), {});
    for (int y = 0; y < r_.height; ++y) {
      for (int x = 0; x < r_.width; ++x) {
        for (const Side s : kSides) trace(x, y, s);
      }
    }
    for (const BitSlot& out : kernel.outputs) mark_output(out);
  }

 private:
  /// Follows copies back to something known and writes it to all of them. A ring of copies carries nothing.
  void trace(int x, int y, Side side) {
    std::vector<std::pair<size_t, Side>> path;
    Signal signal = Signal::kNone;
    for (;;) {
      const size_t cell = r_.index(x, y);
      if ((known_[cell] >> side_index(side)) & 1u) {
        signal = r_.signals[cell][side_index(side)];
        break;
      }
      known_[cell] = static_cast<uint8_t>(known_[cell] | kMask[side_index(side)]);
      path.emplace_back(cell, side);
      const Edge& e = r_.edges[cell][side_index(side)];
      if (e.kind != EdgeKind::kPass) {
        if (e.kind == EdgeKind::kLogic) signal = Signal::kInternal;
        break;
      }
      const int px = x + dx(e.from), py = y + dy(e.from);
      if (!r_.inside(px, py)) {
        signal = r_.incoming(x, y, e.from);
        break;
      }
      x = px;
      y = py;
      side = opposite(e.from);
    }
    for (const auto& [cell, s] : path) r_.signals[cell][side_index(s)] = signal;
  }

  /// The copies between a result's port and the cell that computes it.
  void mark_output(const BitSlot& slot) {
    Side side = slot.side;
    int x = side == Side::E ? r_.width - 1 : side == Side::W ? 0 : slot.position;
    int y = side == Side::S ? r_.height - 1 : side == Side::N ? 0 : slot.position;
    while (r_.inside(x, y)) {
      Signal& signal = r_.signals[r_.index(x, y)][side_index(side)];
      if (signal != Signal::kInternal) return;
      signal = Signal::kOutput;
      const Edge& e = r_.edges[r_.index(x, y)][side_index(side)];
      if (e.kind != EdgeKind::kPass) return;
      x += dx(e.from);
      y += dy(e.from);
      side = opposite(e.from);
    }
  }

  CellRoles& r_;
  std::vector<uint8_t> known_;  // sides, by mask
};

}  // namespace

Signal CellRoles::incoming(int x, int y, Side side) const {
  const int px = x + dx(side), py = y + dy(side);
  if (inside(px, py)) return signals[index(px, py)][side_index(opposite(side))];
  return ports[side_index(side)][static_cast<size_t>(side == Side::N || side == Side::S ? x : y)];
}

CellRoles cell_roles(const MappedKernel& kernel) {
  CellRoles r;
  r.width = kernel.grid.width;
  r.height = kernel.grid.height;
  for (const CellWord word : kernel.grid.cells) {
    const auto luts = cell_luts(word);
    r.edges.push_back({edge_of(luts[0]), edge_of(luts[1]), edge_of(luts[2]), edge_of(luts[3])});
    r.roles.push_back(role_of(word));
  }
  for (const ResidentSlot& slot : kernel.residents) {
    const size_t cell = r.index(slot.x, slot.y);
    const auto zero = cell_luts(slot.word0), one = cell_luts(slot.word1);
    for (size_t s = 0; s < 4; ++s)
      if (zero[s] != one[s]) r.edges[cell][s] = either(r.edges[cell][s], edge_of(one[s]), false);
    r.roles[cell] = CellRole::kResident;
  }
  Tracer(r, kernel);
  return r;
}

}  // namespace bitgrid::report
