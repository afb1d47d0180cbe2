// A systolic kernel in the making on a fabric with defects: what the stages of map_bit_serial_detour share.
#pragma once

#include <set>
#include <string>

#include "lowering/mapping/matrix/bit_serial.h"
#include "lowering/mapping/site_canvas.h"

namespace bitgrid::mapping {

/// Slot 0 of a sum is read at (x, y) in phase x + y + kSumFront + 2 * (cycles that it is late), of a column's word in phase x + y + 2 *
/// late.
inline constexpr int kSumFront = 2;

/// What is decided before a layout is tried, and what turned out not to work in earlier ones.
struct LayoutOptions {
  int late = 0;            // cycles by which the words of the columns enter later, from west to east
  int first_block = 0;     // the later blocks become so, evenly, from this one on
  int first_row = 0;       // smallest y of a row
  int corner_steps = 12;   // columns behind the array that rows cross on paths of the same kind
  int selective = 0;       // columns of cells are left out as long as that spares the others so many defects; 0: none
  int candidates = 1;      // rows that are tried for each place
  std::set<int> no_words;  // columns of cells where no word can come down
  std::set<int> no_exits;  // rows of cells in which no row can leave the array
  std::set<int> no_ends;   // columns where digit planes cannot be combined

  // These have no influence on the array.
  int corner_late = 2;      // cycles that rows lose there
  int corner_rows = 1;      // rows of cells that rows may use on their way to the strips, beyond what they bring
  std::set<int> no_strips;  // columns where no strip can begin

  bool same_array(const LayoutOptions& other) const {
    return late == other.late && first_block == other.first_block && first_row == other.first_row && selective == other.selective &&
           candidates == other.candidates && no_words == other.no_words && no_ends == other.no_ends;
  }
};

struct LayoutAttempt {
  const BitSerialForm& form;
  const LayoutOptions plan;
  Fabric fabric;
  MappedKernel kernel;

  // Why it came to nothing.
  std::string problem;
  LayoutOptions next;  // with what was learnt
  bool again = false;  // worth another try with it

  int feeds = 0;         // words that enter once more
  int longest_feed = 0;  // hops

  size_t groups() const { return form.groups.size(); }
  /// Returns false.
  bool fail(const std::string& why, bool worth_a_try = false);

  /// Bit 0 of `word` is read at `slot` (before the word's own shift).
  void add_word(const Word& word, BitSlot slot);
  /// Lays a wire that reaches its end (the cell behind its last move) in phase `at`. Returns the port with its phase.
  BitSlot lay_feed(const FabricWire& wire, int at);
  /// Lays a wire out of a border port; its first cell latches in phase before + 1.
  BitSlot leave(const FabricWire& wire, int before);
  /// The word of `slot` holds a group's sum: its raw bits, and its sign if asked for.
  void add_outputs(size_t group, BitSlot slot, bool sign);
};

}  // namespace bitgrid::mapping
