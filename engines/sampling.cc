#include "engines/sampling.h"

#include <limits>

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

}  // namespace bitgrid::engines
