// Shrinks a Dag or a netlist while it keeps a property, such as "this command still fails on it" (delta debugging: Zeller and Hildebrandt
// 2002). Every candidate is built from the structures of ir/ and is valid.
#pragma once

#include <cstdint>
#include <functional>

#include "ir/cover_network.h"
#include "ir/dag.h"

namespace bitgrid::check {

/// Returns whether a candidate has the property. It may throw to end the search.
template <typename Network>
using Keeps = std::function<bool(const Network&)>;

struct ReduceStats {
  uint64_t tried = 0;  // candidates that were passed to `keeps`, each once
  uint64_t kept = 0;   // each smaller than the previous one
};

/// `start` must have the property. The steps leave out outputs, replace nodes with operands, constants or inputs, narrow words, and clear
/// constants and tables, first many at a time and then one at a time, until no single step keeps the property. Names stay.
Dag reduce(const Dag& start, const Keeps<Dag>& keeps, ReduceStats* stats = nullptr);

/// The same for outputs, nodes, covers and literals.
CoverNetwork reduce(const CoverNetwork& start, const Keeps<CoverNetwork>& keeps, ReduceStats* stats = nullptr);

}  // namespace bitgrid::check
