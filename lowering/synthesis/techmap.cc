#include "lowering/synthesis/techmap.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "ir/index.h"
#include "lowering/synthesis/cuts.h"

namespace bitgrid::synthesis {
namespace {

using Kind = LogicNode::Kind;
constexpr int kLutPrice = 1000;
constexpr int kNever = std::numeric_limits<int>::max() / 2;

class Mapper {
 public:
  Mapper(const LogicGraph& graph, const TechmapParams& params) : graph_(graph), params_(params), nodes_(graph.nodes.size()) {
    mark_used();
    sets_.resize(nodes_);
    best_.resize(nodes_);
    references_.resize(nodes_);
    required_.assign(nodes_, kNever);
    estimated_.resize(nodes_);
    for (size_t n = 0; n < nodes_; ++n) estimated_[n] = std::max(1.0F, fanouts_[n]);
  }

  LutNetwork run() {
    pass(Order::kDepth);
    for (int i = 0; i < params_.flow_passes; ++i) pass(Order::kFlow);
    for (int i = 0; i < params_.exact_passes; ++i) pass(Order::kExact);
    return network();
  }

 private:
  enum class Order : uint8_t { kDepth, kFlow, kExact };

  bool is_gate(size_t n) const { return graph_.nodes[n].kind == Kind::kAnd || graph_.nodes[n].kind == Kind::kXor; }

  void mark_used() {
    used_.resize(nodes_);
    fanouts_.resize(nodes_);
    for (const auto& o : graph_.outputs) {
      used_[o.literal / 2] = 1;
      fanouts_[o.literal / 2] += 1;
    }
    for (size_t n = nodes_; n-- > 0;) {
      if (!used_[n] || !is_gate(n)) continue;
      for (const Literal l : {graph_.nodes[n].a, graph_.nodes[n].b}) {
        used_[l / 2] = 1;
        fanouts_[l / 2] += 1;
      }
    }
  }

  static Cut trivial_cut(uint32_t n) {
    Cut cut;
    cut.size = 1;
    cut.leaves[0] = n;
    cut.table = kVariable[0];
    return cut;
  }

  void pass(Order order) {
    for (uint32_t n = 1; n < nodes_; ++n) {
      if (!used_[n]) continue;
      if (!is_gate(n)) {
        sets_[n] = {trivial_cut(n)};
        continue;
      }
      if (order == Order::kExact) {
        if (references_[n] > 0) dereference(best_[n]);
        enumerate(n, order);
        choose_exact(n);
        if (references_[n] > 0) reference(best_[n]);
      } else {
        enumerate(n, order);
        best_[n] = sets_[n][0];
      }
      sets_[n].push_back(trivial_cut(n));
    }
    count_references();
    set_required();
  }

  int arrival(uint32_t n) const { return is_gate(n) ? best_[n].depth : 0; }
  float flow(uint32_t n) const { return is_gate(n) ? best_[n].flow / estimated_[n] : 0.0F; }

  void evaluate(Cut& cut) const {
    cut.depth = 0;
    cut.flow = 1;
    for (const uint32_t leaf : leaves(cut)) {
      cut.depth = std::max(cut.depth, arrival(leaf));
      cut.flow += flow(leaf);
    }
    ++cut.depth;
  }

  static bool better(const Cut& a, const Cut& b, Order order) {
    constexpr float kSame = 0.005F;
    if (order == Order::kDepth && a.depth != b.depth) return a.depth < b.depth;
    if (a.flow < b.flow - kSame) return true;
    if (a.flow > b.flow + kSame) return false;
    if (a.depth != b.depth) return a.depth < b.depth;
    return a.size < b.size;
  }

  // The cuts of n from those of its operands; the best first. The cut chosen in the pass before stays among them, so that required times
  // can be met.
  void enumerate(uint32_t n, Order order) {
    const LogicNode& node = graph_.nodes[n];
    std::vector<Cut> found;
    if (best_[n].size > 0) {
      evaluate(best_[n]);
      found.push_back(best_[n]);
    }
    for (const Cut& a : sets_[node.a / 2])
      for (const Cut& b : sets_[node.b / 2]) {
        Cut cut;
        if (!merge_leaves(a, b, cut)) continue;
        const auto left = static_cast<uint16_t>(stretch(a, cut) ^ (0u - (node.a & 1u)));
        const auto right = static_cast<uint16_t>(stretch(b, cut) ^ (0u - (node.b & 1u)));
        cut.table = static_cast<uint16_t>(node.kind == Kind::kAnd ? left & right : left ^ right);
        drop_unused_leaves(cut);
        insert(found, cut);
      }
    // A cut that would be late is of use only where nothing else is left.
    const int required = params_.keep_depth ? required_[n] : kNever;
    std::stable_sort(found.begin(), found.end(), [&](const Cut& a, const Cut& b) {
      if ((a.depth <= required) != (b.depth <= required)) return a.depth <= required;
      return better(a, b, order);
    });
    if (found.size() > index_of(params_.cuts)) found.resize(index_of(params_.cuts));
    sets_[n] = std::move(found);
  }

