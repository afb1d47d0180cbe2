// Measures how well a model predicts a text, in bits of the tokens that followed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bitgrid::engines {

/// Returns the natural logarithms of softmax(values * unit).
std::vector<double> log_probabilities(std::span<const int64_t> values, double unit);

/// Returns -log2 of the probability of `token`.
double bits_of(std::span<const int64_t> values, double unit, int token);

/// Cuts the text into windows of `window` tokens that do not overlap (the last one may have fewer, but at least two); 0: one window.
std::vector<std::span<const int>> windows_of(std::span<const int> tokens, size_t window);

}  // namespace bitgrid::engines
