#include "lowering/mapping/matrix/bit_serial.h"

#include <algorithm>
#include <cassert>

#include "ir/kernel_defects.h"
#include "lowering/mapping/matrix/detour_plan.h"
#include "lowering/mapping/matrix/lay_plan.h"
#include "lowering/mapping/matrix/regular_plan.h"

namespace bitgrid::mapping {
namespace {

/// Every partial sum stays within 0 .. 2^P - 1: the word-serial carries have no reset.
[[maybe_unused]] bool sums_fit(const BitSerialForm& form) {
  const int64_t limit = int64_t{1} << form.word_slots;
  for (const RowGroup& group : form.groups) {
    int64_t total = group.residual ? static_cast<int64_t>(group.residual->max << group.residual->shift) : 0;
    int64_t scale = int64_t{1} << (group.planes.size() - 1);
    for (const PlaneRow& row : group.planes) {
      int64_t low = row.start_word ? 0 : row.start, high = row.start_word ? static_cast<int64_t>(row.start_word->max) : row.start;
      if (row.start_word) low = int64_t{1} << 40;  // the lowering keeps input words above their guard (it knows their smallest value)
      for (size_t c = 0; c < form.columns.size(); ++c) {
        const auto x = static_cast<int64_t>(form.columns[c].max << form.columns[c].shift);
        const int lo = row.residents.empty() ? row.weights[c] : std::min(row.residents[c].zero, row.residents[c].one);
        const int hi = row.residents.empty() ? row.weights[c] : std::max(row.residents[c].zero, row.residents[c].one);
        if (lo < 0) low -= x;
        if (hi > 0) high += x;
      }
      if (low < 0) return false;
      total += scale * high;
      scale /= 2;
    }
    if (total >= limit) return false;
  }
  return true;
}

}  // namespace

MappedKernel map_bit_serial(const std::string& name, const BitSerialForm& form, uint32_t input_bits, const Defects& defects) {
  assert(!form.groups.empty() && form.word_slots > 0 && sums_fit(form));
  MappedKernel kernel = lay_plan(name, form, input_bits, regular_plan(form));
  if (!first_defect_used(kernel, defects)) return kernel;
  return lay_plan(name, form, input_bits, detour_plan(name, form, defects));
}

}  // namespace bitgrid::mapping
