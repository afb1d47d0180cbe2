// A plan in the making on a site with defects: what the stages of detour_plan share.
#pragma once

#include <set>
#include <string>

#include "lowering/mapping/matrix/array_plan.h"
#include "lowering/mapping/site_canvas.h"

namespace bitgrid::mapping {

/// What is decided before a layout is tried, and what turned out not to work in earlier ones.
struct LayoutOptions {
  int late = 0;            // cycles by which the words of the columns enter later, from west to east
  int first_block = 0;     // the later blocks become so, evenly, from this one on
  int first_row = 0;       // smallest y of a row
  int corner_steps = 12;   // columns behind the array that rows cross on paths of the same kind
  int selective = 0;       // a column of cells is left out for every this many defects that it spares the others; 0: none is
  int candidates = 1;      // rows that are tried for each place
  std::set<int> no_words;  // columns of cells where no word can come down
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
  const StripStamps& stamps;
  const LayoutOptions options;
  Fabric fabric;
  ArrayPlan plan{};  // its stamps, width and height are set at the end

  // Why it came to nothing.
  std::string problem{};
  LayoutOptions next = options;  // with what was learnt
  bool again = false;            // worth another try with it

  int longest_feed = 0;  // hops

  int groups() const { return count_of(form.groups); }
  /// Returns false.
  bool fail(const std::string& why, bool worth_a_try = false);

  /// Takes the edges of a wire.
  void lay(const FabricWire& wire);
  /// Lays a wire that reaches its end (the cell behind its last move) in phase `at`. Returns the port with its phase.
  BitSlot lay_feed(const FabricWire& wire, int at);
  /// Lays a wire out of a border port; its first cell latches in phase before + 1.
  BitSlot leave(const FabricWire& wire, int before);
};

}  // namespace bitgrid::mapping
