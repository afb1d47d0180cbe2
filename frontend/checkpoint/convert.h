// Turns a checkpoint into the integers of a ScaledModel. This is the only step with floating point. docs/numerics.md, "Models with scales",
// gives every formula.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "frontend/checkpoint/checkpoint.h"
#include "ir/scaled_model.h"

namespace bitgrid::frontend {

struct ConvertParams {
  size_t context = 0;  // positions; 0: the model's own, at most 4096
  int threads = 1;
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

/// Returns the number of positions to provide. `wanted` 0 means those of the graph, at most 4096.
size_t context_of(const GraphConfig& graph, size_t wanted);

/// Returns why the checkpoint's graph cannot run: its own refusal, or tensors that are missing, have another shape, do not have one or two
/// bits, or would be left out by the graph. It reads no weights.
std::optional<Refusal> find_refusal(const Checkpoint& checkpoint);

/// Throws Error for `find_refusal`, for a context beyond the model's, and for weights that do not match the description of their tensor.
/// The model keeps the files open, because rows of the embedding are read in place.
ScaledModel convert(const std::shared_ptr<const Checkpoint>& checkpoint, const ConvertParams& params = {});

/// Cosines and sines of a graph, [context][head_width / 2] each, and what rotary scaling does to the attention scale.
struct RotaryTables {
  std::vector<int16_t> cosine, sine;  // 14 fraction bits
  double attention_factor = 1.0;
};
RotaryTables rotary_tables(const GraphConfig& graph, size_t context);
/// Returns the frequency of pair i in radians per position.
std::vector<double> rotary_frequencies(const GraphConfig& graph);

/// Returns the tables that depend only on the width of a head, and `softmax`.
ScaledTables function_tables(size_t head_width, double attention_factor);

}  // namespace bitgrid::frontend
