#include "lowering/synthesis/pseudo_kronecker.h"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>

namespace bitgrid::synthesis {
namespace {

using VariableOrder = std::vector<uint32_t>;  // order[0] is expanded first

VariableOrder random_order(uint32_t inputs, std::mt19937_64& rng) {
  VariableOrder order(inputs);
  std::iota(order.begin(), order.end(), 0u);
  for (uint32_t i = inputs; i > 1; --i) std::swap(order[i - 1], order[rng() % i]);
  return order;
}

// Index of the table after permuting: order[0] becomes the most significant digit.
std::vector<uint64_t> permuted(const std::vector<uint64_t>& table, const VariableOrder& order, uint64_t mask) {
  std::vector<uint64_t> result(table.size());
  const size_t n = order.size();
  for (size_t i = 0; i < table.size(); ++i) {
    size_t from = 0;
    for (size_t k = 0; k < n; ++k) from |= ((i >> (n - 1 - k)) & 1) << order[k];
    result[i] = table[from] & mask;
  }
  return result;
}

// Costs and choices of every subfunction; a subfunction is a ternary number of the digits 0 (cofactor at 0), 1 (cofactor at 1), 2 (their
// exclusive or).
class Expansion {
 public:
  Expansion(const std::vector<uint64_t>& table, const VariableOrder& order, uint64_t mask) : order_(order) {
    expand(permuted(table, order, mask));
    choices_.resize(order.size());
    std::vector<uint32_t> cost(leaves_.size());
    for (size_t i = 0; i < leaves_.size(); ++i) cost[i] = leaves_[i] != 0;
    for (size_t level = order.size(); level-- > 0;) cost = choose(cost, choices_[level]);
    cost_ = cost[0];
  }

  uint32_t cost() const { return cost_; }

  void collect(uint64_t absent, std::map<uint64_t, uint64_t>& terms) const { collect(0, 0, absent, terms); }

 private:
  void expand(std::vector<uint64_t> values) {
    size_t rest = values.size();
    for (size_t prefixes = 1; rest > 1; prefixes *= 3, rest /= 2) {
      std::vector<uint64_t> next(prefixes * 3 * (rest / 2));
      for (size_t p = 0; p < prefixes; ++p)
        for (size_t i = 0; i < rest / 2; ++i) {
          const uint64_t zero = values[p * rest + i], one = values[p * rest + rest / 2 + i];
          next[(3 * p + 0) * (rest / 2) + i] = zero;
          next[(3 * p + 1) * (rest / 2) + i] = one;
          next[(3 * p + 2) * (rest / 2) + i] = zero ^ one;
        }
      values = std::move(next);
    }
    leaves_ = std::move(values);
  }

  // Drops the most expensive of the three: what stays determines the function.
  static std::vector<uint32_t> choose(const std::vector<uint32_t>& cost, std::vector<uint8_t>& dropped) {
    std::vector<uint32_t> result(cost.size() / 3);
    dropped.resize(result.size());
    for (size_t p = 0; p < result.size(); ++p) {
      const uint32_t* c = &cost[3 * p];
      const uint8_t drop = c[0] > c[1] ? (c[0] > c[2] ? 0 : 2) : (c[1] > c[2] ? 1 : 2);
      dropped[p] = drop;
      result[p] = c[0] + c[1] + c[2] - c[drop];
    }
    return result;
  }

  void collect(size_t level, size_t prefix, uint64_t literals, std::map<uint64_t, uint64_t>& terms) const {
    if (level == order_.size()) {
      if (leaves_[prefix]) terms[literals] ^= leaves_[prefix];
      return;
    }
    // Literal of the parts 0, 1, 2 when part `drop` is not used. f = x'f0 + xf1 = f1 + x'f2 = f0 + xf2.
    static constexpr uint64_t kLiteral[3][3] = {{0, 3, 1}, {3, 0, 2}, {1, 2, 0}};
    const uint8_t drop = choices_[level][prefix];
    const uint32_t shift = 2 * order_[level];
    for (uint8_t part = 0; part < 3; ++part)
      if (part != drop)
        collect(level + 1, 3 * prefix + part, (literals & ~(uint64_t{3} << shift)) | (kLiteral[drop][part] << shift), terms);
  }

  VariableOrder order_;
  std::vector<uint64_t> leaves_;
  std::vector<std::vector<uint8_t>> choices_;
  uint32_t cost_ = 0;
};

TermList to_list(const std::map<uint64_t, uint64_t>& terms, uint64_t absent) {
  TermList list;
  for (const auto& [literals, outputs] : terms) {
    if (outputs == 0) continue;
    if (literals == absent)
      list.complement ^= outputs;
    else
      list.terms.push_back({literals, outputs});
  }
  return list;
}

}  // namespace

std::vector<TermList> pseudo_kronecker_starts(const std::vector<uint64_t>& table, uint32_t inputs, uint64_t output_mask, int orders,
                                              std::mt19937_64& rng) {
  const uint64_t absent = absent_literals(inputs);
  for (uint32_t n = 9; n < inputs && orders > 1; ++n) orders = (orders + 2) / 3;
  std::map<uint64_t, uint64_t> joint, separate;
  struct Best {
    uint32_t cost = ~0u;
    std::map<uint64_t, uint64_t> terms;
  };
  Best best_joint;
  std::vector<Best> best_output(64);
  for (int k = 0; k < orders; ++k) {
    const VariableOrder order = random_order(inputs, rng);
    auto keep_better = [&](Best& best, uint64_t mask) {
      const Expansion e(table, order, mask);
      if (e.cost() >= best.cost) return;
      best.cost = e.cost();
      best.terms.clear();
      e.collect(absent, best.terms);
    };
    keep_better(best_joint, output_mask);
    for (uint32_t o = 0; o < 64; ++o)
      if ((output_mask >> o) & 1) keep_better(best_output[o], uint64_t{1} << o);
  }
  for (const Best& best : best_output)
    for (const auto& [literals, outputs] : best.terms) separate[literals] ^= outputs;
  return {to_list(best_joint.terms, absent), to_list(separate, absent)};
}

}  // namespace bitgrid::synthesis
