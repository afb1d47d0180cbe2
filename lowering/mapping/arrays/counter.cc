#include "lowering/mapping/arrays/counter.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "ir/index.h"
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

bool is_counter(const synthesis::LogicGraph& graph, const CounterParams& params) {
  const auto inputs = id_of(graph.inputs.size());
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
  return functions == synthesis::output_functions(bdd, counter_graph(inputs, id_of(graph.outputs.size())), level);
}

}  // namespace bitgrid::mapping
