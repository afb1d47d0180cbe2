#include "lowering/mapping/matrix/bit_serial_detour.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "ir/error.h"
#include "ir/output_cone.h"
#include "lowering/mapping/matrix/detour_array.h"
#include "lowering/mapping/matrix/layout_attempt.h"
#include "lowering/mapping/matrix/row_end_lanes.h"
#include "lowering/mapping/normalise_phases.h"

namespace bitgrid::mapping {
namespace {

constexpr size_t kPlans = 6;  // layouts that are carried out, of those whose rows alone were laid
constexpr size_t kSelectivePlans = 4;
constexpr int kSelective[] = {1, 2, 5};
constexpr int kCandidates = 8;  // rows that are tried for each place in them
constexpr int kEstimateRetries = 8;
constexpr int kRetries = 40;
constexpr int kFewRetries = 14;  // once there is a layout
constexpr int kMoreRows = 4;     // rows of cells by which strips are moved south in search of better places

/// What the layouts of a kernel have in common.
struct Task {
  const std::string& name;
  const BitSerialForm& form;
  uint32_t input_bits;
  const Defects& defects;
  int width, height;  // of the canvas
  StripStamps stamps;

  LayoutAttempt draft(const LayoutOptions& plan) const {
    LayoutAttempt d{form, plan, Fabric(width, height, defects), {}, "", plan};
    d.kernel.name = name;
    d.kernel.strategy = "bit-serial";
    d.kernel.input_bits = input_bits;
    d.kernel.ii = form.word_slots;
    return d;
  }
};

DetourArray rows_in_order(const BitSerialForm& form) {
  DetourArray array;
  for (size_t g = 0; g < form.groups.size(); ++g) array.rows.rows.push_back({&form.groups[g].planes[0], static_cast<int>(g), 0, 1});
  return array;
}

/// The array of a plan, and the plan.
struct Planned {
  LayoutOptions plan;
  DetourArray array;
};

/// The kernel of a draft's plan; nullopt: the draft says why not. `earlier` is used where it is the same array, and set.
std::optional<MappedKernel> build(const Task& task, LayoutAttempt& draft, std::optional<Planned>& earlier) {
  const BitSerialForm& form = task.form;
  const bool strips = task.stamps.any();
  std::optional<DetourArray> array;
  if (task.stamps.words_only) {
    array = rows_in_order(form);
  } else if (earlier && earlier->plan.same_array(draft.plan)) {
    array = earlier->array;
  } else {
    array = plan_array(draft, strips);
    if (array) earlier = Planned{draft.plan, *array};
  }
  if (!array) return std::nullopt;
  if (!task.stamps.words_only) lay_array(draft, *array);
  RowEndLanes row_ends;
  if (strips) {
    auto laid = lay_strips(draft, task.stamps, *array);
    if (!laid) return std::nullopt;
    row_ends = std::move(*laid);
  }
  const int width = std::max(array->end_x, row_ends.strips.empty() ? 1 : row_ends.strips.back().left + 3);
  draft.fabric.trim(width, std::max(array->lowest + 1, row_ends.bottom));
  MappedKernel& kernel = draft.kernel;
  kernel.outputs.resize((form.raw_bits + (form.clamp ? static_cast<size_t>(form.clamp->width) : form.sign ? 1 : 0)) * draft.groups());
  if (!task.stamps.words_only && !feed_array(draft, *array)) return std::nullopt;
  if (strips && !connect_strips(draft, task.stamps, *array, row_ends)) return std::nullopt;
  for (size_t g = 0; !strips && g < draft.groups(); ++g) {
    const int y = array->row_end(static_cast<int>(g)).y;
    draft.add_outputs(g, {Side::E, y, width - 1 + y + kSumFront + 2 * array->late}, true);
  }
  kernel.grid = draft.fabric.config();
  if (!task.stamps.words_only) finish_array(draft, *array);
  kernel.output_bits = static_cast<uint32_t>(kernel.outputs.size());
  kernel.lead_cycles = (kernel.grid.width + kernel.grid.height + draft.longest_feed) / 2 + array->late + draft.plan.corner_late +
                       task.stamps.copy_late / 2 + row_ends.delay + 4 * form.word_slots;
  normalise_phases(kernel);
  raise_lead(kernel);
  return std::move(kernel);
}

/// Cells that a layout of the draft's plan takes if nothing goes wrong; nullopt: its rows find no way.
std::optional<int64_t> estimate(const Task& task, LayoutAttempt& draft) {
  if (task.stamps.words_only) return 0;
  const bool strips = task.stamps.any();
  const auto array = plan_array(draft, strips);
  if (!array) return std::nullopt;
  const int bottom = strips ? array->rows.paths.back().back().y_out + 1 + task.stamps.rows() : 0;
  const int width = array->end_x + (strips ? 5 * static_cast<int>(draft.groups()) / 2 : 0);
  return int64_t{width} * std::max(array->lowest + 1, bottom);
}

/// The plans to try, most promising first.
std::vector<LayoutOptions> plans(const std::function<std::optional<int64_t>(LayoutOptions&)>& cells, int blocks, int first_row) {
  std::vector<std::pair<int64_t, LayoutOptions>> rated;
  for (const int late : {0, 2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128}) {
    if (late > blocks) break;
    for (const int half : {0, 1}) {  // of the blocks stand before the first later one
      if (late == 0 && half > 0) continue;
      LayoutOptions plan;
      plan.late = late;
      plan.first_block = blocks * half / 2;
      plan.first_row = first_row;
      if (const auto estimated = cells(plan)) rated.push_back({*estimated, plan});
    }
  }
  const auto sort = [&] { std::stable_sort(rated.begin(), rated.end(), [](const auto& a, const auto& b) { return a.first < b.first; }); };
  sort();
  // The best of them with columns of cells left out.
  for (size_t i = 0, n = std::min(kSelectivePlans, rated.size()); i < n; ++i) {
    for (const int selective : kSelective) {
      LayoutOptions plan = rated[i].second;
      plan.selective = selective;
      if (const auto estimated = cells(plan)) rated.push_back({*estimated, plan});
    }
  }
  sort();
  std::vector<LayoutOptions> best;
  for (size_t i = 0; i < std::min(kPlans, rated.size()); ++i) best.push_back(rated[i].second);
  return best;
}

/// The smallest layout found, if any; `problem` says what stood in the way of others.
std::optional<MappedKernel> smallest(const Task& task, DetourStats& stats, std::string& problem) {
  std::optional<MappedKernel> best;
  const auto cells = [&](LayoutOptions& plan) {
    for (int retry = 0; retry < kEstimateRetries; ++retry) {
      LayoutAttempt draft = task.draft(plan);
      if (const auto result = estimate(task, draft)) return result;
      problem = draft.problem;
      if (!draft.again) break;
      plan = draft.next;
    }
    return std::optional<int64_t>();
  };
  for (LayoutOptions plan : plans(cells, static_cast<int>(task.form.columns.size()), task.stamps.adds_in_corner ? 1 : 0)) {
    plan.candidates = kCandidates;
    plan.corner_rows = task.stamps.adds_in_corner ? 1 : 0;
    std::optional<Planned> earlier;
    int more = kMoreRows;
    for (int retry = 0; retry < (best ? kFewRetries : kRetries) && more > 0; ++retry) {
      ++stats.attempts;
      LayoutAttempt draft = task.draft(plan);
      std::optional<MappedKernel> kernel = build(task, draft, earlier);
      if (!kernel) {
        problem = draft.problem;
        if (!draft.again) break;
        plan = draft.next;
        continue;
      }
      const size_t cells_now = kernel->grid.cells.size();
      if (!best || kernel->grid.cells.size() < best->grid.cells.size()) {
        best = std::move(kernel);
        stats.late = plan.late;
        stats.feeds = draft.feeds;
      }
      // A little further south the strips may find better places.
      if (!task.stamps.any() || cells_now > best->grid.cells.size() * 21 / 20) break;
      --more;
      ++plan.corner_rows;
      plan.no_strips.clear();
    }
  }
  return best;
}

}  // namespace

MappedKernel map_bit_serial_detour(const std::string& name, const BitSerialForm& form, uint32_t input_bits, const Defects& defects,
                                   DetourStats* stats) {
  const MappedKernel plain = map_bit_serial(name, form, input_bits);
  Task task{name, form, input_bits, defects, plain.grid.width * 2 + 40, plain.grid.height * 2 + 20, strip_stamps(form, true)};
  std::string problem = "no layout was tried";
  DetourStats counted;
  std::optional<MappedKernel> best = smallest(task, counted, problem);
  if (!best && task.stamps.copy_late > 0) {
    task.stamps = strip_stamps(form, false);
    best = smallest(task, counted, problem);
  }
  if (stats) *stats = counted;
  if (best) return std::move(*best);
  throw Error("kernel " + name,
              fmt::format("no layout of {} inputs x {} outputs goes around the {} bad cells and {} bad edges: {}", form.columns.size(),
                          form.groups.size(), defects.cells.size(), defects.edges.size(), problem),
              "use a tile with fewer defects there, or cut the layer into smaller kernels");
}

}  // namespace bitgrid::mapping
