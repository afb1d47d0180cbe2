#include "lowering/defects/row_paths.h"

#include <algorithm>

namespace bitgrid {
namespace {

struct Move {
  int y_in, y_out;
};

/// The least y_in and y_out that the row above leaves.
Move lowest(const ArrayStep& step, int above_in, int above_out) {
  // A row that moves south within a block takes its carry back from the cell to the west of the lower row.
  if (step.kind == ArrayStepKind::kBlock) return {above_out + 1, above_out + 1};
  return {above_in + 1, above_out + 1};
}

}  // namespace

void find_row_paths(const std::vector<ArrayStep>& steps, int rows, const RowPathsParams& params, const CanPass& can_pass, RowPaths& paths) {
  const int n = static_cast<int>(steps.size()), h = params.height;
  std::vector<std::vector<uint8_t>> reaches(static_cast<size_t>(n) + 1, std::vector<uint8_t>(static_cast<size_t>(h)));
  const auto moves = [&](ArrayStepKind kind, int y) {
    if (kind == ArrayStepKind::kNorth) return std::vector<int>{y - 1};
    if (kind == ArrayStepKind::kEnd) return std::vector<int>{y};
    return std::vector<int>{y, y + 1};
  };
  paths = {};
  for (int r = 0; r < rows; ++r) {
    const RowPath* above = r > 0 ? &paths.rows.back() : nullptr;
    const auto allowed = [&](int k, int y_in, int y_out) {
      if (y_in < params.first || y_out < params.first || y_in >= h || y_out >= h) return false;
      if (above) {
        const Move least = lowest(steps[static_cast<size_t>(k)], (*above)[static_cast<size_t>(k)], (*above)[static_cast<size_t>(k) + 1]);
        if (y_in < least.y_in || y_out < least.y_out) return false;
      }
      return can_pass(r, k, y_in, y_out);
    };
    std::fill(reaches[static_cast<size_t>(n)].begin(), reaches[static_cast<size_t>(n)].end(), uint8_t{1});
    for (int k = n - 1; k >= 0; --k) {
      bool any = false;
      for (int y = params.first; y < h; ++y) {
        bool ok = false;
        for (const int out : moves(steps[static_cast<size_t>(k)].kind, y)) {
          ok = ok || (out >= 0 && out < h && reaches[static_cast<size_t>(k) + 1][static_cast<size_t>(out)] && allowed(k, y, out));
        }
        reaches[static_cast<size_t>(k)][static_cast<size_t>(y)] = ok;
        any = any || ok;
      }
      if (!any) {
        paths.failed_row = r;
        paths.failed_step = k;
        return;
      }
    }
    const auto& start = reaches[0];
    RowPath path{static_cast<int>(std::find(start.begin() + params.first, start.end(), uint8_t{1}) - start.begin())};
    for (int k = 0; k < n; ++k) {
      for (const int out : moves(steps[static_cast<size_t>(k)].kind, path.back())) {
        if (out < 0 || out >= h || !reaches[static_cast<size_t>(k) + 1][static_cast<size_t>(out)] || !allowed(k, path.back(), out))
          continue;
        path.push_back(out);
        break;
      }
    }
    paths.rows.push_back(std::move(path));
  }
}

}  // namespace bitgrid
