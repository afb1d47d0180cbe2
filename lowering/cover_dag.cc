#include "lowering/cover_dag.h"

#include <cctype>
#include <set>
#include <string>
#include <vector>

namespace bitgrid {
namespace {

std::string legal_name(const std::string& name, std::set<std::string>& used) {
  std::string out = name;
  for (char& c : out) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.') c = '_';
  }
  if (out.empty() || std::isdigit(static_cast<unsigned char>(out[0])) || out[0] == '.') out.insert(0, "_");
  const std::string stem = out;
  for (int i = 2; !used.insert(out).second; ++i) out = stem + "_" + std::to_string(i);
  return out;
}

/// Folds operands pairwise, as a balanced tree.
NodeId fold(Dag& dag, Op op, std::vector<NodeId> terms) {
  while (terms.size() > 1) {
    std::vector<NodeId> next;
    for (size_t i = 0; i + 1 < terms.size(); i += 2) next.push_back(add_node(dag, op, 1, {terms[i], terms[i + 1]}));
    if (terms.size() % 2) next.push_back(terms.back());
    terms = std::move(next);
  }
  return terms[0];
}

NodeId add_cover(Dag& dag, const CoverNode& node, const std::vector<NodeId>& signals) {
  std::vector<NodeId> products;
  for (const CoverRow& row : node.rows) {
    std::vector<NodeId> literals;
    for (size_t i = 0; i < row.size(); ++i) {
      if (row[i] == '-') continue;
      const NodeId a = signals[node.fanins[i]];
      literals.push_back(row[i] == '1' ? a : add_node(dag, Op::kNot, 1, {a}));
    }
    products.push_back(literals.empty() ? add_constant(dag, 1, 1) : fold(dag, Op::kAnd, std::move(literals)));
  }
  const NodeId sum = products.empty() ? add_constant(dag, 1, 0) : fold(dag, Op::kOr, std::move(products));
  return node.complemented ? add_node(dag, Op::kNot, 1, {sum}) : sum;
}

}  // namespace

Dag dag_from_cover(const CoverNetwork& network) {
  Dag dag;
  std::set<std::string> used, model;
  dag.name = legal_name(network.name.empty() ? "netlist" : network.name, model);
  std::vector<NodeId> signals;
  std::vector<std::string> output_names;
  for (const std::string& input : network.inputs) signals.push_back(add_input(dag, legal_name(input, used), 1));
  for (const auto& output : network.outputs) output_names.push_back(legal_name(output.name, used));
  for (const CoverNode& node : network.nodes) signals.push_back(add_cover(dag, node, signals));
  for (size_t i = 0; i < network.outputs.size(); ++i) add_output(dag, output_names[i], signals[network.outputs[i].signal]);
  return dag;
}

Kernel kernel_of(Dag dag) {
  Kernel kernel;
  kernel.name = dag.name;
  for (const NodeId id : dag.inputs) kernel.inputs.push_back({static_cast<int>(dag.node(id).width), 1, {1}});
  for (const NodeId id : dag.outputs) kernel.outputs.push_back({static_cast<int>(dag.node(id).width), 1, {}});
  kernel.dag = std::move(dag);
  return kernel;
}

}  // namespace bitgrid
