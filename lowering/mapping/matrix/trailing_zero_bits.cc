#include "lowering/mapping/matrix/trailing_zero_bits.h"

#include <algorithm>

#include "ir/index.h"

namespace bitgrid::mapping {

BitSerialForm drop_trailing_zero_bits(BitSerialForm form) {
  const bool simple = form.sign && form.raw_bits == 0 && form.strip_constant == 0 && !form.multiply && !form.columns.empty() &&
                      std::all_of(form.groups.begin(), form.groups.end(),
                                  [](const RowGroup& g) { return g.planes.size() == 1 && !g.residual && !g.planes[0].start_word; });
  if (!simple) return form;
  const uint32_t idle =
      std::min_element(form.columns.begin(), form.columns.end(), [](const Word& a, const Word& b) { return a.shift < b.shift; })->shift;
  // start + 2^idle * sum >= 2^(P - 1) exactly if (start >> idle) + sum >= 2^(P - 1 - idle); partial sums stay >= 0 for the same reason.
  for (Word& w : form.columns) w.shift -= idle;
  for (RowGroup& g : form.groups) g.planes[0].start >>= idle;
  form.word_slots -= int_of(idle);
  return form;
}

}  // namespace bitgrid::mapping
