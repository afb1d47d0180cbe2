// Cuts with at most four leaves, and the function of the root over the leaves.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace bitgrid::synthesis {

struct Cut {
  uint8_t size = 0;
  std::array<uint32_t, 4> leaves{};  // ascending; the first `size` are used
  uint16_t table = 0;                // over all four variables; those from `size` on do not matter
  int depth = 0;                     // LUT levels if this cut implements the root
  float flow = 0;                    // area flow
};

inline std::span<const uint32_t> leaves(const Cut& cut) {
  return {cut.leaves.data(), cut.size};
}

/// The table of leaf i itself.
inline constexpr std::array<uint16_t, 4> kVariable = {0xAAAA, 0xCCCC, 0xF0F0, 0xFF00};

/// Forms the union of the leaves of a and b. Returns false if there are more than four. Fills only size and leaves.
bool merge_leaves(const Cut& a, const Cut& b, Cut& result);

/// Returns a's table over the leaves of `of` (a superset of a's).
uint16_t stretch(const Cut& a, const Cut& of);

/// Drops leaves that the function does not depend on.
void drop_unused_leaves(Cut& cut);

/// Returns whether every leaf of a is a leaf of b.
bool dominates(const Cut& a, const Cut& b);

}  // namespace bitgrid::synthesis
