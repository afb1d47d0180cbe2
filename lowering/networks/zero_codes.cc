#include "lowering/networks/zero_codes.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "ir/index.h"
#include "lowering/networks/map_layout.h"

namespace bitgrid::networks {
namespace {

constexpr int64_t kBeyondAllSums = int64_t{1} << 31;

/// Thresholds of the wider range; every sum has the code that it had.
Thresholds refined(const Thresholds& old) {
  Thresholds t{with_zero(old.range), {}, old.direction};
  const int levels = old.range.levels();
  for (size_t c = 0; c < old.direction.size(); ++c) {
    for (int code = t.range.lo + t.range.step; code <= t.range.hi; code += t.range.step) {
      if (code <= old.range.lo || code > old.range.hi) {
        const bool reached = code <= old.range.lo;
        t.at.push_back(reached == (old.direction[c] > 0) ? -kBeyondAllSums : kBeyondAllSums);
        continue;
      }
      const int level = (code - old.range.lo + old.range.step - 1) / old.range.step;  // the first one whose code is that large
      t.at.push_back(old.at[c * index_of(levels) + index_of(level - 1)]);
    }
  }
  return t;
}

}  // namespace

CodeRange with_zero(const CodeRange& range) {
  return {std::min(range.lo, 0), std::max(range.hi, 0), std::gcd(range.step, std::abs(range.lo))};
}

IntegerNetwork with_zero_codes(IntegerNetwork network) {
  for (size_t l = 0; l < network.layers.size(); ++l) {
    const auto* m = std::get_if<NetworkMatrix>(&network.layers[l]);
    if (m == nullptr || !is_padded(layout_for(m->in, m->out, m->window))) continue;
    size_t writer = l;  // 0: the input
    while (writer > 0 && std::holds_alternative<NetworkPool>(network.layers[writer - 1])) --writer;
    if (writer == 0)
      network.input.range = with_zero(network.input.range);
    else if (Thresholds& t = *std::get<NetworkMatrix>(network.layers[writer - 1]).thresholds; t.range != with_zero(t.range))
      t = refined(t);
  }
  return network;
}

}  // namespace bitgrid::networks
