#include "lowering/defects/row_paths.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace bitgrid {
namespace {

class Finder {
 public:
  Finder(const std::vector<ArrayStep>& steps, const RowPathsParams& params, const CanPass& can_pass)
      : steps_(steps),
        params_(params),
        can_pass_(can_pass),
        reaches_(steps.size() + 1, std::vector<uint8_t>(static_cast<size_t>(params.height))) {
    std::fill(reaches_.back().begin(), reaches_.back().end(), uint8_t{1});
  }

  /// The highest path of `row` below `above`.
  std::optional<RowPath> find(int row, const RowPath* above) {
    for (size_t k = steps_.size(); k-- > 0;) {
      bool any = false;
      std::fill(reaches_[k].begin(), reaches_[k].end(), uint8_t{0});
      const int top = above ? (*above)[k] + 1 : params_.first;
      for (int y = top; y < std::min(params_.height, top + params_.window); ++y) {
        const bool ok = next(row, k, y, above) >= 0;
        reaches_[k][static_cast<size_t>(y)] = ok;
        any = any || ok;
      }
      if (!any) {
        failed_step_ = static_cast<int>(k);
        return std::nullopt;
      }
    }
    const auto& start = reaches_[0];
    RowPath path{static_cast<int>(std::find(start.begin(), start.end(), uint8_t{1}) - start.begin())};
    for (size_t k = 0; k < steps_.size(); ++k) path.push_back(next(row, k, path.back(), above));
    return path;
  }

  int failed_step() const { return failed_step_; }

 private:
  /// The highest y behind step k from which the end can be reached; -1: none.
  int next(int row, size_t k, int y, const RowPath* above) const {
    const ArrayStepKind kind = steps_[k].kind;
    const int first = kind == ArrayStepKind::kNorth ? y - 1 : y;
    const int last = kind == ArrayStepKind::kNorth ? y - 1 : kind == ArrayStepKind::kEnd ? y : y + 1;
    if (y < params_.first || (above && y <= (*above)[k])) return -1;
    for (int to = first; to <= last; ++to) {
      if (to < params_.first || to >= params_.height || !reaches_[k + 1][static_cast<size_t>(to)]) continue;
      if (above && to <= (*above)[k + 1]) continue;
      if (can_pass_(row, static_cast<int>(k), y, to, above)) return to;
    }
    return -1;
  }

  const std::vector<ArrayStep>& steps_;
  const RowPathsParams& params_;
  const CanPass& can_pass_;
  std::vector<std::vector<uint8_t>> reaches_;  // [step][y before it]: the end can be reached
  int failed_step_ = -1;
};

}  // namespace

RowPaths find_row_paths(const std::vector<ArrayStep>& steps, const std::vector<int>& group, const RowPathsParams& params,
                        const CanPass& can_pass, const std::function<void(int row, const RowPath& path)>& placed) {
  RowPaths result;
  Finder finder(steps, params, can_pass);
  std::vector<int> left(group.size());
  std::iota(left.begin(), left.end(), 0);
  while (!left.empty()) {
    const RowPath* above = result.paths.empty() ? nullptr : &result.paths.back();
    const bool bound = !result.order.empty() && group[static_cast<size_t>(result.order.back())] == group[static_cast<size_t>(left[0])];
    size_t best = 0;
    std::optional<RowPath> path;
    int64_t least = 0;
    for (size_t i = 0, tried = 0; i < left.size() && (i == 0 || (!bound && static_cast<int>(tried) < params.candidates)); ++i) {
      // Only the first row of a group can come next.
      if (i > 0 && group[static_cast<size_t>(left[i])] == group[static_cast<size_t>(left[i - 1])]) continue;
      ++tried;
      std::optional<RowPath> candidate = finder.find(left[i], above);
      if (!candidate) continue;
      const int64_t sum = std::accumulate(candidate->begin(), candidate->end(), int64_t{0});
      if (!path || sum < least) best = i, least = sum, path = std::move(candidate);
    }
    if (!path) {
      result.failed_step = finder.failed_step();
      return result;
    }
    // The rest of the group comes next.
    const int row = left[best];
    std::rotate(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(best),
                std::find_if(left.begin() + static_cast<std::ptrdiff_t>(best), left.end(),
                             [&](int r) { return group[static_cast<size_t>(r)] != group[static_cast<size_t>(row)]; }));
    left.erase(left.begin());
    result.order.push_back(row);
    result.paths.push_back(std::move(*path));
    placed(row, result.paths.back());
  }
  return result;
}

}  // namespace bitgrid
