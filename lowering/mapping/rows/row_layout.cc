#include "lowering/mapping/rows/row_layout.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "ir/error.h"
#include "ir/index.h"
#include "ir/kernel_defects.h"
#include "lowering/mapping/rows/row_layout_kernel.h"
#include "lowering/mapping/rows/row_layout_rows.h"

namespace bitgrid::mapping {
namespace {

using Kind = synthesis::LogicNode::Kind;

// Gates that outputs depend on, operands first, in depth first order from the outputs in the given order.
std::vector<uint32_t> depth_first(const synthesis::LogicGraph& graph, const std::vector<size_t>& outputs, bool second_first) {
  std::vector<uint32_t> order;
  std::vector<uint8_t> state(graph.nodes.size());  // 1: on the stack, 2: done
  std::vector<uint32_t> stack;
  for (const size_t o : outputs) {
    stack.push_back(graph.outputs[o].literal / 2);
    while (!stack.empty()) {
      const uint32_t n = stack.back();
      const synthesis::LogicNode& node = graph.nodes[n];
      const bool gate = node.kind == Kind::kAnd || node.kind == Kind::kXor;
      if (!gate || state[n] == 2) {
        stack.pop_back();
      } else if (state[n] == 1) {
        state[n] = 2;
        order.push_back(n);
        stack.pop_back();
      } else {
        state[n] = 1;
        const uint32_t first = (second_first ? node.b : node.a) / 2, second = (second_first ? node.a : node.b) / 2;
        stack.push_back(second);
        stack.push_back(first);
      }
    }
  }
  return order;
}

// Inputs in the order in which gates first use them.
std::vector<uint32_t> first_used(const synthesis::LogicGraph& graph, const std::vector<uint32_t>& gates) {
  std::vector<uint32_t> inputs;
  std::vector<uint8_t> seen(graph.nodes.size());
  const auto see = [&](uint32_t n) {
    if (graph.nodes[n].kind == Kind::kInput && !seen[n]) {
      seen[n] = 1;
      inputs.push_back(n);
    }
  };
  for (const uint32_t g : gates) {
    see(graph.nodes[g].a / 2);
    see(graph.nodes[g].b / 2);
  }
  return inputs;
}

std::vector<int> uses_of(const synthesis::LogicGraph& graph, const std::vector<uint32_t>& gates) {
  std::vector<int> uses(graph.nodes.size());
  for (const uint32_t g : gates) {
    ++uses[graph.nodes[g].a / 2];
    ++uses[graph.nodes[g].b / 2];
  }
  return uses;
}

// The first tries take the plain choices, the others mix them.
RowLayoutPlan make_plan(const synthesis::LogicGraph& graph, int attempt, bool defects, std::mt19937_64& rng) {
  std::vector<size_t> outputs(graph.outputs.size());
  std::iota(outputs.begin(), outputs.end(), size_t{0});
  const auto pick = [&](uint64_t n) { return attempt == 0 ? 0 : rng() % n; };
  const uint64_t output_order = pick(3);
  if (output_order == 1) std::reverse(outputs.begin(), outputs.end());
  if (output_order == 2) std::shuffle(outputs.begin(), outputs.end(), rng);
  RowLayoutPlan plan;
  plan.gates = depth_first(graph, outputs, pick(2) == 1);
  static constexpr size_t kWindows[] = {16, 4, 8, 32, 64, 2, 128, 1};
  plan.window = kWindows[pick(8)];
  std::vector<uint32_t> inputs = first_used(graph, plan.gates);
  const uint64_t input_order = pick(3);
  if (input_order == 1) std::reverse(inputs.begin(), inputs.end());
  if (input_order == 2) std::sort(inputs.begin(), inputs.end());
  // Inputs of few uses may come from W each time; the others stand in columns from the first row on, or from the row where they are wanted.
  const std::vector<int> uses = uses_of(graph, plan.gates);
  const int few = int_of(pick(4));
  const bool late = pick(2) == 1;
  for (const uint32_t n : inputs)
    if (uses[n] > few && !(late && plan.columns.size() >= inputs.size() / 2)) plan.columns.push_back(n);
  static constexpr int kLookAheads[] = {4, 8, 2, 16, 1};
  plan.pack = pick(2) == 1;
  if (defects) plan.look_ahead = kLookAheads[pick(5)];
  return plan;
}

}  // namespace

std::optional<MappedKernel> map_row_layout(const synthesis::LogicGraph& graph, const RowLayoutParams& params, RowLayoutStats* stats) {
  std::mt19937_64 rng(params.seed);
  const Columns columns(params.defects);
  std::optional<RowLayoutRows> best;
  int64_t best_cells = params.max_cells + 1, steps = 0;
  int tries = 0;
  for (; tries < params.max_tries && (tries < params.min_tries || steps < params.effort); ++tries) {
    const RowLayoutPlan plan = make_plan(graph, tries, !params.defects.empty(), rng);
    std::optional<RowLayoutRows> rows = row_layout_rows(graph, plan, columns, best_cells, steps);
    if (!rows) continue;
    best_cells = int64_t{rows->width} * std::ssize(rows->rows);
    best = std::move(rows);
  }
  if (stats) {
    stats->gates = synthesis::gate_count(graph);
    stats->tries = tries;
    stats->width = best ? best->width : 0;
    stats->height = best ? count_of(best->rows) : 0;
  }
  if (!best) return std::nullopt;
  MappedKernel kernel = row_layout_kernel(graph, *best);
  // More inputs that nothing reads than rows: outputs that leave E cross columns that were not asked for.
  if (first_defect_used(kernel, params.defects)) return std::nullopt;
  return kernel;
}

}  // namespace bitgrid::mapping
