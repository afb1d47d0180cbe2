// Tables as shared Shannon expansions (multiple-output decision diagrams).
#include <algorithm>
#include <map>
#include <numeric>
#include <random>

#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::synthesis {
namespace {

using Function = std::vector<bool>;  // of the variables that are left; the one that is split next is the most significant bit of the index

// Decision diagram of single-output functions in one variable order. Functions are kept with value 0 at index 0, so that complements share.
class Diagram {
 public:
  explicit Diagram(std::vector<Literal> order) : order_(std::move(order)) {}

  // With a graph, builds the logic; without, only counts the nodes.
  Literal build(Function f, LogicGraph* graph) {
    const Literal complement = f[0];
    if (complement) f.flip();
    if (std::find(f.begin(), f.end(), true) == f.end()) return kFalse ^ complement;
    if (const auto it = known_.find(f); it != known_.end()) return it->second ^ complement;
    const auto middle = f.begin() + static_cast<std::ptrdiff_t>(f.size() / 2);
    const Function low(f.begin(), middle), high(middle, f.end());
    Literal result = kFalse;
    if (low == high) {
      result = build(low, graph);
    } else {
      ++nodes_;
      size_t variable = order_.size();
      for (size_t size = f.size(); size > 1; size /= 2) --variable;
      const Literal zero = build(low, graph), one = build(high, graph);
      if (graph) result = make_select(*graph, order_[variable], one, zero);
    }
    known_[std::move(f)] = result;
    return result ^ complement;
  }

  size_t nodes() const { return nodes_; }

 private:
  std::vector<Literal> order_;
  std::map<Function, Literal> known_;
  size_t nodes_ = 0;
};

Function permuted(const std::vector<uint64_t>& table, const std::vector<size_t>& order, unsigned output) {
  Function f(table.size());
  const size_t n = order.size();
  for (size_t i = 0; i < table.size(); ++i) {
    size_t from = 0;
    for (size_t k = 0; k < n; ++k) from |= ((i >> (n - 1 - k)) & 1) << order[k];
    f[i] = (table[from] >> output) & 1;
  }
  return f;
}

std::vector<Literal> build_in_order(LogicGraph* graph, const std::vector<Literal>& operands, const std::vector<uint64_t>& table,
                                    const std::vector<size_t>& order, unsigned outputs, size_t& nodes) {
  std::vector<Literal> ordered, result;
  for (const size_t k : order) ordered.push_back(operands[k]);
  Diagram diagram(ordered);
  for (unsigned o = 0; o < outputs; ++o) result.push_back(diagram.build(permuted(table, order, o), graph));
  nodes = diagram.nodes();
  return result;
}

}  // namespace

std::vector<Literal> make_table(LogicGraph& graph, const std::vector<Literal>& operands, const std::vector<uint64_t>& table) {
  uint64_t any = 0;
  for (const uint64_t word : table) any |= word;
  unsigned outputs = 0;
  while (outputs < 64 && (any >> outputs) != 0) ++outputs;
  std::vector<size_t> order(operands.size());
  std::iota(order.rbegin(), order.rend(), size_t{0});
  std::vector<size_t> best = order;
  size_t best_nodes = 0;
  build_in_order(nullptr, operands, table, order, outputs, best_nodes);
  std::mt19937_64 rng(1);
  for (int attempt = 0; attempt < 8 && operands.size() > 3; ++attempt) {
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng() % i]);
    size_t nodes = 0;
    build_in_order(nullptr, operands, table, order, outputs, nodes);
    if (nodes < best_nodes) {
      best_nodes = nodes;
      best = order;
    }
  }
  std::vector<Literal> result = build_in_order(&graph, operands, table, best, outputs, best_nodes);
  result.resize(64, kFalse);
  return result;
}

}  // namespace bitgrid::synthesis
