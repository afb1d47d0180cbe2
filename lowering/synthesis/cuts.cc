#include "lowering/synthesis/cuts.h"

#include "ir/index.h"

namespace bitgrid::synthesis {
namespace {

// Exchanges variables i and i + 1 of a table of four.
uint16_t swap_adjacent(uint16_t t, unsigned i) {
  static constexpr uint16_t kKeep[3] = {0x9999, 0xC3C3, 0xF00F};
  static constexpr uint16_t kUp[3] = {0x2222, 0x0C0C, 0x00F0};
  const unsigned shift = 1u << i;
  return static_cast<uint16_t>((t & kKeep[i]) | ((t & kUp[i]) << shift) | ((t >> shift) & kUp[i]));
}

uint16_t cofactor(uint16_t t, unsigned variable, bool value) {
  const unsigned shift = 1u << variable;
  const unsigned half = value ? (t & kVariable[variable]) : (t & ~unsigned{kVariable[variable]});
  return static_cast<uint16_t>(value ? half | (half >> shift) : half | (half << shift));
}

}  // namespace

bool merge_leaves(const Cut& a, const Cut& b, Cut& result) {
  unsigned i = 0, j = 0, n = 0;
  while (i < a.size || j < b.size) {
    if (n == 4) return false;
    if (j == b.size || (i < a.size && a.leaves[i] < b.leaves[j])) {
      result.leaves[n++] = a.leaves[i++];
    } else {
      if (i < a.size && a.leaves[i] == b.leaves[j]) ++i;
      result.leaves[n++] = b.leaves[j++];
    }
  }
  result.size = static_cast<uint8_t>(n);
  return true;
}

uint16_t stretch(const Cut& a, const Cut& of) {
  uint16_t t = a.table;
  int to = of.size - 1;
  for (int from = a.size - 1; from >= 0; --from) {
    while (of.leaves[index_of(to)] != a.leaves[index_of(from)]) --to;
    for (int v = from; v < to; ++v) t = swap_adjacent(t, static_cast<unsigned>(v));
    --to;
  }
  return t;
}

void drop_unused_leaves(Cut& cut) {
  for (unsigned v = cut.size; v-- > 0;) {
    if (cofactor(cut.table, v, false) != cofactor(cut.table, v, true)) continue;
    for (unsigned i = v; i + 1 < cut.size; ++i) {
      cut.table = swap_adjacent(cut.table, i);
      cut.leaves[i] = cut.leaves[i + 1];
    }
    --cut.size;
  }
}

bool dominates(const Cut& a, const Cut& b) {
  if (a.size > b.size) return false;
  unsigned j = 0;
  for (unsigned i = 0; i < a.size; ++i) {
    while (j < b.size && b.leaves[j] < a.leaves[i]) ++j;
    if (j == b.size || b.leaves[j] != a.leaves[i]) return false;
  }
  return true;
}

}  // namespace bitgrid::synthesis
