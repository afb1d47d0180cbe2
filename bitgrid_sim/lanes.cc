#include "bitgrid_sim/lanes.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>

#include "ir/error.h"

namespace bitgrid::sim {

LaneGrid::LaneGrid(LaneProgram program, size_t lanes, SimdTarget target) : program_(std::move(program)), lane_words_(lanes / 64) {
  if (lanes != 64 && lanes != 512) throw Error("lanes simulator", "a word has 64 or 512 lanes", "choose one of them");
  functions_ = lane_functions(resolve_target(target), lane_words_);
  driven_ = program_.driven;
  std::sort(driven_.begin(), driven_.end());
  driven_.erase(std::unique(driven_.begin(), driven_.end()), driven_.end());
  state_.resize(size_t{program_.words} * lane_words_);
  next_.resize(program_.lines.size());
  reset();
}

void LaneGrid::reset() {
  std::fill(state_.begin(), state_.end(), 0);
  for (uint64_t& word : net(LaneProgram::kOnesNet)) word = ~uint64_t{0};
}

void LaneGrid::randomise(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto first = state_.begin() + static_cast<ptrdiff_t>(size_t{program_.first_edge} * lane_words_);
  std::generate(first, state_.begin() + static_cast<ptrdiff_t>(size_t{program_.nets} * lane_words_), std::ref(random));
  for (const DelayLine& line : program_.lines)
    std::generate_n(state_.begin() + static_cast<ptrdiff_t>(size_t{line.first} * lane_words_), size_t{line.depth} * lane_words_,
                    std::ref(random));
}

/// Bits leave delay lines and enter them. Rings are scattered, so that they are asked for ahead.
template <size_t kWords>
void LaneGrid::move_lines(int colour) {
  constexpr size_t kAhead = 8;
  const auto word = [&](uint32_t index) { return state_.data() + size_t{index} * kWords; };
  const auto oldest = [&](uint32_t line) { return word(program_.lines[line].first + next_[line]); };
  const std::vector<uint32_t>&leaving = program_.leaving[colour], &entering = program_.entering[colour];
  for (size_t i = 0; i < leaving.size(); ++i) {
    if (i + kAhead < leaving.size()) {
      __builtin_prefetch(oldest(leaving[i + kAhead]));
      __builtin_prefetch(word(program_.lines[leaving[i + kAhead]].out), 1);
    }
    std::memcpy(word(program_.lines[leaving[i]].out), oldest(leaving[i]), kWords * sizeof(uint64_t));
  }
  for (size_t i = 0; i < entering.size(); ++i) {
    if (i + kAhead < entering.size()) {
      __builtin_prefetch(oldest(entering[i + kAhead]), 1);
      __builtin_prefetch(word(program_.lines[entering[i + kAhead]].in));
    }
    const uint32_t line = entering[i];
    std::memcpy(oldest(line), word(program_.lines[line].in), kWords * sizeof(uint64_t));
    if (++next_[line] == program_.lines[line].depth) next_[line] = 0;
  }
}

void LaneGrid::step(int phase) {
  for (const LaneProgram::Run& run : program_.runs[phase & 1])
    functions_[run.op](state_.data(), program_.code.data() + run.first, run.count);
  if (lane_words_ == 8)
    move_lines<8>(phase & 1);
  else
    move_lines<1>(phase & 1);
  for (const uint32_t port : driven_) std::fill_n(state_.data() + size_t{port} * lane_words_, lane_words_, 0);
}

GridState LaneGrid::state(size_t lane) const {
  GridState state(program_.width, program_.height);
  for (size_t e = 0; e < program_.edges.size(); ++e) {
    if (program_.edges[e] == LaneProgram::kNone) continue;
    const uint64_t bit = (net(program_.edges[e])[lane / 64] >> (lane % 64)) & 1u;
    state.outputs[e / 4] = static_cast<uint8_t>(state.outputs[e / 4] | bit << (e % 4));
  }
  return state;
}

}  // namespace bitgrid::sim
