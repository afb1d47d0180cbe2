#include "lowering/synthesis/sop_to_dag.h"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/index.h"
#include "ir/names.h"

namespace bitgrid::synthesis {
namespace {

std::string legal(const std::string& name) {
  std::string out = name;
  for (char& c : out) {
    if (!is_name(std::string{'_', c})) c = '_';
  }
  return is_name(out) ? out : "_" + out;
}

/// Names for a Dag, all different, in the order of `names`. A name that is legal stays as it is where it stands first.
std::vector<std::string> legal_names(const std::vector<std::string>& names) {
  std::vector<std::string> out(names.size());
  std::unordered_set<std::string> used;
  for (size_t i = 0; i < names.size(); ++i) {
    if (is_name(names[i]) && used.insert(names[i]).second) out[i] = names[i];
  }
  std::unordered_map<std::string, size_t> last;  // number tried behind a stem
  for (size_t i = 0; i < names.size(); ++i) {
    if (!out[i].empty()) continue;
    const std::string stem = legal(names[i]);
    out[i] = stem;
    for (size_t& n = last.try_emplace(stem, 1).first->second; !used.insert(out[i]).second;) out[i] = stem + "_" + std::to_string(++n);
  }
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
  dag.name = legal(network.name.empty() ? "netlist" : network.name);
  std::vector<std::string> names = network.inputs;
  for (const auto& output : network.outputs) names.push_back(output.name);
  names = legal_names(names);
  std::vector<NodeId> signals;
  for (size_t i = 0; i < network.inputs.size(); ++i) signals.push_back(add_input(dag, names[i], 1));
  for (const CoverNode& node : network.nodes) signals.push_back(add_cover(dag, node, signals));
  for (size_t i = 0; i < network.outputs.size(); ++i) add_output(dag, names[network.inputs.size() + i], signals[network.outputs[i].signal]);
  return dag;
}

Kernel kernel_of(Dag dag) {
  Kernel kernel;
  kernel.name = dag.name;
  for (const NodeId id : dag.inputs) kernel.inputs.push_back({int_of(dag.node(id).width), 1, {1}});
  for (const NodeId id : dag.outputs) kernel.outputs.push_back({int_of(dag.node(id).width), 1, {}});
  kernel.dag = std::move(dag);
  return kernel;
}

}  // namespace bitgrid::synthesis
