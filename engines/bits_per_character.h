// Measures how well a model predicts a text.
#pragma once

#include <string>

#include "ir/model.h"
#include "reference_cpu/engine.h"

namespace bitgrid::engines {

/// Returns the mean of -log2 p over characters 2 .. n of a text in the model's vocabulary, streaming from an empty state, with p =
/// softmax(z * logit_scale). Throws Error if the text has fewer than two characters or a character outside the vocabulary, or if the model
/// states no logit scale.
double bits_per_character(const Model& model, const std::string& text, const cpu::CpuParams& params = {});

}  // namespace bitgrid::engines
