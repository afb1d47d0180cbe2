#include "ir/output_cone.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "ir/error.h"

namespace bitgrid {
namespace {

constexpr uint32_t kNew = ~uint32_t{0}, kOpen = kNew - 1;  // instead of an index into OutputCone::edges

class ConeWalk {
 public:
  explicit ConeWalk(const MappedKernel& kernel) : k_(kernel), index_(4 * kernel.grid.cells.size(), kNew) {
    if (k_.residents.empty()) return;
    resident_support_.assign(index_.size(), 0);
    for (const ResidentSlot& r : k_.residents) {
      for (size_t side = 0; side < 4; ++side) {
        uint8_t& sides = resident_support_[4 * k_.grid.index(r.x, r.y) + side];
        sides = static_cast<uint8_t>(sides | support(cell_lut(r.flip(), side)));
      }
    }
  }

  OutputCone run(bool stop_at_loops) {
    for (const BitSlot& slot : k_.outputs) {
      visit(edge_of(slot));
      if (cone_.cyclic && stop_at_loops) return std::move(cone_);
    }
    if (!cone_.cyclic) find_phases();
    return std::move(cone_);
  }

 private:
  struct Frame {
    uint32_t id;
    uint8_t support;
    unsigned side = 0;  // to be followed next
  };

  uint32_t edge_of(const BitSlot& slot) const {
    const int x = slot.side == Side::E ? k_.grid.width - 1 : slot.side == Side::W ? 0 : slot.position;
    const int y = slot.side == Side::S ? k_.grid.height - 1 : slot.side == Side::N ? 0 : slot.position;
    return static_cast<uint32_t>(4 * k_.grid.index(x, y)) + static_cast<uint32_t>(slot.side);
  }

  /// The edge that enters an edge's cell from a side; kNew: a border port does.
  uint32_t fanin(uint32_t id, Side side) const {
    const int cell = static_cast<int>(id / 4), x = cell % k_.grid.width + dx(side), y = cell / k_.grid.width + dy(side);
    if (x < 0 || y < 0 || x >= k_.grid.width || y >= k_.grid.height) return kNew;
    return static_cast<uint32_t>(4 * k_.grid.index(x, y)) + static_cast<uint32_t>(opposite(side));
  }

  uint8_t support_of(uint32_t id) const {
    const size_t cell = id / 4, side = id % 4;
    return static_cast<uint8_t>(support(cell_lut(k_.grid.cells[cell], side)) | (resident_support_.empty() ? 0u : resident_support_[id]));
  }

  void open(uint32_t id) {
    if (index_[id] == kOpen) cone_.cyclic = true;
    if (index_[id] != kNew) return;
    index_[id] = kOpen;
    stack_.push_back({id, support_of(id)});
  }

  void visit(uint32_t root) {
    if (index_[root] != kNew) return;
    open(root);
    while (!stack_.empty()) {
      Frame& frame = stack_.back();
      if (frame.side == 4) {
        index_[frame.id] = static_cast<uint32_t>(cone_.edges.size());
        cone_.edges.push_back({frame.id, frame.support, 0, 0});
        stack_.pop_back();
        continue;
      }
      const unsigned side = frame.side++;
      if (!((frame.support >> side) & 1u)) continue;
      if (const uint32_t next = fanin(frame.id, kSides[side]); next != kNew) open(next);
    }
  }

  void find_phases() {
    for (ConeEdge& edge : cone_.edges) {
      edge.first = std::numeric_limits<int64_t>::max();
      edge.last = std::numeric_limits<int64_t>::min();
    }
    const auto widen = [](ConeEdge& edge, int64_t first, int64_t last) {
      edge.first = std::min(edge.first, first);
      edge.last = std::max(edge.last, last);
    };
    for (const BitSlot& slot : k_.outputs) widen(cone_.edges[index_[edge_of(slot)]], slot.phase, slot.phase);
    for (size_t i = cone_.edges.size(); i-- > 0;) {
      const ConeEdge edge = cone_.edges[i];
      for (unsigned side = 0; side < 4; ++side) {
        if (!((edge.support >> side) & 1u)) continue;
        if (const uint32_t next = fanin(edge.id, kSides[side]); next != kNew)
          widen(cone_.edges[index_[next]], edge.first - 1, edge.last - 1);
      }
    }
  }

  const MappedKernel& k_;
  std::vector<uint8_t> resident_support_;  // by edge: what the cell's resident bits may make it depend on; empty: there are none
  std::vector<uint32_t> index_;
  std::vector<Frame> stack_;
  OutputCone cone_;
};

int64_t floor_even(int64_t phase) {
  return phase - (phase & 1);
}

/// The phase from which on the grid runs whatever the lead: that of the earliest slot.
int64_t latest_start(const MappedKernel& kernel) {
  int64_t first = 0;
  for (const InputSlot& in : kernel.inputs) first = std::min<int64_t>(first, in.slot.phase);
  for (const BitSlot& out : kernel.outputs) first = std::min<int64_t>(first, out.phase);
  return floor_even(first);
}

/// The edge that is needed first; nullopt: nothing is before the earliest slot, or there are loops.
std::optional<ConeEdge> too_early(const MappedKernel& kernel, bool& cyclic) {
  const OutputCone cone = ConeWalk(kernel).run(true);
  cyclic = cone.cyclic;
  if (cone.cyclic || cone.edges.empty()) return std::nullopt;
  const auto earliest =
      std::min_element(cone.edges.begin(), cone.edges.end(), [](const ConeEdge& a, const ConeEdge& b) { return a.first < b.first; });
  if (earliest->first >= latest_start(kernel)) return std::nullopt;
  return *earliest;
}

int lead_for(const ConeEdge& edge) {
  return static_cast<int>(-floor_even(edge.first) / 2);
}

}  // namespace

OutputCone output_cone(const MappedKernel& kernel) {
  return ConeWalk(kernel).run(false);
}

int64_t start_phase(const MappedKernel& kernel) {
  return std::min(-2 * int64_t{kernel.lead_cycles}, latest_start(kernel));
}

std::optional<int> needed_lead(const MappedKernel& kernel) {
  bool cyclic = false;
  const std::optional<ConeEdge> edge = too_early(kernel, cyclic);
  if (cyclic) return std::nullopt;
  return edge ? lead_for(*edge) : 0;
}

void raise_lead(MappedKernel& kernel) {
  kernel.lead_cycles = std::max(kernel.lead_cycles, needed_lead(kernel).value_or(0));
}

void require_lead(const MappedKernel& kernel) {
  bool cyclic = false;
  const std::optional<ConeEdge> edge = too_early(kernel, cyclic);
  if (!edge || edge->first >= start_phase(kernel)) return;
  const int cell = static_cast<int>(edge->id / 4);
  throw Error(
      "kernel '" + kernel.name + "'",
      fmt::format("the first invocation reads what cell ({}, {}) {} latches in phase {}, and the grid starts in phase {}",
                  cell % kernel.grid.width, cell / kernel.grid.width, letter(kSides[edge->id % 4]), edge->first, start_phase(kernel)),
      fmt::format("raise lead_cycles from {} to {}", kernel.lead_cycles, lead_for(*edge)));
}

}  // namespace bitgrid
