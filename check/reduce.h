// Shrinks a Dag or a netlist as long as it keeps a property, such as "this command still fails on it" (delta debugging: Zeller and
// Hildebrandt 2002). Every candidate is built from the structures of ir/ and is valid.
#pragma once

#include <cstdint>
#include <functional>

#include "ir/cover_network.h"
#include "ir/dag.h"

namespace bitgrid::check {

/// Whether a candidate has the property. It may throw to end the search.
template <typename Network>
using Keeps = std::function<bool(const Network&)>;

struct ReduceStats {
  uint64_t tried = 0;  // candidates that `keeps` was asked about; none twice
  uint64_t kept = 0;   // each smaller than the one before
};

/// `start` has the property. Outputs are left out, nodes replaced by operands, constants or inputs, words narrowed, constants and tables
/// cleared, many at a time and then one at a time, until no single one of these steps keeps the property. Names stay.
Dag reduce(const Dag& start, const Keeps<Dag>& keeps, ReduceStats* stats = nullptr);

/// The same for outputs, nodes, covers and literals.
CoverNetwork reduce(const CoverNetwork& start, const Keeps<CoverNetwork>& keeps, ReduceStats* stats = nullptr);

}  // namespace bitgrid::check
