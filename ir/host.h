// The host of a Program: moves bits between kernels, memory and ring buffers. It adds, multiplies and compares nothing of the model.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ir/program.h"

namespace bitgrid {

/// What the host keeps between tokens.
struct HostState {
  int64_t position = 0;                       // of the next token
  std::vector<int> tokens;                    // of the last positions, newest last (as many as the largest age)
  std::vector<std::vector<uint64_t>> caches;  // [cache][slot * count + channel]
};

/// Invocations of a step, in order of position, then repetition. Columns are those of the Dag's inputs.
struct StepBatch {
  BitMatrix inputs;     // a row for each invocation, without resident inputs
  BitMatrix residents;  // those, a row for each position
};

/// With the resident inputs in every row: what the kernel's Dag takes. Invocations first .. first + count - 1.
BitMatrix joined(const Dag& dag, const StepBatch& batch, size_t first, size_t count);
BitMatrix joined(const Dag& dag, const StepBatch& batch);
/// The Dag's outputs, a few thousand invocations at a time.
BitMatrix evaluate(const Dag& dag, const StepBatch& batch);

/// Runs a batch of invocations of step `step`, and of those behind it that share its stage and kernel, and returns the output bits, a row
/// for each.
using StepRunner = std::function<BitMatrix(int step, const StepBatch& batch)>;

/// Codes of every tensor at every position of a batch.
struct HostTrace {
  int positions = 0;
  std::vector<std::vector<uint64_t>> codes;  // [tensor][position * count + channel]

  uint64_t at(const Program& program, int tensor, int position, int channel) const {
    const auto t = static_cast<size_t>(tensor);
    return codes[t][static_cast<size_t>(position) * static_cast<size_t>(program.tensors[t].count) + static_cast<size_t>(channel)];
  }
};

/// The last position <= now that lives in ring slot `slot` of a window; negative: never written.
constexpr int64_t position_of_slot(int64_t now, int slot, int window) {
  return now - ((now - slot) % window + window) % window;
}

HostState initial_state(const Program& program);

/// Runs all steps for consecutive tokens. All positions of a step are one batch, so that the kernels run back to back (a position sees keys
/// and values up to itself only); so are steps of one stage and kernel, unless it has resident inputs. Advances the state.
HostTrace run_tokens(const Program& program, HostState& state, const std::vector<int>& tokens, const StepRunner& runner);

/// Values of the logits at a position of the batch.
std::vector<int64_t> logits(const Program& program, const HostTrace& trace, int position);

}  // namespace bitgrid
