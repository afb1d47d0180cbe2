#include "bitgrid_sim/lane_tables.h"

namespace bitgrid::sim {

Function cofactor(const Function& f, uint32_t k, bool value) {
  Function g;
  g.inputs = f.inputs - 1;
  for (uint32_t i = 0; i < g.inputs; ++i) g.net[i] = f.net[i < k ? i : i + 1];
  for (uint32_t i = 0; i < 1u << g.inputs; ++i) {
    const uint32_t low = i & ((1u << k) - 1), high = (i >> k) << (k + 1);
    g.table |= ((f.table >> (high | (value ? 1u << k : 0) | low)) & 1u) << i;
  }
  return g;
}

Function reduce(Function f) {
  for (uint32_t k = f.inputs; k-- > 0;) {
    if (f.net[k] == LaneProgram::kZeroNet) f = cofactor(f, k, false);
  }
  for (uint32_t k = f.inputs; k-- > 0;) {
    const Function low = cofactor(f, k, false);
    if (low.table == cofactor(f, k, true).table) f = low;
  }
  return f;
}

Lookup cofactor(const Lookup& f, uint32_t k, bool value) {
  Lookup g;
  g.inputs = f.inputs - 1;
  for (uint32_t i = 0; i < g.inputs; ++i) g.net[i] = f.net[i < k ? i : i + 1];
  for (uint32_t i = 0; i < g.entries(); ++i) {
    const uint32_t low = i & ((1u << k) - 1), high = (i >> k) << (k + 1);
    g.entry[i] = f.entry[high | (value ? 1u << k : 0) | low];
  }
  return g;
}

Lookup reduce(Lookup f) {
  for (uint32_t k = f.inputs; k-- > 0;) {
    if (f.net[k] == LaneProgram::kZeroNet) f = cofactor(f, k, false);
  }
  for (uint32_t k = f.inputs; k-- > 0;) {
    const Lookup low = cofactor(f, k, false), high = cofactor(f, k, true);
    if (std::equal(low.entry.begin(), low.entry.begin() + low.entries(), high.entry.begin())) f = low;
  }
  return f;
}

std::optional<Function> function_of(const Lookup& f) {
  Function g;
  g.inputs = f.inputs;
  std::copy_n(f.net.begin(), f.inputs, g.net.begin());
  for (size_t i = 0; i < f.entries(); ++i) {
    const uint32_t net = f.entry[i] / 2;
    if (f.entry[i] <= Lookup::kOne || std::find(g.net.begin() + f.inputs, g.net.begin() + g.inputs, net) != g.net.begin() + g.inputs)
      continue;
    if (g.inputs == g.net.size()) return std::nullopt;
    g.net[g.inputs++] = net;
  }
  for (uint32_t i = 0; i < 1u << g.inputs; ++i) {
    const uint32_t e = f.entry[i & (static_cast<uint32_t>(f.entries()) - 1)];
    bool value = e == Lookup::kOne;
    if (e > Lookup::kOne) {
      const auto k = static_cast<uint32_t>(std::find(g.net.begin() + f.inputs, g.net.begin() + g.inputs, e / 2) - g.net.begin());
      value = ((i >> k) & 1u) != (e & 1u);
    }
    if (value) g.table |= 1u << i;
  }
  return reduce(g);
}

}  // namespace bitgrid::sim
