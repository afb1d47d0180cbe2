// A grid configuration compiled into a straight-line program over lane words. Bit l of every word belongs to stimulus l.
//
// Each cell output that something reads becomes a *net*, which is one word. Outputs that are always 0 and outputs that reach no sampled
// port have no net. A phase is a list of operations, one or a few per net, that read nets of the other colour. Their order within the phase
// is free, so operations of one kind are grouped and run in one loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ir/grid_config.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::sim {

/// The kinds of operations, numbered densely. Bit i of a table is the result for operand values i (first operand = bit 0).
namespace lane_op {
inline constexpr uint32_t kZero = 0, kOnes = 1;  // out
inline constexpr uint32_t kCopy = 2, kNot = 3;   // out, a
inline constexpr uint32_t kTable2 = 4;           // + table of 4 bits: out, a, b
inline constexpr uint32_t kTable3 = 20;          // + table of 8 bits: out, a, b, c
inline constexpr uint32_t kMux3 = 276;           // + table of 8 bits: out, a, b, c, x, t: x ? table(a, b, c) : t
inline constexpr uint32_t kCount = 532;

/// Returns the number of code words that an operation takes.
constexpr uint32_t words(uint32_t op) {
  return op < kCopy ? 1 : op < kTable2 ? 2 : op < kTable3 ? 3 : op < kMux3 ? 4 : 6;
}
}  // namespace lane_op

/// Among the permutations of a table's three operands, the one with the smallest table. Only these occur in programs.
struct CanonicalTable {
  uint8_t table = 0;
  uint8_t order[3] = {0, 1, 2};  // operand k of `table` is operand order[k] of the original
};
constexpr CanonicalTable canonical_table(uint8_t table) {
  constexpr uint8_t kOrders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  CanonicalTable best{table, {0, 1, 2}};
  for (const auto& order : kOrders) {
    unsigned permuted = 0;
    for (unsigned i = 0; i < 8; ++i) {
      unsigned original = 0;
      for (unsigned k = 0; k < 3; ++k) original |= ((i >> k) & 1u) << order[k];
      permuted |= ((static_cast<unsigned>(table) >> original) & 1u) << i;
    }
    if (permuted < best.table) best = {static_cast<uint8_t>(permuted), {order[0], order[1], order[2]}};
  }
  return best;
}

struct LanePort {
  Side side = Side::N;
  int position = 0;
  bool operator==(const LanePort&) const = default;
};

struct LaneProgramParams {
  std::vector<LanePort> driven;         // the only border ports that ever carry a 1
  std::vector<LanePort> sampled;        // ports whose bits must be right; with all_cells, every cell's must be
  std::vector<ResidentSlot> residents;  // cells whose word the variable `bit` chooses, lane by lane
  uint32_t variables = 0;               // more than any resident's bit
  bool all_cells = false;
  bool any_start = false;  // latches may start at anything, so that an output counts as always 0 only if no latch affects it
  /// For faults: outputs that are 0 in a sound grid get nets too, and everything around an observable cell counts as observable.
  bool faults = false;
  /// Long wires become rings that remember what entered them. Their inner cells get no nets.
  bool delay_lines = false;
};

/// A wire of many cells. `out` has the value that `in` had some phases ago, as if the bit had moved from cell to cell.
struct DelayLine {
  uint32_t in = 0, out = 0;  // nets
  uint32_t first = 0;        // word of the ring
  uint32_t depth = 0;        // words
};

struct LaneProgram {
  static constexpr uint32_t kNone = ~uint32_t{0};
  static constexpr uint32_t kZeroNet = 0, kOnesNet = 1;

  /// `count` operations of one kind, starting at code[first].
  struct Run {
    uint32_t op = 0;
    uint32_t count = 0;
    size_t first = 0;
  };

  int width = 0;
  int height = 0;
  uint32_t nets = 0;            // words of state; nets 0 and 1 are constants
  uint32_t words = 0;           // nets and scratch words
  std::vector<uint32_t> edges;  // net of cell output 4 * (y * width + x) + side; kZeroNet if it is always 0, kNone if unobservable
  uint32_t first_edge = 0;      // nets from here on are cell outputs; those before are constants, driven ports and variables
  std::vector<uint32_t> driven, sampled, variables;  // nets by index into the parameters' lists; variables by bit
  std::vector<uint32_t> code;
  std::vector<Run> runs[2];  // of phases A and B
  size_t operations = 0;     // of both phases
  std::vector<DelayLine> lines;
  std::vector<uint32_t> leaving[2], entering[2];  // lines whose last cell, or first inner cell, latches in phases A and B
};

/// Throws Error if a port or a resident slot is off the grid, or if the grid has more outputs than there are net numbers.
LaneProgram compile_lanes(const GridConfig& grid, const LaneProgramParams& params);

}  // namespace bitgrid::sim
