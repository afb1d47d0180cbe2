#include "lowering/mapping/objective.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/index.h"

namespace bitgrid::mapping {

int64_t cost(Optimize optimize, int64_t cells, int ii) {
  return optimize == Optimize::kArea ? cells : optimize == Optimize::kThroughput ? ii : cells * ii;
}

bool cheaper(Optimize optimize, const FormSize& a, const FormSize& b) {
  const int64_t x = cost(optimize, a.cells, a.ii), y = cost(optimize, b.cells, b.ii);
  return x != y ? x < y : a.cells < b.cells;
}

size_t cheapest(Optimize optimize, const std::vector<FormSize>& forms) {
  const auto less = [&](const FormSize& a, const FormSize& b) { return cheaper(optimize, a, b); };
  return index_of(std::min_element(forms.begin(), forms.end(), less) - forms.begin());
}

Optimize parse_optimize(const std::string& text) {
  if (text == "area") return Optimize::kArea;
  if (text == "throughput") return Optimize::kThroughput;
  if (text == "density") return Optimize::kDensity;
  throw Error("--optimize", "'" + text + "' is not a target", "choose area, throughput or density");
}

}  // namespace bitgrid::mapping
