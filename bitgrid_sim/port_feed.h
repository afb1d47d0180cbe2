// Which input ports carry 1 in which phase, for a batch of invocations that enter back to back. A wide array takes thousands of bits per
// invocation, each with an age of its own: they are brought into the order of the phases 64 invocations at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "bitgrid_sim/kernel_schedule.h"
#include "ir/bits.h"

namespace bitgrid::sim {

class PortFeed {
 public:
  /// Of invocations first .. first + count - 1 of `inputs`. Keeps a reference to the schedule.
  PortFeed(const KernelSchedule& schedule, const BitMatrix& inputs, size_t first, size_t count);

  /// Calls drive(port) for the input ports that carry 1 in phase r of a turn, where turn 0 begins with phase 0 of the first invocation.
  template <typename Drive>
  void drive(int64_t turn, size_t r, Drive drive) {
    const int64_t block = floor_div(turn, 64);
    if (block != block_ || !loaded_) load(block);
    const auto in_block = static_cast<size_t>(turn - 64 * block);
    for (size_t group = first_group_[r]; group < first_group_[r + 1]; ++group) {
      const size_t event = schedule_.inputs.first[r] + 64 * (group - first_group_[r]);
      for (uint64_t ones = fed_[64 * group + in_block]; ones != 0; ones &= ones - 1)
        drive(schedule_.inputs.events[event + static_cast<size_t>(__builtin_ctzll(ones))].port);
    }
  }

 private:
  void load(int64_t block);
  uint64_t column_word(uint32_t bit, int64_t invocation) const;

  const KernelSchedule& schedule_;
  int64_t count_;
  size_t column_words_;              // of 64 invocations
  std::vector<uint64_t> columns_;    // bits of each column, by invocation
  std::vector<size_t> first_group_;  // of 64 events, by phase
  std::vector<uint64_t> fed_;        // of each group: a word per turn of the block
  int64_t block_ = 0;
  bool loaded_ = false;
};

}  // namespace bitgrid::sim
