#include "engines/sampling.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "ir/error.h"
#include "ir/number.h"
#include "reference_cpu/golden.h"

namespace bitgrid::engines {

namespace {

std::optional<double> parsed(const std::string& s) {
  return parse_real(s, 0, std::numeric_limits<double>::max());
}

}  // namespace

Sampler greedy_sampler() {
  return {};
}

Sampler temperature_sampler(const Model& model, const std::string& temperature, uint32_t seed) {
  const std::optional<double> wanted = parsed(temperature);
  std::string listed;
  for (const SamplingTable& t : model.sampling) {
    if (wanted && parsed(t.temperature) == wanted) return {t, seed};
    listed += (listed.empty() ? "" : ", ") + t.temperature;
  }
  throw Error("temperature " + temperature, model.name + " has no sampling table for it",
              listed.empty() ? "leave the temperature out: this model has no tables" : "use one of " + listed + ", or none for greedy");
}

int next_token(Sampler& sampler, const std::vector<int64_t>& logits) {
  if (!sampler.table) return cpu::golden::argmax(logits);
  sampler.state = cpu::golden::next_random(sampler.state);
  return cpu::golden::draw(logits, sampler.table->weights, sampler.state);
}

namespace {

/// Sets all weights to 0 but those that top-k and top-p keep.
void keep_likeliest(const ScaledSampler& sampler, const std::vector<int64_t>& z, std::vector<int64_t>& weights) {
  const bool some = sampler.top_k > 0 && static_cast<size_t>(sampler.top_k) < z.size();
  if (!some && sampler.top_p >= 1U << 16) return;
  std::vector<size_t> order(z.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return z[a] != z[b] ? z[a] > z[b] : a < b; });
  size_t kept = some ? static_cast<size_t>(sampler.top_k) : z.size();
  if (sampler.top_p < 1U << 16) {
    int64_t all = 0, run = 0;
    for (size_t i = 0; i < kept; ++i) all += weights[order[i]];
    for (size_t i = 0; i < kept; ++i) {
      run += weights[order[i]];
      if ((run << 16) >= all * sampler.top_p) {
        kept = i + 1;
        break;
      }
    }
  }
  for (size_t i = kept; i < order.size(); ++i) weights[order[i]] = 0;
}

}  // namespace

int next_token(ScaledSampler& sampler, const cpu::ScaledLogits& logits, const std::vector<int32_t>& table) {
  const std::vector<int64_t>& z = logits.values;
  const auto best = std::max_element(z.begin(), z.end());
  if (sampler.per_temperature.m == 0) return static_cast<int>(best - z.begin());
  const Scalar step = shifted(multiply(logits.unit, sampler.per_temperature), 8);
  std::vector<int64_t> weights(z.size());
  const auto most = static_cast<int64_t>(table.size()) - 1;
  for (size_t i = 0; i < z.size(); ++i) {
    const int64_t behind = *best - z[i];
    const bool far = bit_length(behind) + kScalarBits + step.e > 40;  // and may need more than 62 bits
    weights[i] = table[static_cast<size_t>(behind != 0 && far ? most : std::clamp<int64_t>(scaled(behind, step), 0, most))];
  }
  keep_likeliest(sampler, z, weights);
  sampler.state = cpu::golden::next_random(sampler.state);
  uint64_t sum = 0, running = 0;
  for (const int64_t w : weights) sum += static_cast<uint64_t>(w);
  const uint64_t r = ((sampler.state >> 8) * sum) >> 24;
  for (size_t i = 0; i < weights.size(); ++i) {
    running += static_cast<uint64_t>(weights[i]);
    if (running > r) return static_cast<int>(i);
  }
  return static_cast<int>(best - z.begin());  // not reached: r < sum
}

}  // namespace bitgrid::engines
