// From a checkpoint to the integers of a ScaledModel: the only step with floating point. docs/numerics.md, "Models with scales", gives
// every formula.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "frontend/checkpoint/checkpoint.h"
#include "ir/scaled_model.h"

namespace bitgrid::frontend {

struct ConvertParams {
  size_t context = 0;  // positions; 0: the model's own, 4096 at most
  int threads = 1;
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

/// Positions that fit where `wanted` asks for them; 0: those of the graph, 4096 at most.
size_t context_of(const GraphConfig& graph, size_t wanted);

/// Why the checkpoint's graph cannot run: its own refusal, or tensors that are missing, of another shape, not of one or two bits, or that
/// the graph would leave out. Looks at no weight.
std::optional<Refusal> find_refusal(const Checkpoint& checkpoint);

/// Throws Error for `find_refusal`, for a context beyond the model's, and for weights that are not what their tensor says. The model keeps
/// the files open: rows of the embedding are read where they lie.
ScaledModel convert(const std::shared_ptr<const Checkpoint>& checkpoint, const ConvertParams& params = {});

/// Cosines and sines of a graph, [context][head_width / 2] each, and what rotary scaling makes of the attention's scale.
struct RotaryTables {
  std::vector<int16_t> cosine, sine;  // 14 fraction bits
  double attention_factor = 1.0;
};
RotaryTables rotary_tables(const GraphConfig& graph, size_t context);
/// Turns a position of pair i in radians per position.
std::vector<double> rotary_frequencies(const GraphConfig& graph);

/// The tables that depend on the width of a head only, and `softmax`.
ScaledTables function_tables(size_t head_width, double attention_factor);

}  // namespace bitgrid::frontend
