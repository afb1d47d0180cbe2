#include "lowering/mapping/arrays/counter.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <random>
#include <vector>

#include "ir/output_cone.h"
#include "lowering/mapping/canvas.h"
#include "lowering/synthesis/bdd.h"
#include "lowering/synthesis/evaluate_graph.h"
#include "lowering/synthesis/full_adders.h"

namespace bitgrid::mapping {
namespace {

// 64 random invocations; outputs past the count's bits must be 0.
bool counts_random_words(const synthesis::LogicGraph& graph) {
  std::mt19937_64 rng(graph.inputs.size());
  std::vector<uint64_t> inputs(graph.inputs.size());
  for (uint64_t& lanes : inputs) lanes = rng();
  const std::vector<uint64_t> outputs = synthesis::evaluate_lanes(graph, inputs);
  for (unsigned lane = 0; lane < 64; ++lane) {
    uint64_t count = 0;
    for (const uint64_t lanes : inputs) count += (lanes >> lane) & 1u;
    for (size_t o = 0; o < outputs.size(); ++o)
      if (((outputs[o] >> lane) & 1u) != (o < 64 ? (count >> o) & 1u : 0)) return false;
  }
  return true;
}

synthesis::LogicGraph counter_graph(uint32_t inputs, uint32_t outputs) {
  Dag dag;
  dag.name = "count";
  const NodeId a = add_input(dag, "a", inputs);
  add_output(dag, "count", add_node(dag, Op::kPopcount, outputs, {a}));
  return synthesis::logic_graph(dag);
}

}  // namespace

MappedKernel counter_kernel(const std::string& name, uint32_t inputs, uint32_t outputs) {
  const int columns = static_cast<int>(inputs) - 2;
  const int bits = static_cast<int>(std::min<uint32_t>(static_cast<uint32_t>(std::bit_width(inputs)), outputs));
  // The top bit comes up in the last column only: it is that column's carry.
  const bool top_is_carry = bits > 1 && (uint32_t{1} << (bits - 1)) + 1 >= inputs;
  const int rows = top_is_carry ? bits - 1 : bits;
  Layout g(columns, rows);
  MappedKernel kernel;
  kernel.name = name;
  kernel.strategy = "counter";
  kernel.input_bits = inputs;
  kernel.output_bits = outputs;
  kernel.inputs.push_back({0, {Side::W, 0, 0}, 1});
  for (int x = 0; x < columns; ++x) kernel.inputs.push_back({static_cast<uint32_t>(x + 1), {Side::N, x, x}, 1});
  kernel.inputs.push_back({inputs - 1, {Side::E, 0, columns - 1}, 1});
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      const bool three = y == 0 && x == columns - 1;  // the last input comes from the east
      g.put(x, y, Side::E, lut([=](bool n, bool e, bool, bool w) { return (n != w) != (three && e); }));
      g.put(x, y, Side::S, lut([=](bool n, bool e, bool, bool w) { return majority(n, w, three && e); }));
    }
    kernel.outputs.push_back({Side::E, y, columns - 1 + y});
  }
  if (top_is_carry) kernel.outputs.push_back({Side::S, columns - 1, columns - 1 + rows - 1});
  // Further bits are 0, as is whatever leaves N.
  for (int o = bits, turn = 0; o < static_cast<int>(outputs); ++o, ++turn)
    kernel.outputs.push_back({Side::N, turn % columns, turn % columns + 2 * (turn / columns)});
  kernel.grid = g.config();
  raise_lead(kernel);
  return kernel;
}

bool is_counter(const synthesis::LogicGraph& graph, const CounterParams& params) {
  const auto inputs = static_cast<uint32_t>(graph.inputs.size());
  if (inputs < kLeastCounterInputs || graph.outputs.empty() || !counts_random_words(graph)) return false;
  if (const auto form = synthesis::linear_form(synthesis::with_half_adders(graph));
      form && form->constant == 0 && form->products.empty() &&
      std::all_of(form->inputs.begin(), form->inputs.end(), [](int64_t w) { return w == 1; }))
    return true;
  if (inputs > params.max_bdd_inputs) return false;
  std::vector<int> level(inputs);
  std::iota(level.begin(), level.end(), 0);
  synthesis::Bdd bdd(params.bdd_nodes);
  const auto functions = synthesis::output_functions(bdd, graph, level);
  if (!functions) return false;
  return functions == synthesis::output_functions(bdd, counter_graph(inputs, static_cast<uint32_t>(graph.outputs.size())), level);
}

}  // namespace bitgrid::mapping
