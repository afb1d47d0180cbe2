#include "lowering/synthesis/full_adders.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>

#include "ir/index.h"
#include "lowering/synthesis/cuts.h"

namespace bitgrid::synthesis {
namespace {

using Kind = LogicNode::Kind;

constexpr size_t kCuts = 10;                      // kept for each node
constexpr int64_t kMaxWeight = int64_t{1} << 44;  // so that no sum of them overflows

uint64_t pair_key(uint32_t a, uint32_t b) {
  return (uint64_t{std::min(a, b)} << 32) | std::max(a, b);
}

uint16_t majority_of(uint16_t a, uint16_t b, uint16_t c) {
  return static_cast<uint16_t>((a & b) | (a & c) | (b & c));
}

// Cuts of at most three leaves, smallest first; the node itself is the last.
std::vector<Cut> small_cuts(const LogicNode& node, uint32_t id, const std::vector<std::vector<Cut>>& cuts) {
  std::vector<Cut> result;
  const auto table = [](const Cut& part, const Cut& of, Literal l) {
    const uint16_t t = stretch(part, of);
    return l & 1u ? static_cast<uint16_t>(~t) : t;
  };
  if (node.kind == Kind::kAnd || node.kind == Kind::kXor) {
    for (const Cut& a : cuts[node.a / 2]) {
      for (const Cut& b : cuts[node.b / 2]) {
        Cut cut;
        if (!merge_leaves(a, b, cut) || cut.size > 3) continue;
        const uint16_t x = table(a, cut, node.a), y = table(b, cut, node.b);
        cut.table = node.kind == Kind::kAnd ? x & y : x ^ y;
        const auto same = [&](const Cut& c) { return c.size == cut.size && c.leaves == cut.leaves; };
        if (std::none_of(result.begin(), result.end(), same)) result.push_back(cut);
      }
    }
    std::stable_sort(result.begin(), result.end(), [](const Cut& a, const Cut& b) { return a.size < b.size; });
    if (result.size() > kCuts) result.resize(kCuts);
  }
  Cut self;
  self.size = 1;
  self.leaves[0] = id;
  self.table = kVariable[0];
  result.push_back(self);
  return result;
}

class Rebuilder {
 public:
  explicit Rebuilder(const LogicGraph& graph) : graph_(graph), cuts_(graph.nodes.size()), literal_(graph.nodes.size()) {
    for (uint32_t n = 1; n < graph.nodes.size(); ++n) {
      const LogicNode& node = graph.nodes[n];
      cuts_[n] = small_cuts(node, n, cuts_);
      if (node.kind == Kind::kXor) xors_.insert(pair_key(node.a / 2, node.b / 2));
      if (const Cut* cut = parity_cut(node, cuts_[n])) xors_.insert(pair_key(cut->leaves[0], cut->leaves[1]));
    }
  }
  LogicGraph run() {
    result_.name = graph_.name;
    size_t input = 0;
    for (uint32_t n = 1; n < graph_.nodes.size(); ++n) {
      const LogicNode& node = graph_.nodes[n];
      if (node.kind == Kind::kInput)
        literal_[n] = add_input(result_, graph_.inputs[input++]);
      else
        literal_[n] = gate(node, cuts_[n]);
    }
    for (const auto& o : graph_.outputs) result_.outputs.push_back({o.name, of(o.literal)});
    return std::move(result_);
  }

 private:
  Literal of(Literal l) const { return literal_[l / 2] ^ (l & 1u); }
  /// The cut by whose leaves an AND is their exclusive or, or the complement of that.
  static const Cut* parity_cut(const LogicNode& node, const std::vector<Cut>& cuts) {
    if (node.kind != Kind::kAnd) return nullptr;
    for (const Cut& cut : cuts) {
      if (cut.size < 2) continue;
      uint16_t parity = 0;
      for (unsigned i = 0; i < cut.size; ++i) parity ^= kVariable[i];
      if (cut.table == parity || cut.table == static_cast<uint16_t>(~parity)) return &cut;
    }
    return nullptr;
  }

  Literal gate(const LogicNode& node, const std::vector<Cut>& cuts) {
    if (node.kind == Kind::kXor) return make_xor(result_, of(node.a), of(node.b));
    if (const Cut* cut = parity_cut(node, cuts)) {
      Literal sum = make_xor(result_, literal_[cut->leaves[0]], literal_[cut->leaves[1]]);
      if (cut->size == 3) sum = make_xor(result_, sum, literal_[cut->leaves[2]]);
      return sum ^ (cut->table & 1u);
    }
    for (const Cut& cut : cuts)
      if (const auto majority = majority_from(cut)) return *majority;
    return make_and(result_, of(node.a), of(node.b));
  }
  std::optional<Literal> majority_from(const Cut& cut) {
    if (cut.size != 3) return std::nullopt;
    for (unsigned flips = 0; flips < 8; ++flips) {
      std::array<uint16_t, 3> v{};
      for (unsigned i = 0; i < 3; ++i) v[i] = static_cast<uint16_t>((flips >> i) & 1u ? ~kVariable[i] : kVariable[i]);
      if (majority_of(v[0], v[1], v[2]) != cut.table) continue;
      for (size_t last = 0; last < 3; ++last) {
        const size_t i = (last + 1) % 3, j = (last + 2) % 3;
        if (!xors_.contains(pair_key(cut.leaves[i], cut.leaves[j]))) continue;
        const auto leaf = [&](size_t k) { return literal_[cut.leaves[k]] ^ ((flips >> k) & 1u); };
        return make_majority(result_, leaf(i), leaf(j), leaf(last));
      }
    }
    return std::nullopt;
  }

