// How well a model predicts a text.
#pragma once

#include <string>

#include "ir/model.h"
#include "reference_cpu/engine.h"

namespace bitgrid::engines {

/// Mean of -log2 p over the characters 2 .. n of a text in the model's vocabulary, streaming from an empty state, p = softmax(z *
/// logit_scale). Throws Error if the text has fewer than two characters, has one outside the vocabulary, or if the model states no logit
/// scale.
double bits_per_character(const Model& model, const std::string& text, const cpu::CpuParams& params = {});

}  // namespace bitgrid::engines
