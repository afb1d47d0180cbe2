// What to minimise when a kernel can take several forms.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitgrid::mapping {

/// When a matrix has several forms: the fewest cells, the smallest II, or the smallest product of cells and II.
enum class Optimize : uint8_t { kArea, kThroughput, kDensity };
/// Returns the value to minimise.
int64_t cost(Optimize optimize, int64_t cells, int ii);

/// Cells and II of one form of a matrix.
struct FormSize {
  int64_t cells = 0;
  int ii = 1;
};
/// Returns whether `a` costs less than `b`, or the same with fewer cells.
bool cheaper(Optimize optimize, const FormSize& a, const FormSize& b);
/// Returns the index of the cheapest form, the first among equals.
size_t cheapest(Optimize optimize, const std::vector<FormSize>& forms);

/// Reads "area", "throughput" or "density". Throws Error that lists them.
Optimize parse_optimize(const std::string& text);

}  // namespace bitgrid::mapping
