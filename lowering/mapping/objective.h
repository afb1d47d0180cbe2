// What is to be least where a kernel can take several forms.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitgrid::mapping {

/// What is chosen where a matrix has several forms: the fewest cells, the smallest II, or the least cells times II.
enum class Optimize : uint8_t { kArea, kThroughput, kDensity };
/// What is to be least.
int64_t cost(Optimize optimize, int64_t cells, int ii);

/// Cells and II of one of the forms that a matrix can take.
struct FormSize {
  int64_t cells = 0;
  int ii = 1;
};
/// Whether `a` costs less than `b`, or the same with fewer cells.
bool cheaper(Optimize optimize, const FormSize& a, const FormSize& b);
/// Index of the cheapest, the first among equals.
size_t cheapest(Optimize optimize, const std::vector<FormSize>& forms);

/// "area", "throughput" or "density". Throws Error listing them.
Optimize parse_optimize(const std::string& text);

}  // namespace bitgrid::mapping
