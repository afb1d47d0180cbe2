#include "check/check_scaled.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engines/text_score.h"
#include "ir/error.h"

namespace bitgrid::check {

namespace {

double real(Scalar s) {
  return std::ldexp(static_cast<double>(s.m), static_cast<int>(s.e));
}

using Values = std::map<std::string, std::vector<int64_t>>;

/// Counts elements that differ, and keeps the first.
void compare(const Values& expected, const Values& got, size_t position, ScaledCheckReport& report) {
  for (const auto& [name, values] : expected) {
    const auto it = got.find(name);
    for (size_t i = 0; i < values.size(); ++i) {
      ++report.compared;
      const bool there = it != got.end() && i < it->second.size();
      if (there && it->second[i] == values[i]) continue;
      ++report.mismatches;
      if (!report.first) report.first = ScaledMismatch{position, name, i, values[i], there ? it->second[i] : 0};
    }
  }
}

/// Adds one position to sums that are divided later.
void add_position(const cpu::ScaledLogits& floats, const cpu::ScaledLogits& integers, int next, FloatComparison& sums) {
  const std::vector<double> p = engines::log_probabilities(floats.values, real(floats.unit));
  const std::vector<double> q = engines::log_probabilities(integers.values, real(integers.unit));
  double kl = 0.0;
  for (size_t i = 0; i < p.size(); ++i) kl += std::exp(p[i]) * (p[i] - q[i]);
  const auto best = [](const std::vector<int64_t>& z) { return std::max_element(z.begin(), z.end()) - z.begin(); };
  const auto n = static_cast<size_t>(next);
  ++sums.positions;
  sums.bits_per_token -= p[n] / std::log(2.0);
  sums.bits_per_token_cpu -= q[n] / std::log(2.0);
  sums.kl_mean += kl;
  sums.kl_max = std::max(sums.kl_max, kl);
  sums.argmax_agreement += best(floats.values) == best(integers.values) ? 1.0 : 0.0;
}

}  // namespace

ScaledCheckReport check_scaled(engines::ScaledSource& source, const ScaledCheckParams& params) {
  bool with_cpu = false, with_float = false;
  for (const engines::Engine* engine : params.engines) {
    if (engine->of_scaled == nullptr)
      throw Error("--engines", "engine " + engine->name + " does not run models with scales",
                  "choose from " + engines::scaled_engine_names());
    with_cpu = with_cpu || engine->name == "cpu";
    with_float = with_float || engine->name == "float";
  }
  const cpu::ScaledEngine fast(source.integers(), {params.cache, {cpu::SumKernel::kFast, params.threads}});
  const cpu::ScaledEngine definition(source.integers(), {params.cache, {cpu::SumKernel::kDefinition, params.threads}});
  engines::ScaledRunner floats;
  if (with_float) floats = engines::float_runner(source, {{}, params.threads});
  ScaledCheckReport report;
  FloatComparison sums;
  size_t total = 0;
  for (const auto& window : params.windows) total += window.size() - 1;
  for (const auto& window : params.windows) {
    cpu::ScaledState state = fast.start(), defined = definition.start();
    if (with_float) floats.restart();
    for (size_t i = 0; i + 1 < window.size(); ++i) {
      Values got, expected;
      const auto keep = [](Values& into) {
        return [&into](const std::string& name, const std::vector<int64_t>& values) { into[name] = values; };
      };
      const cpu::ScaledLogits z = fast.step(state, window[i], true, with_cpu ? cpu::ScaledTrace(keep(got)) : nullptr);
      if (with_cpu) {
        definition.step(defined, window[i], true, keep(expected));
        compare(expected, got, report.positions, report);
      }
      if (with_float) add_position(engines::step(floats, window[i]), z, window[i + 1], sums);
      ++report.positions;
      params.progress(fmt::format("position {} of {}", report.positions, total));
    }
  }
  if (with_float && sums.positions > 0) {
    const double n = static_cast<double>(sums.positions);
    for (double* sum : {&sums.bits_per_token, &sums.bits_per_token_cpu, &sums.kl_mean, &sums.argmax_agreement}) *sum /= n;
    report.floats = sums;
  }
  return report;
}

}  // namespace bitgrid::check
