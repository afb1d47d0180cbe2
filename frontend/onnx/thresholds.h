// A chain of steps over integers, or over the network's floats, as thresholds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/onnx/elementwise.h"
#include "ir/integer_network.h"

namespace bitgrid::frontend::onnx {

/// Numbers value = unit * code + offset.
struct CodeGrid {
  double unit = 1.0;
  double offset = 0.0;
  CodeRange range;
};

/// The grid that all `values` lie on: multiples of `nominal` or of the distance between neighbours if they can be, else with an offset.
/// nullopt: they lie on none of at most 2^16 points.
std::optional<CodeGrid> grid_of(std::vector<double> values, double nominal);

/// The code of a value on its grid; nullopt if it lies on no point of it.
std::optional<int64_t> code_on(const CodeGrid& grid, double value);

/// What a chain that ends in codes gives: the values of its last quantiser, through what follows it, of so many channels. nullopt if the
/// chain has no quantiser, or its values lie on no grid.
std::optional<CodeGrid> codes_of_chain(const std::vector<Elementwise>& chain, size_t channels);

struct DerivedThresholds {
  Thresholds thresholds;
  size_t close = 0;                    // levels that the rounding of a sum in double could shift: there the graph's own floats may differ
  std::optional<std::string> problem;  // why there are none
};

/// The code of every sum that a channel's range holds is computed, and thresholds are the sums at which it changes: so they hold for all.
/// `errors[c]`: by how much the graph's sum may be off, in units of S.
DerivedThresholds derive_thresholds(const std::vector<Elementwise>& chain, const CodeGrid& grid, const std::vector<SumRange>& sums,
                                    const std::vector<double>& errors, int threads, int64_t most_sums);

/// The doubles at which the code of an input changes, found by bisection: every step of the chain is monotone.
RealThresholds derive_real_thresholds(const std::vector<Elementwise>& chain, const CodeGrid& grid, size_t rows);

}  // namespace bitgrid::frontend::onnx
