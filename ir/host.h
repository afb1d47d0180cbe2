// The host of a Program moves bits between kernels, memory and ring buffers. It does none of the model's arithmetic or comparisons.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ir/program.h"

namespace bitgrid {

/// The state that the host keeps between tokens.
struct HostState {
  int64_t position = 0;                       // of the next token
  std::vector<int> tokens;                    // of the last positions, newest last; as many as the largest age
  std::vector<std::vector<uint64_t>> caches;  // [cache][slot * count + channel]
};

/// The invocations of a step, in order of position, then repetition. The columns are those of the Dag's inputs.
struct StepBatch {
  BitMatrix inputs;     // a row for each invocation, without resident inputs
  BitMatrix residents;  // the resident inputs, a row for each position
};

/// Returns invocations first .. first + count - 1 with the resident inputs in every row, as the kernel's Dag takes them.
BitMatrix joined(const Dag& dag, const StepBatch& batch, size_t first, size_t count);
BitMatrix joined(const Dag& dag, const StepBatch& batch);
/// The inverse: every invocation at its own position.
StepBatch split(const Dag& dag, const BitMatrix& rows);
/// Returns the Dag's outputs. It evaluates a few thousand invocations at a time.
BitMatrix evaluate(const Dag& dag, const StepBatch& batch);

/// Runs a batch of invocations of step `step`, and of the steps after it that share its stage and kernel. Returns a row of output bits for
/// each invocation.
using StepRunner = std::function<BitMatrix(int step, const StepBatch& batch)>;

/// The codes of every tensor at every position of a batch.
struct HostTrace {
  int positions = 0;
  std::vector<std::vector<uint64_t>> codes;  // [tensor][position * count + channel]

  uint64_t at(const Program& program, int tensor, int position, int channel) const {
    const auto t = static_cast<size_t>(tensor);
    return codes[t][static_cast<size_t>(position) * static_cast<size_t>(program.tensors[t].count) + static_cast<size_t>(channel)];
  }
};

/// Returns the last position <= now that occupies ring slot `slot` of a window. Negative: the slot was never written.
constexpr int64_t position_of_slot(int64_t now, int slot, int window) {
  return now - ((now - slot) % window + window) % window;
}

HostState initial_state(const Program& program);

/// Runs all steps for consecutive tokens and advances the state. All positions of a step form one batch, so that a kernel's invocations run
/// back to back; a position sees only keys and values up to itself. Steps with the same stage and kernel share a batch, unless the kernel
/// has resident inputs.
HostTrace run_tokens(const Program& program, HostState& state, const std::vector<int>& tokens, const StepRunner& runner);

/// Returns the values of the logits at a position of the batch.
std::vector<int64_t> logits(const Program& program, const HostTrace& trace, int position);

}  // namespace bitgrid
