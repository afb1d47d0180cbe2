#include "ir/dag_eval.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "ir/error.h"

namespace bitgrid {
namespace {

/// Where the value of every node lies in one frame of words. Input values come first; slices lie within their operands; memory of a value
/// is used again after its last user; constants have none: each user spreads them into a buffer of its own.
struct Plan {
  std::vector<uint32_t> offset;  // by node; outputs: into the output words
  size_t frame = 0;              // words
  size_t constants = 0;          // words of the constant operands of any one node, at most
};

bool shares_memory(const Dag& dag, const Node& node) {
  return node.op == Op::kSlice && dag.node(node.operands[0]).op != Op::kConstant;
}

class Planner {
 public:
  explicit Planner(const Dag& dag) : dag_(dag), owner_(dag.size()), last_use_(dag.size()) { plan_.offset.resize(dag.size()); }

  Plan plan() {
    find_last_uses();
    uint32_t outputs = 0;
    for (const NodeId id : dag_.inputs) place_at_end(id);
    for (NodeId id = 0; id < dag_.size(); ++id) {
      const Node& node = dag_.node(id);
      if (node.op == Op::kOutput) {
        plan_.offset[id] = outputs;
        outputs += node.width;
      } else if (shares_memory(dag_, node)) {
        plan_.offset[id] = plan_.offset[node.operands[0]] + node.low;
      } else if (node.op != Op::kInput && node.op != Op::kConstant) {
        place(id);
      }
      release_operands(id);
    }
    return std::move(plan_);
  }

 private:
  void find_last_uses() {
    for (NodeId id = 0; id < dag_.size(); ++id) {
      const Node& node = dag_.node(id);
      owner_[id] = shares_memory(dag_, node) ? owner_[node.operands[0]] : id;
      last_use_[owner_[id]] = id;
      size_t constants = 0;
      for (const NodeId operand : node.operands) {
        last_use_[owner_[operand]] = id;
        if (dag_.node(operand).op == Op::kConstant) constants += dag_.node(operand).width;
      }
      plan_.constants = std::max(plan_.constants, constants);
    }
  }

  void place_at_end(NodeId id) {
    plan_.offset[id] = static_cast<uint32_t>(plan_.frame);
    plan_.frame += dag_.node(id).width;
    if (plan_.frame > UINT32_MAX) throw Error("dag " + dag_.name, "it has too many bits to evaluate", "split the kernel");
  }

  void place(NodeId id) {
    std::vector<uint32_t>& same_width = free_[dag_.node(id).width];
    if (same_width.empty()) return place_at_end(id);
    plan_.offset[id] = same_width.back();
    same_width.pop_back();
  }

  void release_operands(NodeId id) {
    for (const NodeId operand : dag_.node(id).operands) {
      const NodeId owner = owner_[operand];
      if (last_use_[owner] != id) continue;
      last_use_[owner] = static_cast<NodeId>(dag_.size());  // an operand may be named twice
      const Op op = dag_.node(owner).op;
      if (op != Op::kInput && op != Op::kConstant) free_[dag_.node(owner).width].push_back(plan_.offset[owner]);
    }
  }

  const Dag& dag_;
  Plan plan_;
  std::vector<NodeId> owner_;  // whose memory a node's value lies in
  std::vector<NodeId> last_use_;
  std::unordered_map<uint32_t, std::vector<uint32_t>> free_;  // by width
};

/// Evaluates 64 invocations. Input words are in frame, in column order; fills `outputs` likewise.
class BlockEvaluator {
 public:
  explicit BlockEvaluator(const Dag& dag)
      : dag_(dag), plan_(Planner(dag).plan()), frame_(plan_.frame), outputs_(output_bits(dag)), constants_(plan_.constants) {}

  std::vector<uint64_t>& inputs() { return frame_; }
  const std::vector<uint64_t>& outputs() const { return outputs_; }

  void evaluate() {
    for (NodeId id = 0; id < dag_.size(); ++id) {
      const Node& node = dag_.node(id);
      if (node.op == Op::kInput || node.op == Op::kConstant || shares_memory(dag_, node)) continue;
      find_operands(node);
      std::vector<uint64_t>& to = node.op == Op::kOutput ? outputs_ : frame_;
      info(node.op).evaluate({node, operands_, std::span(to).subspan(plan_.offset[id], node.width), scratch_});
    }
  }

 private:
  void find_operands(const Node& node) {
    operands_.clear();
    size_t used = 0;
    for (const NodeId id : node.operands) {
      const Node& operand = dag_.node(id);
      if (operand.op != Op::kConstant) {
        operands_.push_back(Slices(frame_).subspan(plan_.offset[id], operand.width));
        continue;
      }
      const std::span<uint64_t> spread = std::span(constants_).subspan(used, operand.width);
      evaluate_constant({operand, {}, spread, scratch_});
      operands_.push_back(spread);
      used += operand.width;
    }
  }

  const Dag& dag_;
  Plan plan_;
  std::vector<uint64_t> frame_;
  std::vector<uint64_t> outputs_;
  std::vector<uint64_t> constants_;
  std::vector<uint64_t> scratch_;
  std::vector<Slices> operands_;
};

/// Rows first .. first + 63 of `matrix`, a word for each column.
void load_columns(const BitMatrix& matrix, size_t first, std::vector<uint64_t>& columns) {
  const size_t rows = std::min<size_t>(64, matrix.rows - first);
  for (size_t word = 0; word < matrix.stride; ++word) {
    std::array<uint64_t, 64> block{};
    for (size_t r = 0; r < rows; ++r) block[r] = matrix.words[(first + r) * matrix.stride + word];
    transpose64(block.data());
    std::copy_n(block.begin(), std::min<size_t>(64, matrix.cols - 64 * word), columns.begin() + static_cast<std::ptrdiff_t>(64 * word));
  }
}

void store_columns(const std::vector<uint64_t>& columns, size_t first, BitMatrix& matrix) {
  const size_t rows = std::min<size_t>(64, matrix.rows - first);
  for (size_t word = 0; word < matrix.stride; ++word) {
    std::array<uint64_t, 64> block{};
    std::copy_n(columns.begin() + static_cast<std::ptrdiff_t>(64 * word), std::min<size_t>(64, matrix.cols - 64 * word), block.begin());
    transpose64(block.data());
    for (size_t r = 0; r < rows; ++r) matrix.words[(first + r) * matrix.stride + word] = block[r];
  }
}

}  // namespace

BitMatrix evaluate(const Dag& dag, const BitMatrix& inputs) {
  if (inputs.cols != input_bits(dag))
    throw Error("dag " + dag.name, "it is given " + std::to_string(inputs.cols) + " input bits but has " + std::to_string(input_bits(dag)),
                "give one column for each input bit");
  BitMatrix outputs(inputs.rows, output_bits(dag));
  BlockEvaluator block(dag);
  for (size_t first = 0; first < inputs.rows; first += 64) {
    load_columns(inputs, first, block.inputs());
    block.evaluate();
    store_columns(block.outputs(), first, outputs);
  }
  return outputs;
}

}  // namespace bitgrid
