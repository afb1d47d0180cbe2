#include "lowering/mapping/matrix/detour_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "ir/error.h"
#include "lowering/mapping/matrix/array_detours.h"
#include "lowering/mapping/matrix/bit_serial.h"
#include "lowering/mapping/matrix/layout_attempt.h"
#include "lowering/mapping/matrix/row_end_detours.h"

namespace bitgrid::mapping {
namespace {

constexpr size_t kLayouts = 6;  // that are carried out, of those whose rows alone were laid
constexpr size_t kSelectiveLayouts = 4;
constexpr int kSelective[] = {1, 2, 5};
constexpr int kCandidates = 8;  // rows that are tried for each place in them
constexpr int kEstimateRetries = 8;
constexpr int kRetries = 40;
constexpr int kFewRetries = 14;  // once there is a layout
constexpr int kMoreRows = 4;     // rows of cells by which strips are moved south in search of better places

/// What the layouts of a kernel have in common.
struct Task {
  const BitSerialForm& form;
  const Defects& defects;
  int width, height;  // of the site
  StripStamps stamps;

  LayoutAttempt attempt(const LayoutOptions& options) const { return {form, stamps, options, Fabric(width, height, defects)}; }
};

/// The array of an attempt, and its options.
struct EarlierArray {
  LayoutOptions options;
  ArrayDetours array;
};

/// The attempt's plan; false: the attempt says why not. `earlier` is used where it is the same array, and set.
bool make_plan(LayoutAttempt& attempt, std::optional<EarlierArray>& earlier) {
  const StripStamps& stamps = attempt.stamps;
  ArrayPlan& plan = attempt.plan;
  ArrayDetours array;
  if (!stamps.words_only) {
    if (!earlier || !earlier->options.same_array(attempt.options)) {
      auto found = find_array(attempt);
      if (!found) return false;
      earlier = EarlierArray{attempt.options, std::move(*found)};
    }
    array = earlier->array;
    lay_array(attempt, array);
  }
  RowEnds ends;
  if (stamps.any) {
    auto laid = lay_strips(attempt, array);
    if (!laid) return false;
    ends = std::move(*laid);
  }
  plan.width = std::max(array.end_x, plan.strips.empty() ? 1 : plan.strips.back().left + 3);
  plan.height = std::max(array.lowest + 1, ends.bottom);
  attempt.fabric.trim(plan.width, plan.height);
  if (!feed_array(attempt)) return false;
  if (stamps.any && !connect_strips(attempt, array, ends)) return false;
  for (int g = 0; g < attempt.groups() && !stamps.any; ++g) {
    const int y = row_end(plan, g).y;
    plan.sums.push_back({Side::E, y, plan.width - 1 + y + kSumFront + 2 * array.late});
  }
  if (!stamps.any) plan.results = plan.sums;
  add_unused_words(attempt);
  plan.stamps = stamps;
  plan.extra_lead = (attempt.longest_feed + stamps.copy_late) / 2 + 1 + array.late + attempt.options.corner_late + stamps.phases();
  return true;
}

/// Cells that a layout with the attempt's options takes if nothing goes wrong; nullopt: its rows find no way.
std::optional<int64_t> estimate(LayoutAttempt& attempt) {
  if (attempt.stamps.words_only) return 0;
  const auto array = find_array(attempt);
  if (!array) return std::nullopt;
  const bool strips = attempt.stamps.any;
  const int bottom = strips ? array->paths.back().back().y_out + 1 + attempt.stamps.rows() : 0;
  const int width = array->end_x + (strips ? 5 * attempt.groups() / 2 : 0);
  return int64_t{width} * std::max(array->lowest + 1, bottom);
}

/// The options to try, most promising first.
std::vector<LayoutOptions> options_to_try(const std::function<std::optional<int64_t>(LayoutOptions&)>& cells, int blocks, int first_row) {
  std::vector<std::pair<int64_t, LayoutOptions>> rated;
  for (const int late : {0, 2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128}) {
    if (late > blocks) break;
    for (const int half : {0, 1}) {  // of the blocks stand before the first later one
      if (late == 0 && half > 0) continue;
      LayoutOptions options;
      options.late = late;
      options.first_block = blocks * half / 2;
      options.first_row = first_row;
      if (const auto estimated = cells(options)) rated.push_back({*estimated, options});
    }
  }
  const auto sort = [&] { std::stable_sort(rated.begin(), rated.end(), [](const auto& a, const auto& b) { return a.first < b.first; }); };
  sort();
  // The best of them with columns of cells left out.
  for (size_t i = 0, n = std::min(kSelectiveLayouts, rated.size()); i < n; ++i) {
    for (const int selective : kSelective) {
      LayoutOptions options = rated[i].second;
      options.selective = selective;
      if (const auto estimated = cells(options)) rated.push_back({*estimated, options});
    }
  }
  sort();
  std::vector<LayoutOptions> best;
  for (size_t i = 0; i < std::min(kLayouts, rated.size()); ++i) best.push_back(rated[i].second);
  return best;
}

/// The smallest plan found, if any; `problem` says what stood in the way of others.
std::optional<ArrayPlan> smallest(const Task& task, DetourStats& stats, std::string& problem) {
  const auto cells_of = [](const ArrayPlan& plan) { return int64_t{plan.width} * plan.height; };
  std::optional<ArrayPlan> best;
  const auto cells = [&](LayoutOptions& options) {
    for (int retry = 0; retry < kEstimateRetries; ++retry) {
      LayoutAttempt attempt = task.attempt(options);
      if (const auto result = estimate(attempt)) return result;
      problem = attempt.problem;
      if (!attempt.again) break;
      options = attempt.next;
    }
    return std::optional<int64_t>();
  };
  for (LayoutOptions options : options_to_try(cells, count_of(task.form.columns), task.stamps.adds_word ? 1 : 0)) {
    options.candidates = kCandidates;
    options.corner_rows = task.stamps.adds_word ? 1 : 0;
    std::optional<EarlierArray> earlier;
    int more = kMoreRows;
    for (int retry = 0; retry < (best ? kFewRetries : kRetries) && more > 0; ++retry) {
      ++stats.attempts;
      LayoutAttempt attempt = task.attempt(options);
      if (!make_plan(attempt, earlier)) {
        problem = attempt.problem;
        if (!attempt.again) break;
        options = attempt.next;
        continue;
      }
      const int64_t cells_now = cells_of(attempt.plan);
      if (!best || cells_now < cells_of(*best)) {
        best = std::move(attempt.plan);
        stats.late = options.late;
      }
      // A little further south the strips may find better places.
      if (!task.stamps.any || cells_now > cells_of(*best) * 21 / 20) break;
      --more;
      ++options.corner_rows;
      options.no_strips.clear();
    }
  }
  return best;
}

}  // namespace

ArrayPlan detour_plan(const std::string& name, const BitSerialForm& form, const Defects& defects, DetourStats* stats) {
  const BitSerialSize regular = bit_serial_size(form);
  Task task{form, defects, regular.width * 2 + 40, regular.height * 2 + 20, strip_stamps(form, CornerUse::kAroundClamp)};
  std::string problem = "no layout was tried";
  DetourStats counted;
  std::optional<ArrayPlan> best = smallest(task, counted, problem);
  if (!best && task.stamps.copy_late > 0) {
    task.stamps = strip_stamps(form, CornerUse::kNothing);
    best = smallest(task, counted, problem);
  }
  if (stats) *stats = counted;
  if (best) return std::move(*best);
  throw Error("kernel " + name,
              fmt::format("no layout of {} inputs x {} outputs avoids the {} bad cells and {} bad edges: {}", form.columns.size(),
                          form.groups.size(), defects.cells.size(), defects.edges.size(), problem),
              "use a tile with fewer defects there, or cut the layer into smaller kernels");
}

}  // namespace bitgrid::mapping