  const LogicGraph& graph_;
  std::vector<std::vector<Cut>> cuts_;
  std::vector<Literal> literal_;  // in the result
  std::unordered_set<uint64_t> xors_;
  LogicGraph result_;
};

class Conservation {
 public:
  explicit Conservation(const LogicGraph& graph) : graph_(graph), weight_(graph.nodes.size()) {
    for (uint32_t n = 1; n < graph.nodes.size(); ++n) {
      const LogicNode& node = graph.nodes[n];
      if (node.kind == Kind::kAnd || node.kind == Kind::kXor) partners_[pair_key(node.a / 2, node.b / 2)].push_back(n);
    }
  }
  std::optional<LinearForm> run() {
    if (graph_.outputs.size() > kMaxLinearOutputs) return std::nullopt;
    for (size_t o = 0; o < graph_.outputs.size(); ++o) add(graph_.outputs[o].literal, int64_t{1} << o);
    std::vector<uint32_t> input_of(graph_.nodes.size());
    uint32_t inputs = 0;
    for (size_t n = 1; n < graph_.nodes.size(); ++n)
      if (graph_.nodes[n].kind == Kind::kInput) input_of[n] = inputs++;
    form_.inputs.resize(inputs);
    for (size_t n = graph_.nodes.size(); n-- > 1;) {
      const LogicNode& node = graph_.nodes[n];
      if (weight_[n] == 0) continue;
      if (std::abs(weight_[n]) > kMaxWeight) return std::nullopt;
      if (node.kind == Kind::kInput) {
        form_.inputs[input_of[n]] = weight_[n];
      } else if (node.kind == Kind::kXor ? !replace_xor(id_of(n)) : !replace_and(id_of(n))) {
        const bool product = node.kind == Kind::kAnd && !((node.a | node.b) & 1u) && is_input(node.a) && is_input(node.b);
        if (!product) return std::nullopt;
        form_.products[std::minmax({input_of[node.a / 2], input_of[node.b / 2]})] += weight_[n];
      }
    }
    return form_;
  }

 private:
  bool is_input(Literal l) const { return graph_.nodes[l / 2].kind == Kind::kInput; }
  // Adds weight * literal.
  void add(Literal l, int64_t weight) {
    if (l & 1u) form_.constant += weight;
    weight_[l / 2] += l & 1u ? -weight : weight;
  }
  // g = x & y and t, one of whose operands is p = x ^ y: never both.
  bool disjoint(Literal g, Literal t) const {
    if ((g | t) & 1u) return false;
    const LogicNode &gate = graph_.nodes[g / 2], &other = graph_.nodes[t / 2];
    if (gate.kind != Kind::kAnd || other.kind != Kind::kAnd) return false;
    for (const Literal p : {other.a, other.b}) {
      const LogicNode& sum = graph_.nodes[p / 2];
      if (sum.kind == Kind::kXor && pair_key(sum.a / 2, sum.b / 2) == pair_key(gate.a / 2, gate.b / 2) && ((gate.a ^ gate.b ^ p) & 1u) == 0)
        return true;
    }
    return false;
  }
  bool replace_and(uint32_t n) {
    const LogicNode& node = graph_.nodes[n];
    const int64_t weight = weight_[n];
    if (disjoint(node.a ^ 1u, node.b ^ 1u) || disjoint(node.b ^ 1u, node.a ^ 1u)) {  // !(g | t) = 1 - g - t
      form_.constant += weight;
      add(node.a ^ 1u, -weight);
      add(node.b ^ 1u, -weight);
      return true;
    }
    for (const uint32_t m : partners_[pair_key(node.a / 2, node.b / 2)]) {
      if (m >= n || graph_.nodes[m].kind != Kind::kXor || weight % 2 != 0) continue;
      add(node.a, weight / 2);
      add(node.b, weight / 2);
      add(2 * m ^ ((node.a ^ node.b) & 1u), -weight / 2);
      return true;
    }
    return false;
  }
  bool replace_xor(uint32_t n) {
    const int64_t weight = weight_[n];
    uint32_t best = 0;
    for (const uint32_t m : partners_[pair_key(graph_.nodes[n].a / 2, graph_.nodes[n].b / 2)])
      if (m < n && graph_.nodes[m].kind == Kind::kAnd && (best == 0 || weight_[m] != 0)) best = m;
    if (best == 0) return false;
    const LogicNode& carry = graph_.nodes[best];
    // x ^ y = x + y - 2 (x & y) for the literals of the AND; the XOR itself is that or its complement.
    const bool complement = (carry.a ^ carry.b) & 1u;
    const int64_t k = complement ? -weight : weight;
    if (complement) form_.constant += weight;
    add(carry.a, k);
    add(carry.b, k);
    add(2 * best, -2 * k);
    return true;
  }

  const LogicGraph& graph_;
  std::vector<int64_t> weight_;
  std::unordered_map<uint64_t, std::vector<uint32_t>> partners_;  // gates by their operands
  LinearForm form_;
};

}  // namespace

LogicGraph with_half_adders(const LogicGraph& graph) {
  return Rebuilder(graph).run();
}

std::optional<LinearForm> linear_form(const LogicGraph& graph) {
  return Conservation(graph).run();
}

}  // namespace bitgrid::synthesis
