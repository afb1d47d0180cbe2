#include "rtl/schedule.h"

#include <algorithm>

namespace bitgrid::rtl {
namespace {

void find_live(const Dag& dag, StageSchedule& schedule) {
  schedule.live.assign(dag.size(), 0);
  for (const NodeId id : dag.inputs) schedule.live[id] = 1;  // ports stay, used or not
  for (const NodeId id : dag.outputs) schedule.live[id] = 1;
  for (size_t id = dag.size(); id-- > 0;) {
    if (!schedule.live[id]) continue;
    for (const NodeId operand : dag.node(static_cast<NodeId>(id)).operands) schedule.live[operand] = 1;
  }
}

void find_constant(const Dag& dag, StageSchedule& schedule) {
  schedule.constant.assign(dag.size(), 0);
  for (NodeId id = 0; id < dag.size(); ++id) {
    const auto& operands = dag.node(id).operands;
    schedule.constant[id] =
        dag.node(id).op != Op::kInput && std::all_of(operands.begin(), operands.end(), [&](NodeId i) { return schedule.constant[i] != 0; });
  }
}

/// A linear layer masks its inputs in front of each popcount. Gate and popcount stay in one stage, for a register between them would be as
/// wide as the inputs; and written as one expression they make Verilog and Verilator's C++ a good deal shorter.
void find_folded(const Dag& dag, StageSchedule& schedule) {
  schedule.folded.assign(dag.size(), 0);
  std::vector<uint32_t> uses(dag.size());
  for (const Node& node : dag.nodes)
    for (const NodeId operand : node.operands) ++uses[operand];
  for (NodeId id = 0; id < dag.size(); ++id) {
    if (dag.node(id).op != Op::kPopcount || !schedule.live[id]) continue;
    const NodeId operand = dag.node(id).operands[0];
    const OpInfo& op = info(dag.node(operand).op);
    const bool gate = op.levels == Levels::kGate && op.width == WidthRule::kAny && !schedule.constant[operand];
    schedule.folded[operand] = gate && uses[operand] == 1;
  }
}

void find_stages(const Dag& dag, uint32_t levels_per_stage, StageSchedule& schedule) {
  schedule.stage.assign(dag.size(), 0);
  std::vector<uint32_t> depth(dag.size());  // levels from the stage's beginning to the node's result
  for (NodeId id = 0; id < dag.size(); ++id) {
    if (!schedule.live[id] || schedule.constant[id] || schedule.folded[id]) continue;
    const NodeId first = dag.node(id).operands.empty() ? id : dag.node(id).operands[0];
    const bool folds = schedule.folded[first];
    const std::vector<NodeId>& operands = dag.node(folds ? first : id).operands;
    uint32_t stage = 0;
    for (const NodeId operand : operands) stage = std::max(stage, schedule.stage[operand]);
    uint32_t start = 0;
    for (const NodeId operand : operands) {
      if (schedule.stage[operand] == stage) start = std::max(start, depth[operand]);
    }
    const uint32_t levels = logic_levels(dag, id) + (folds ? logic_levels(dag, first) : 0);
    if (start > 0 && levels > 0 && start + levels > levels_per_stage) {
      ++stage;
      start = 0;
    }
    schedule.stage[id] = stage;
    if (folds) schedule.stage[first] = stage;
    depth[id] = start + levels;
    schedule.stages = std::max(schedule.stages, stage + 1);
  }
  for (const NodeId id : dag.outputs) schedule.stage[id] = schedule.stages;
}

/// Bits of operand `i` that a node looks at, as a range.
struct BitRange {
  uint32_t first = 0;
  uint32_t count = 0;
};

BitRange used_bits(const Dag& dag, const Node& node, size_t i) {
  const uint32_t width = dag.node(node.operands[i]).width;
  switch (info(node.op).width) {
    case WidthRule::kSlice:
      return {node.low, node.width};
    case WidthRule::kCondition:
      return {0, i == 0 ? 1 : std::min(width, node.width)};
    case WidthRule::kAny:
      return {0, node.op == Op::kPopcount ? width : std::min(width, node.width)};
    default:
      return {0, width};
  }
}

void find_uses(const Dag& dag, StageSchedule& schedule) {
  schedule.last = schedule.stage;
  for (NodeId id = 0; id < dag.size(); ++id) {
    if (!schedule.live[id]) continue;
    for (const NodeId operand : dag.node(id).operands) schedule.last[operand] = std::max(schedule.last[operand], schedule.stage[id]);
  }
  std::vector<BitVector> used(dag.size());
  for (NodeId id = 0; id < dag.size(); ++id) used[id] = BitVector(dag.node(id).width);
  for (NodeId id = 0; id < dag.size(); ++id) {
    if (!schedule.live[id]) continue;
    const Node& node = dag.node(id);
    for (size_t i = 0; i < node.operands.size(); ++i) {
      const NodeId operand = node.operands[i];
      if (!schedule.constant[operand] && schedule.last[operand] != schedule.stage[id]) continue;
      const BitRange range = used_bits(dag, node, i);
      for (uint32_t bit = range.first; bit < range.first + range.count; ++bit) used[operand].set(bit, true);
    }
  }
  schedule.partly_used.assign(dag.size(), 0);
  for (NodeId id = 0; id < dag.size(); ++id) {
    for (uint32_t bit = 0; bit < used[id].width && !schedule.partly_used[id]; ++bit) schedule.partly_used[id] = !used[id].get(bit);
  }
}

}  // namespace

StageSchedule schedule_stages(const Dag& dag, uint32_t levels_per_stage) {
  StageSchedule schedule;
  find_live(dag, schedule);
  find_constant(dag, schedule);
  find_folded(dag, schedule);
  find_stages(dag, levels_per_stage, schedule);
  find_uses(dag, schedule);
  return schedule;
}

}  // namespace bitgrid::rtl
