#include "lowering/mapping/matrix/strip_stamps.h"

#include <algorithm>
#include <utility>

#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

/// Sums of two words a group and nothing else.
bool adds_words(const BitSerialForm& form) {
  return form.columns.empty() && form.raw_bits > 0 && !form.clamp && !form.sign &&
         std::all_of(form.groups.begin(), form.groups.end(),
                     [](const RowGroup& g) { return g.residual && g.planes[0].start_word && g.planes.size() == 1; });
}

/// One word a group, which goes through a strip.
bool passes_words(const BitSerialForm& form) {
  return form.columns.empty() && form.raw_bits == 0 && (form.clamp || form.strip_constant != 0) &&
         std::all_of(form.groups.begin(), form.groups.end(),
                     [](const RowGroup& g) { return g.residual && g.planes[0].start == 0 && !g.planes[0].start_word; });
}

}  // namespace

std::vector<const StripStamp*> StripStamps::chain(int group) const {
  std::vector<const StripStamp*> stamps;
  if (add) stamps.push_back(&*add);
  if (constant) stamps.push_back(&*constant);
  if (!multipliers.empty()) stamps.push_back(&multipliers[index_of(group)]);
  if (clamp) stamps.push_back(&*clamp);
  return stamps;
}

int StripStamps::rows() const {
  int rows = 0;
  for (const StripStamp* s : chain(0)) rows += s->rows;
  return rows;
}

int StripStamps::phases() const {
  int phases = 0;
  for (const StripStamp* s : chain(0)) phases += s->delay + 1;
  return phases;
}

int StripStamps::result_slot() const {
  int slot = 0;
  for (const StripStamp* s : chain(0)) slot += s->slot_shift;
  return slot;
}

std::vector<Lane> StripStamps::lanes() const {
  std::vector<Lane> lanes;
  int row = 0, phase = 0;
  for (const StripStamp* s : chain(0)) {
    for (const Lane& lane : s->lanes) lanes.push_back({row + lane.row, phase + lane.phase, lane.slots});
    row += s->rows;
    phase += s->delay + 1;
  }
  return lanes;
}

StripStamps strip_stamps(const BitSerialForm& form, CornerUse corner, int multipliers) {
  StripStamps stamps;
  const bool residual = std::any_of(form.groups.begin(), form.groups.end(), [](const RowGroup& g) { return g.residual.has_value(); });
  const bool constant = form.strip_constant != 0;
  stamps.adds_start_words = adds_words(form);
  stamps.words_only = stamps.adds_start_words || passes_words(form);
  const bool in_corner = corner == CornerUse::kAll || (corner == CornerUse::kAroundClamp && form.clamp && !form.multiply);
  if (!stamps.words_only) {
    stamps.adds_word = residual && in_corner;
    stamps.adds_constant = constant && in_corner && !form.multiply && (residual || corner == CornerUse::kAll);
  }
  stamps.adds_border_constant = stamps.words_only && constant;
  if (stamps.adds_start_words || stamps.adds_border_constant || (residual && !stamps.words_only && !in_corner))
    stamps.add = add_words_stamp(!stamps.words_only && form.raw_bits > 0 && (form.clamp || constant || form.multiply));
  if (constant && !stamps.adds_constant && !stamps.adds_border_constant)
    stamps.constant = add_constant_stamp(form.strip_constant, form.word_slots);
  for (int g = 0; form.multiply && g < std::min(multipliers, count_of(form.groups)); ++g) {
    const RowGroup& group = form.groups[index_of(g)];
    stamps.multipliers.push_back(multiply_stamp(group.multiplier, group.multiplier_constant, form.word_slots));
  }
  if (form.clamp) {
    const bool copy_in_corner = in_corner && !stamps.words_only && !form.multiply;
    FlatClamp clamp =
        flat_clamp({form.word_slots, form.clamp->shift, form.clamp->sign, form.clamp->width, form.clamp->low}, !copy_in_corner);
    stamps.clamp = std::move(clamp.stamp);
    stamps.feeds = std::move(clamp.feeds);
    if (copy_in_corner) stamps.copy_late = clamp.copy_late;
  }
  stamps.any = stamps.adds_constant || !stamps.chain(0).empty();
  return stamps;
}

}  // namespace bitgrid::mapping
