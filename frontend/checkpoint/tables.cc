// Tables of models with scales: rotary positions, softmax, sigmoid, sampling.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "frontend/checkpoint/convert.h"
#include "frontend/checkpoint/fixed.h"
#include "ir/error.h"

namespace bitgrid::frontend {

namespace {

constexpr int kRotaryBits = 14;

/// YaRN (arXiv 2309.00071): slow pairs are interpolated, fast ones are not, with a ramp between.
void apply_yarn(const RopeScaling& s, double theta, std::vector<double>& frequencies) {
  const double half = static_cast<double>(frequencies.size()), dimensions = 2.0 * half;
  const auto pair_of = [&](double turns) {
    return dimensions * std::log(s.original_context / (turns * 2.0 * std::numbers::pi)) / (2.0 * std::log(theta));
  };
  const double low = std::max(std::floor(pair_of(s.beta_fast)), 0.0);
  double high = std::min(std::ceil(pair_of(s.beta_slow)), dimensions - 1.0);
  if (high == low) high += 0.001;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] = frequencies[i] / s.factor * ramp + frequencies[i] * (1.0 - ramp);
  }
}

/// Llama 3.1's scaling: long waves are stretched, short ones are not, with a ramp between.
void apply_llama3(const RopeScaling& s, std::vector<double>& frequencies) {
  for (double& f : frequencies) {
    const double wave = 2.0 * std::numbers::pi / f;
    if (wave < s.original_context / s.high_frequency_factor) continue;
    const double smooth = (s.original_context / wave - s.low_frequency_factor) / (s.high_frequency_factor - s.low_frequency_factor);
    const bool is_long = wave > s.original_context / s.low_frequency_factor;
    f = is_long ? f / s.factor : (1.0 - smooth) * f / s.factor + smooth * f;
  }
}

}  // namespace

std::vector<double> rotary_frequencies(const GraphConfig& graph) {
  std::vector<double> frequencies;
  for (uint64_t i = 0; i < graph.head_width / 2; ++i)
    frequencies.push_back(std::pow(graph.rope_theta, -static_cast<double>(2 * i) / static_cast<double>(graph.head_width)));
  for (size_t i = 0; i < graph.rope_factors.size(); ++i) frequencies[i] /= graph.rope_factors[i];
  if (!graph.rope_scaling) return frequencies;
  const RopeScaling& s = *graph.rope_scaling;
  if (s.type == "yarn")
    apply_yarn(s, graph.rope_theta, frequencies);
  else if (s.type == "llama3")
    apply_llama3(s, frequencies);
  else if (s.type == "linear")
    for (double& f : frequencies) f /= s.factor;
  else
    throw Error("rotary positions", "the scaling '" + s.type + "' is unknown", "use a checkpoint with yarn, llama3, linear or none");
  return frequencies;
}

RotaryTables rotary_tables(const GraphConfig& graph, size_t context) {
  RotaryTables tables;
  const std::vector<double> frequencies = rotary_frequencies(graph);
  const auto entry = [](double v) { return static_cast<int16_t>(half_up(std::ldexp(v, kRotaryBits))); };
  for (size_t t = 0; t < context; ++t) {
    for (const double f : frequencies) {
      tables.cosine.push_back(entry(std::cos(static_cast<double>(t) * f)));
      tables.sine.push_back(entry(std::sin(static_cast<double>(t) * f)));
    }
  }
  if (graph.rope_scaling && graph.rope_scaling->type == "yarn") {
    const RopeScaling& s = *graph.rope_scaling;
    tables.attention_factor = s.attention_factor > 0.0 ? s.attention_factor : s.factor <= 1.0 ? 1.0 : 0.1 * std::log(s.factor) + 1.0;
  }
  return tables;
}

ScaledTables function_tables(size_t head_width, double attention_factor) {
  ScaledTables tables;
  const auto whole = [](double v) { return static_cast<int32_t>(half_up(v)); };
  for (int i = 0; i < 16; ++i) tables.exponential.push_back(whole(4095.0 * std::exp2(-i / 16.0)));
  for (int i = 0; i < 256; ++i) tables.sigmoid.push_back(whole(4096.0 / (1.0 + std::exp(-i / 32.0))));
  tables.sigmoid.back() = 4096;
  for (int i = 0; i < 4096; ++i) tables.sampling.push_back(whole(65535.0 * std::exp(-i / 256.0)));
  const double hd = static_cast<double>(head_width);
  tables.softmax = constant(std::numbers::log2e * 16.0 / std::sqrt(hd) * attention_factor * attention_factor);
  tables.one_over_127 = constant(1.0 / 127.0);
  for (const double step : {2.0, 1.248, 0.7345, 0.4201}) tables.mean_step.push_back(constant(step / hd));
  return tables;
}

}  // namespace bitgrid::frontend
