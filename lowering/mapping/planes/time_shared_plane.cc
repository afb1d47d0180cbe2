#include "lowering/mapping/planes/time_shared_plane.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "ir/index.h"
#include "ir/kernel_defects.h"
#include "lowering/mapping/planes/time_shared_rows.h"

namespace bitgrid::mapping {
namespace {

constexpr int kNoColumn = PlaneRows::kNone;
constexpr int kWindow = 256;             // terms that are considered for each row: the next ones in order
constexpr int kMostIdlePlaneRows = 100;  // one after another

/// What is tried in one order of the terms or another.
struct Weights {
  int begin = 0;  // of a term that begins a sum, in columns of its span
  int end = 0;    // ends one
};

/// Chooses the term of each row.
class PlaneLayout {
 public:
  PlaneLayout(const synthesis::Esop& esop, const Columns& columns, int input_columns, int output_columns, std::vector<size_t> order,
              const Weights& weights)
      : esop_(esop), weights_(weights), left_(std::move(order)), rows_(esop, columns, input_columns, output_columns) {}

  /// False: a signal finds no way, or the rows reach `limit` cells. Counts its steps.
  bool run(int64_t limit, int64_t& steps) {
    if (!rows_.place_constants()) return false;
    int idle = 0;
    while (!left_.empty() || rows_.height() == 0) {
      if (int64_t{rows_.width()} * (rows_.height() + 1) >= limit || idle > kMostIdlePlaneRows) return false;
      rows_.begin_row();
      if (rows_.shift_row()) {
        ++idle_rows_;
        continue;
      }
      if (!rows_.clear_ends()) return false;
      steps += std::min<int64_t>(std::ssize(left_), kWindow) * (esop_.inputs + esop_.outputs + 1);
      const bool progress = place_term() || left_.empty();
      const bool entered = enter_input();
      if (!progress && !entered && rows_.clean_row()) return false;
      idle = progress || entered ? 0 : idle + 1;
      idle_rows_ += !progress;
      rows_.end_row();
    }
    return true;
  }

  int idle_rows() const { return idle_rows_; }
  MappedKernel kernel(const std::string& name) const { return rows_.kernel(name); }

 private:
  struct Candidate {
    TermPlace place;
    int64_t cost = 0;
  };

  /// nullopt: the term cannot lie in this row.
  std::optional<Candidate> fit(size_t cube_index) const {
    const synthesis::Cube& cube = esop_.cubes[cube_index];
    Candidate c{{cube_index, kNoColumn, rows_.width(), 0, {}}, 0};
    TermPlace& p = c.place;
    for (uint32_t care = cube.care; care != 0; care &= care - 1) {
      const auto i = id_of(std::countr_zero(care));
      const int x = rows_.input_column(i);
      if (x != kNoColumn) {
        p.first = std::min(p.first, x);
        continue;
      }
      if (p.from_west != kNoColumn) return std::nullopt;
      p.from_west = int_of(i);
    }
    if (p.from_west != kNoColumn) p.first = 0;
    const auto leads_to = [&](int x) {
      p.last = std::max(p.last, x);
      if (cube.care == 0) p.first = std::min(p.first, x);
    };
    int vacancy = rows_.inputs_end();
    for (uint32_t o = 0; o < esop_.outputs; ++o) {
      if (!cube.outputs.get(o)) continue;
      c.cost -= rows_.terms_left(o) == 1 ? weights_.end : 0;
      if (rows_.sum_column(o) != kNoColumn) {
        if (!rows_.sum_stays(rows_.sum_column(o))) return std::nullopt;
        leads_to(rows_.sum_column(o));
        continue;
      }
      while (vacancy < rows_.width() && (!rows_.vacant(vacancy) || rows_.ends_soon(vacancy) || !rows_.sum_stays(vacancy))) ++vacancy;
      if (vacancy == rows_.width()) return std::nullopt;
      p.begins.emplace_back(o, vacancy);
      c.cost += weights_.begin;
      leads_to(vacancy++);
    }
    if (p.first > p.last) p.last = p.first;
    for (int x = p.first; x < p.last; ++x) {
      if (!rows_.can_pass(x)) return std::nullopt;
    }
    c.cost += p.first - p.last - (p.from_west != kNoColumn ? rows_.width() : 0);
    return c;
  }

  /// Rows with defects take what is short; others what spans most, or needs an input from W.
  bool place_term() {
    std::optional<Candidate> best;
    size_t at = 0;
    for (size_t k = 0; k < left_.size() && k < kWindow; ++k) {
      auto c = fit(left_[k]);
      if (!c) continue;
      if (!best || c->cost < best->cost) best = std::move(c), at = k;
    }
    if (!best) return false;
    rows_.lay(best->place);
    left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }

  /// An input that has no column comes back into one: that of the most terms that are left.
  bool enter_input() {
    if (rows_.west() != kNoColumn) return rows_.enter_column(id_of(rows_.west()));
    std::vector<int> uses(esop_.inputs);
    for (size_t k = 0; k < left_.size() && k < kWindow; ++k) {
      const uint32_t care = esop_.cubes[left_[k]].care;
      for (uint32_t i = 0; i < esop_.inputs; ++i) uses[i] += int_of((care >> i) & 1u);
    }
    std::optional<uint32_t> input;
    int absent = 0;
    for (uint32_t i = 0; i < esop_.inputs; ++i) {
      if (!rows_.absent_next(i) || uses[i] == 0) continue;
      ++absent;
      if (!input || uses[i] > uses[*input]) input = i;
    }
    return absent >= 2 && rows_.enter_column(*input);
  }

  const synthesis::Esop& esop_;
  const Weights weights_;
  std::vector<size_t> left_;  // terms
  PlaneRows rows_;
  int idle_rows_ = 0;
};

}  // namespace

std::optional<MappedKernel> time_shared_plane(const std::string& name, const synthesis::Esop& esop, const Defects& defects,
                                              const TimeSharedPlaneParams& params, TimeSharedPlaneStats* stats) {
  const Columns columns(defects);
  std::mt19937_64 random(params.seed);
  std::optional<MappedKernel> best;
  int64_t steps = 0;
  std::vector<size_t> order(esop.cubes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const int inputs = std::max(0, int_of(esop.inputs) - 1), outputs = int_of(esop.outputs);
  static constexpr Weights kWeights[] = {{0, 0}, {4, 4}, {16, 16}, {64, 64}};
  for (int sums = 1; sums <= outputs + params.spare_columns; ++sums) {
    for (int among_inputs = 0; among_inputs <= params.spare_columns; ++among_inputs) {
      for (int i = 0; i < params.tries; ++i) {
        const int64_t limit = best ? std::ssize(best->grid.cells) : INT64_MAX;
        const int64_t width = inputs + among_inputs + sums;
        if (width * std::max<int64_t>(1, std::ssize(esop.cubes)) >= limit) break;
        if (best && steps > params.effort) return best;
        if (i >= 4) std::shuffle(order.begin(), order.end(), random);
        PlaneLayout layout(esop, columns, inputs + among_inputs, sums, order, kWeights[i % 4]);
        if (stats) ++stats->tries;
        if (!layout.run(limit, steps)) continue;
        MappedKernel kernel = layout.kernel(name);
        if (first_defect_used(kernel, defects)) continue;
        best = std::move(kernel);
        if (stats) stats->width = best->grid.width, stats->height = best->grid.height, stats->idle_rows = layout.idle_rows();
      }
    }
  }
  return best;
}

}  // namespace bitgrid::mapping