  void insert(std::vector<Cut>& found, Cut& cut) const {
    for (const Cut& other : found)
      if (dominates(other, cut)) return;
    std::erase_if(found, [&](const Cut& other) { return dominates(cut, other); });
    evaluate(cut);
    found.push_back(cut);
  }

  // Prices of the LUTs that come into use (or go out of it) with this cut.
  int reference(const Cut& cut) {
    int area = price(cut);
    for (const uint32_t leaf : leaves(cut))
      if (references_[leaf]++ == 0 && is_gate(leaf)) area += reference(best_[leaf]);
    return area;
  }
  void dereference(const Cut& cut) {
    for (const uint32_t leaf : leaves(cut))
      if (--references_[leaf] == 0 && is_gate(leaf)) dereference(best_[leaf]);
  }

  // A tree through n places is about as long as the root of n: the more LUTs read a signal already, the less wire another one needs.
  int price(const Cut& cut) const {
    double wires = 0;
    for (const uint32_t leaf : leaves(cut)) wires += 1 / std::sqrt(estimated_[leaf]);
    return kLutPrice + static_cast<int>(kLutPrice * params_.wire_price * wires);
  }

  void choose_exact(uint32_t n) {
    const int required = params_.keep_depth ? required_[n] : kNever;
    int best_area = kNever;
    const Cut* best = &sets_[n][0];
    for (const Cut& cut : sets_[n]) {
      if (cut.depth > required && best_area != kNever) continue;
      const int area = reference(cut);
      dereference(cut);
      if (area < best_area || (area == best_area && better(cut, *best, Order::kFlow))) {
        best_area = area;
        best = &cut;
      }
    }
    best_[n] = *best;
  }

  void count_references() {
    std::fill(references_.begin(), references_.end(), 0);
    for (const auto& o : graph_.outputs) ++references_[o.literal / 2];
    for (uint32_t n = id_of(nodes_); n-- > 1;) {
      if (references_[n] == 0 || !is_gate(n)) continue;
      for (const uint32_t leaf : leaves(best_[n])) ++references_[leaf];
    }
    for (size_t n = 0; n < nodes_; ++n) estimated_[n] = std::max(1.0F, (estimated_[n] + 2.0F * static_cast<float>(references_[n])) / 3.0F);
  }

  void set_required() {
    for (uint32_t n = 1; n < nodes_; ++n)
      if (used_[n] && is_gate(n)) evaluate(best_[n]);
    std::fill(required_.begin(), required_.end(), kNever);
    int deepest = 0;
    for (const auto& o : graph_.outputs) deepest = std::max(deepest, arrival(o.literal / 2));
    for (const auto& o : graph_.outputs) required_[o.literal / 2] = deepest;
    for (uint32_t n = id_of(nodes_); n-- > 1;) {
      if (references_[n] == 0 || !is_gate(n)) continue;
      for (const uint32_t leaf : leaves(best_[n])) required_[leaf] = std::min(required_[leaf], required_[n] - 1);
    }
  }

  LutNetwork network() const {
    LutNetwork result;
    result.name = graph_.name;
    result.inputs = graph_.inputs;
    std::vector<SignalId> signal(nodes_, kConstantSignal);
    for (uint32_t n = 1, input = 0; n < nodes_; ++n) {
      if (graph_.nodes[n].kind == Kind::kInput) signal[n] = input++;
      if (references_[n] == 0 || !is_gate(n)) continue;
      LutNode lut;
      const Cut& cut = best_[n];
      lut.fanin_count = cut.size;
      for (unsigned i = 0; i < cut.size; ++i) lut.fanins[i] = signal[cut.leaves[i]];
      lut.table = cut.size == 4 ? cut.table : static_cast<uint16_t>(cut.table & ((1u << (1u << cut.size)) - 1));
      result.nodes.push_back(lut);
      signal[n] = result.signal_of_node(result.nodes.size() - 1);
    }
    for (const auto& o : graph_.outputs) result.outputs.push_back({o.name, signal[o.literal / 2], (o.literal & 1u) != 0});
    return result;
  }

  const LogicGraph& graph_;
  const TechmapParams& params_;
  size_t nodes_;
  std::vector<uint8_t> used_;
  std::vector<float> fanouts_;
  std::vector<std::vector<Cut>> sets_;
  std::vector<Cut> best_;
  std::vector<int> references_;
  std::vector<int> required_;
  std::vector<float> estimated_;  // fan-out in the mapping
};

}  // namespace

LutNetwork map_to_luts(const LogicGraph& graph, const TechmapParams& params, TechmapStats* stats) {
  const auto begin = std::chrono::steady_clock::now();
  LutNetwork network = Mapper(graph, params).run();
  if (stats)
    *stats = {gate_count(graph), network.nodes.size(), depth(network),
              std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
  return network;
}

}  // namespace bitgrid::synthesis
