// How well a model predicts a text: bits of the tokens that followed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bitgrid::engines {

/// Natural logarithms of softmax(values * unit).
std::vector<double> log_probabilities(std::span<const int64_t> values, double unit);

/// -log2 of the probability of `token`.
double bits_of(std::span<const int64_t> values, double unit, int token);

/// The text cut into windows that do not overlap, of `window` tokens (the last one may have fewer, two at least); 0: one window.
std::vector<std::span<const int>> windows_of(std::span<const int> tokens, size_t window);

}  // namespace bitgrid::engines
