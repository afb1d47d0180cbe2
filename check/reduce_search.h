// The search that both kinds of reduction share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "check/reduce.h"
#include "ir/file.h"

namespace bitgrid::check {

/// One way to make a network smaller: a list of single steps. Any of them may be taken together.
template <typename Network, typename Step>
struct ReducePass {
  std::function<std::vector<Step>(const Network&)> steps;
  /// Returns nullopt if these steps together give nothing valid.
  std::function<std::optional<Network>(const Network&, std::span<const Step>)> apply;
};

/// What to minimise: the first number that differs decides.
using ReduceCost = std::vector<uint64_t>;

template <typename Network, typename Step>
class ReduceSearch {
 public:
  ReduceSearch(Network start, const Keeps<Network>& keeps, std::function<ReduceCost(const Network&)> cost,
               std::function<std::string(const Network&)> text, ReduceStats& stats)
      : best_(std::move(start)), keeps_(keeps), cost_(std::move(cost)), text_(std::move(text)), stats_(stats), best_cost_(cost_(best_)) {
    seen_.insert(fnv1a(text_(best_)));
  }

  /// Runs all passes in turn until none makes anything smaller.
  Network run(const std::vector<ReducePass<Network, Step>>& passes) {
    for (bool smaller = true; smaller;) {
      smaller = false;
      for (const auto& pass : passes) smaller |= run_pass(pass);
    }
    return std::move(best_);
  }

 private:
  bool run_pass(const ReducePass<Network, Step>& pass) {
    bool smaller = false;
    std::vector<Step> steps = pass.steps(best_);
    for (size_t together = steps.size(); together > 0; together /= 2) {
      for (size_t first = 0; first < steps.size();) {
        const size_t count = std::min(together, steps.size() - first);
        if (take(pass.apply(best_, std::span(steps).subspan(first, count)))) {
          smaller = true;
          steps = pass.steps(best_);  // the step that is now at `first` came after it
        } else {
          first += count;
        }
      }
    }
    return smaller;
  }

  /// Keeps the candidate if it is smaller and has the property.
  bool take(std::optional<Network> candidate) {
    if (!candidate) return false;
    ReduceCost cost = cost_(*candidate);
    if (cost >= best_cost_ || !seen_.insert(fnv1a(text_(*candidate))).second) return false;
    ++stats_.tried;
    if (!keeps_(*candidate)) return false;
    ++stats_.kept;
    best_ = std::move(*candidate);
    best_cost_ = std::move(cost);
    return true;
  }

  Network best_;
  const Keeps<Network>& keeps_;
  std::function<ReduceCost(const Network&)> cost_;
  std::function<std::string(const Network&)> text_;
  ReduceStats& stats_;
  ReduceCost best_cost_;
  std::unordered_set<uint64_t> seen_;  // hashes of the texts of candidates
};

}  // namespace bitgrid::check
