// A plan in progress on a site with defects, shared by the stages of detour_plan.
#pragma once

#include <set>
#include <string>

#include "lowering/mapping/matrix/array_plan.h"
#include "lowering/mapping/site_canvas.h"

namespace bitgrid::mapping {

/// What is decided before a layout is tried, and what failed in earlier ones.
struct LayoutOptions {
  int late = 0;            // cycles by which the words of the columns enter later, from west to east
  int first_block = 0;     // blocks become later, evenly, from this one on
  int first_row = 0;       // smallest y of a row
  int corner_steps = 12;   // columns after the array that rows cross on paths of the same kind
  int selective = 0;       // a column of cells is left out if that spares the others at least this many defects; 0: none is
  int candidates = 1;      // rows that are tried for each place
  std::set<int> no_words;  // columns of cells where no word can run down
  std::set<int> no_ends;   // columns where digit planes cannot be combined

  // These do not affect the array.
  int corner_late = 2;      // cycles that rows lose there
  int corner_rows = 1;      // rows of cells that rows may use on their way to the strips, beyond those that they bring
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

  // Why it failed.
  std::string problem{};
  LayoutOptions next = options;  // with what was learned
  bool again = false;            // whether another try with it is worthwhile

  int longest_feed = 0;  // hops

  int groups() const { return count_of(form.groups); }
  /// Records why the attempt failed and returns false.
  bool fail(const std::string& why, bool worth_a_try = false);

  /// Takes the edges of a wire.
  void lay(const FabricWire& wire);
  /// Lays a wire that reaches its end (the cell after its last move) in phase `at`. Returns the port with its phase.
  BitSlot lay_feed(const FabricWire& wire, int at);
  /// Lays a wire that leaves through a border port. Its first cell latches in phase before + 1.
  BitSlot leave(const FabricWire& wire, int before);
};

}  // namespace bitgrid::mapping
