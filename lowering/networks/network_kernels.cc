#include "lowering/networks/network_kernels.h"

#include <fmt/format.h>

#include <bit>

#include "ir/index.h"
#include "lowering/numerics/kernel_dag.h"

namespace bitgrid::networks {

Kernel count_kernel(uint32_t sum_bits, int levels, uint32_t count_bits, bool first) {
  Kernel kernel;
  Dag& dag = kernel.dag;
  kernel.name = dag.name = fmt::format("count.{}x{}.{}{}", levels, sum_bits, count_bits, first ? "" : ".more");
  const uint32_t level_bits = sum_bits + 1;
  const NodeId s = add_input(dag, "s", sum_bits), t = add_input(dag, "t", id_of(levels) * level_bits), d = add_input(dag, "d", 1);
  kernel.inputs = {{1, sum_bits, {(uint64_t{1} << sum_bits) - 1}}, {levels, level_bits, {uint64_t{1} << sum_bits}}, {1, 1, {1}}};
  std::vector<NodeId> reached;
  for (int j = 0; j < levels; ++j) {
    const NodeId below = add_node(dag, Op::kLess, 1, {s, add_slice(dag, t, id_of(j) * level_bits, level_bits)});
    reached.push_back(add_node(dag, Op::kXor, 1, {add_node(dag, Op::kNot, 1, {below}), d}));
  }
  NodeId count = add_node(dag, Op::kPopcount, count_bits, {numerics::pack(dag, reached)});
  if (!first) {
    const NodeId n = add_input(dag, "n", count_bits);
    kernel.inputs.push_back({1, count_bits, {(uint64_t{1} << count_bits) - 1}});
    count = add_node(dag, Op::kAdd, count_bits, {count, n});
  }
  add_output(dag, "y", count);
  kernel.outputs = {{1, count_bits, {}}};
  return kernel;
}

Kernel pool_kernel(int window, int lanes, uint32_t bits, bool least) {
  Kernel kernel;
  Dag& dag = kernel.dag;
  kernel.name = dag.name = fmt::format("{}.{}x{}.{}", least ? "least" : "most", window, lanes, bits);
  std::vector<NodeId> ports;
  for (int w = 0; w < window; ++w) {
    ports.push_back(add_input(dag, fmt::format("x{}", w), id_of(lanes) * bits));
    kernel.inputs.push_back({lanes, bits, {(uint64_t{1} << bits) - 1}});
  }
  std::vector<NodeId> out;
  for (int lane = 0; lane < lanes; ++lane) {
    NodeId best = add_slice(dag, ports[0], id_of(lane) * bits, bits);
    for (int w = 1; w < window; ++w) {
      const NodeId next = add_slice(dag, ports[index_of(w)], id_of(lane) * bits, bits);
      if (bits == 1)
        best = add_node(dag, least ? Op::kAnd : Op::kOr, 1, {best, next});
      else
        best = add_node(dag, Op::kSelect, bits, {add_node(dag, Op::kLess, 1, {best, next}), least ? best : next, least ? next : best});
    }
    out.push_back(best);
  }
  add_output(dag, "y", numerics::pack(dag, out));
  kernel.outputs = {{lanes, bits, {}}};
  return kernel;
}

Kernel copy_word_kernel(uint32_t bits) {
  Kernel kernel;
  kernel.name = kernel.dag.name = fmt::format("copy.{}", bits);
  add_output(kernel.dag, "y", add_input(kernel.dag, "x", bits));
  kernel.inputs = {{1, bits, {(uint64_t{1} << bits) - 1}}};
  kernel.outputs = {{1, bits, {}}};
  return kernel;
}

void split_first_input(Kernel& kernel, const std::vector<int>& words) {
  if (words.size() == 1) return;
  const Dag old = std::move(kernel.dag);
  Dag dag;
  dag.name = old.name;
  const Node& x = old.node(old.inputs[0]);
  const KernelPort port = kernel.inputs[0];
  std::vector<NodeId> inputs;
  std::vector<KernelPort> ports;
  int first = 0;
  for (size_t p = 0; p < words.size(); ++p) {
    inputs.push_back(add_input(dag, fmt::format("{}{}", x.name, p), id_of(words[p]) * port.bits));
    KernelPort part{words[p], port.bits, port.max_code};
    if (part.max_code.size() > 1) part.max_code = {port.max_code.begin() + first, port.max_code.begin() + first + words[p]};
    ports.push_back(part);
    first += words[p];
  }
  std::vector<NodeId> now(old.size());
  now[old.inputs[0]] = numerics::pack(dag, inputs);
  for (NodeId id = 0; id < old.size(); ++id) {
    if (id == old.inputs[0]) continue;
    Node node = old.node(id);
    for (NodeId& operand : node.operands) operand = now[operand];
    now[id] = static_cast<NodeId>(dag.size());
    if (node.op == Op::kInput) dag.inputs.push_back(now[id]);
    if (node.op == Op::kOutput) dag.outputs.push_back(now[id]);
    dag.nodes.push_back(std::move(node));
  }
  kernel.dag = std::move(dag);
  kernel.inputs.erase(kernel.inputs.begin());
  kernel.inputs.insert(kernel.inputs.begin(), ports.begin(), ports.end());
}

}  // namespace bitgrid::networks
