// Runs many independent stimuli of one grid at once by executing a LaneProgram. Bit l of every word is lane l.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bitgrid_sim/aligned.h"
#include "bitgrid_sim/lane_ops.h"
#include "bitgrid_sim/lane_program.h"
#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/target.h"

namespace bitgrid::sim {

class LaneGrid {
 public:
  /// `lanes`: 64 or 512. Throws Error if this machine lacks the requested instructions.
  explicit LaneGrid(LaneProgram program, size_t lanes = 512, SimdTarget target = SimdTarget::kAuto);

  const LaneProgram& program() const { return program_; }
  size_t lanes() const { return 64 * lane_words_; }
  size_t lane_words() const { return lane_words_; }

  /// Returns the words of a net: lanes() bits. Driven ports keep what is written until the next step and are 0 again after it. Variables
  /// keep their value.
  std::span<uint64_t> net(uint32_t net) { return {state_.data() + size_t{net} * lane_words_, lane_words_}; }
  std::span<const uint64_t> net(uint32_t net) const { return {state_.data() + size_t{net} * lane_words_, lane_words_}; }

  /// Runs one phase: the cells of the phase's colour latch.
  void step(int phase);

  /// Returns the latched outputs of one lane. Outputs that are not observable show 0.
  GridState state(size_t lane) const;
  /// Sets all latches, driven ports and variables to 0, as at the start.
  void reset();
  /// Sets the observable latches to random bits, different ones in each lane. Only for programs that allow any start.
  void randomise(uint64_t seed);

 private:
  template <size_t kWords>
  void move_lines(int colour);

  LaneProgram program_;
  size_t lane_words_ = 0;
  const LaneFunction* functions_ = nullptr;
  std::vector<uint32_t> driven_;  // each net once
  AlignedVector<uint64_t> state_;
  std::vector<uint32_t> next_;  // of each delay line: the oldest word of its ring
};

}  // namespace bitgrid::sim
