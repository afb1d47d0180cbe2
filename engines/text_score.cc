#include "engines/text_score.h"

#include <algorithm>
#include <cmath>

namespace bitgrid::engines {

namespace {

/// log of the sum of exp((value - top) * unit).
double log_sum(std::span<const int64_t> values, int64_t top, double unit) {
  double sum = 0.0;
  for (const int64_t z : values) sum += std::exp(static_cast<double>(z - top) * unit);
  return std::log(sum);
}

}  // namespace

std::vector<double> log_probabilities(std::span<const int64_t> values, double unit) {
  const int64_t top = *std::max_element(values.begin(), values.end());
  const double sum = log_sum(values, top, unit);
  std::vector<double> out;
  out.reserve(values.size());
  for (const int64_t z : values) out.push_back(static_cast<double>(z - top) * unit - sum);
  return out;
}

double bits_of(std::span<const int64_t> values, double unit, int token) {
  const int64_t top = *std::max_element(values.begin(), values.end());
  return (log_sum(values, top, unit) - static_cast<double>(values[static_cast<size_t>(token)] - top) * unit) / std::log(2.0);
}

std::vector<std::span<const int>> windows_of(std::span<const int> tokens, size_t window) {
  if (window == 0) window = tokens.size();
  std::vector<std::span<const int>> out;
  for (size_t i = 0; i < tokens.size(); i += window) {
    const std::span<const int> part = tokens.subspan(i, std::min(window, tokens.size() - i));
    if (part.size() >= 2) out.push_back(part);
  }
  return out;
}

}  // namespace bitgrid::engines
