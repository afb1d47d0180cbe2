#include "bitgrid_sim/port_feed.h"

#include <algorithm>
#include <array>

#include "ir/dag_eval.h"

namespace bitgrid::sim {

PortFeed::PortFeed(const KernelSchedule& schedule, const BitMatrix& inputs, size_t first, size_t count)
    : schedule_(schedule),
      count_(static_cast<int64_t>(count)),
      column_words_((count + 63) / 64),
      columns_(column_words_ * 64 * inputs.stride) {
  std::array<uint64_t, 64> square;
  for (size_t rows = 0; rows < column_words_; ++rows) {
    for (size_t word = 0; word < inputs.stride; ++word) {
      for (size_t i = 0; i < 64; ++i) {
        const size_t row = 64 * rows + i;
        square[i] = row < count ? inputs.words[(first + row) * inputs.stride + word] : 0;
      }
      transpose64(square.data());
      for (size_t i = 0; i < 64; ++i) columns_[(64 * word + i) * column_words_ + rows] = square[i];
    }
  }
  first_group_.push_back(0);
  for (size_t r = 0; r + 1 < schedule.inputs.first.size(); ++r)
    first_group_.push_back(first_group_[r] + (schedule.inputs.first[r + 1] - schedule.inputs.first[r] + 63) / 64);
  fed_.resize(64 * first_group_.back());
}

/// A column's bits for 64 invocations; bits of invocations that do not exist rest.
uint64_t PortFeed::column_word(uint32_t bit, int64_t invocation) const {
  const uint64_t rest = schedule_.resting.get(0, bit) ? ~uint64_t{0} : 0;
  if (invocation >= count_ || invocation <= -64) return rest;
  const int64_t word = floor_div(invocation, 64);
  const auto shift = static_cast<unsigned>(invocation - 64 * word);
  const auto at = [&](int64_t w) {
    return w >= 0 && w < static_cast<int64_t>(column_words_) ? columns_[bit * column_words_ + static_cast<size_t>(w)] : 0;
  };
  const uint64_t bits = shift == 0 ? at(word) : at(word) >> shift | at(word + 1) << (64 - shift);
  uint64_t valid = ~uint64_t{0};
  if (invocation < 0) valid &= ~uint64_t{0} << -invocation;
  if (invocation + 64 > count_) valid &= ~uint64_t{0} >> (invocation + 64 - count_);
  return (bits & valid) | (rest & ~valid);
}

void PortFeed::load(int64_t block) {
  for (size_t r = 0; r + 1 < first_group_.size(); ++r) {
    for (size_t group = first_group_[r]; group < first_group_[r + 1]; ++group) {
      const size_t event = schedule_.inputs.first[r] + 64 * (group - first_group_[r]);
      const size_t events = std::min<size_t>(64, schedule_.inputs.first[r + 1] - event);
      uint64_t* square = &fed_[64 * group];
      for (size_t i = 0; i < 64; ++i) {
        if (i >= events) {
          square[i] = 0;
          continue;
        }
        const KernelSchedule::Event& e = schedule_.inputs.events[event + i];
        square[i] = column_word(e.bit, 64 * block - e.age);
      }
      transpose64(square);
    }
  }
  block_ = block;
  loaded_ = true;
}

}  // namespace bitgrid::sim
