// Finds which input bits belong together: words by their names, and orders of the inputs that are worth trying.
#pragma once

#include <vector>

#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::synthesis {

/// Groups inputs whose names differ only in a final number ("a[3]", "a3", "a_3_"), in the order of these numbers. Words are in order of
/// appearance.
std::vector<std::vector<size_t>> input_words(const LogicGraph& graph);

/// Two words of input indices: by name if the names form two words, else the first and second half (a left-over input is in neither).
struct TwoWords {
  std::vector<size_t> a, b;
  bool operator==(const TwoWords&) const = default;
};
std::vector<TwoWords> two_words(const LogicGraph& graph);

/// Returns the inputs in the order in which outputs (those with the fewest inputs first) depend on them.
std::vector<size_t> order_of_dependence(const LogicGraph& graph);

}  // namespace bitgrid::synthesis
