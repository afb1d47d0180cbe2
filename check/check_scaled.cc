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

/// What a trace was told, in that order: the first difference is then where it arose.
struct Values {
  std::vector<std::string> order;
  std::map<std::string, std::vector<int64_t>> by_name;

  void keep(const std::string& name, const std::vector<int64_t>& values) {
    order.push_back(name);
    by_name[name] = values;
  }
  /// What the logits count: traces are not told.
  void keep_unit(const cpu::ScaledLogits& logits) { keep("unit of the logits", {logits.unit.m, logits.unit.e}); }
};

/// Counts elements that differ, and keeps the first of all engines.
void compare(const Values& expected, const Values& got, size_t position, ScaledEngineCheck& check, std::optional<ScaledMismatch>& first) {
  for (const std::string& name : expected.order) {
    const std::vector<int64_t>& values = expected.by_name.at(name);
    const auto it = got.by_name.find(name);
    for (size_t i = 0; i < values.size(); ++i) {
      ++check.compared;
      const bool there = it != got.by_name.end() && i < it->second.size();
      if (there && it->second[i] == values[i]) continue;
      ++check.mismatches;
      if (!first) first = ScaledMismatch{check.engine, position, name, i, values[i], there ? it->second[i] : 0};
    }
  }
}

/// The definition's values at each position of a window.
std::vector<Values> defined_values(const cpu::ScaledEngine& definition, const std::vector<int>& window) {
  std::vector<Values> all(window.size() - 1);
  cpu::ScaledState state = definition.start();
  for (size_t i = 0; i < all.size(); ++i)
    all[i].keep_unit(definition.step(state, window[i], true,
                                     [&](const std::string& name, const std::vector<int64_t>& values) { all[i].keep(name, values); }));
  return all;
}

/// A window on an engine that runs kernels: each position's values under the names of the definition. Its tensors have other names where
/// the definition shows one head only.
ScaledEngineCheck check_kernels(const engines::Engine& engine, engines::ScaledSource& source, const ScaledCheckParams& params,
                                const cpu::ScaledEngine& definition, std::optional<ScaledMismatch>& first) {
  ScaledEngineCheck check = {engine.name, 0, 0};
  const auto say = [&](const std::string& line) { params.progress(engine.name + ": " + line); };
  engines::ScaledRunParams run;
  run.cache = params.cache;
  run.progress = run.step_progress = say;
  const engines::ScaledRunner runner = engine.of_scaled(source, run);
  size_t position = 0;
  for (const auto& window : params.windows) {
    runner.restart();
    std::vector<Values> got;
    const auto keep = [&](const std::string& name, const std::vector<int64_t>& values) {
      if (got.empty() || got.back().by_name.contains(name)) got.emplace_back();
      got.back().keep(name, values);
    };
    runner.feed(
        std::span(window).first(window.size() - 1), true, [&](size_t, const cpu::ScaledLogits& z) { got.back().keep_unit(z); }, keep);
    const std::vector<Values> expected = defined_values(definition, window);
    got.resize(expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      Values all = expected[i];
      std::erase_if(all.order,
                    [](const std::string& name) { return name.ends_with("self_attn.t") || name.ends_with("self_attn.weights"); });
      compare(all, got[i], position++, check, first);
    }
  }
  return check;
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

bool ScaledCheckReport::ok() const {
  return mismatches == 0 && std::all_of(kernels.begin(), kernels.end(), [](const ScaledEngineCheck& e) { return e.mismatches == 0; });
}

ScaledCheckReport check_scaled(engines::ScaledSource& source, const ScaledCheckParams& params) {
  bool with_cpu = false, with_float = false;
  std::vector<const engines::Engine*> others;
  for (const engines::Engine* engine : params.engines) {
    if (engine->of_scaled == nullptr)
      throw Error("--engines", "engine " + engine->name + " does not run models with scales",
                  "choose from " + engines::scaled_engine_names());
    with_cpu = with_cpu || engine->name == "cpu";
    with_float = with_float || engine->name == "float";
    if (engine->of_kernels != nullptr) others.push_back(engine);
  }
  const cpu::ScaledEngine fast(source.integers(), {params.cache, {cpu::SumKernel::kFast, params.threads}});
  const cpu::ScaledEngine definition(source.integers(), {params.cache, {cpu::SumKernel::kDefinition, params.threads}});
  engines::ScaledRunner floats;
  if (with_float) floats = engines::float_runner(source, {{}, params.threads});
  ScaledCheckReport report;
  ScaledEngineCheck packed = {"cpu", 0, 0};
  FloatComparison sums;
  size_t total = 0;
  for (const auto& window : params.windows) total += window.size() - 1;
  for (const auto& window : params.windows) {
    cpu::ScaledState state = fast.start(), defined = definition.start();
    if (with_float) floats.restart();
    for (size_t i = 0; i + 1 < window.size(); ++i) {
      Values got, expected;
      const auto keep = [](Values& into) {
        return [&into](const std::string& name, const std::vector<int64_t>& values) { into.keep(name, values); };
      };
      const cpu::ScaledLogits z = fast.step(state, window[i], true, with_cpu ? cpu::ScaledTrace(keep(got)) : nullptr);
      if (with_cpu) {
        got.keep_unit(z);
        expected.keep_unit(definition.step(defined, window[i], true, keep(expected)));
        compare(expected, got, report.positions, packed, report.first);
      }
      if (with_float) add_position(engines::step(floats, window[i]), z, window[i + 1], sums);
      ++report.positions;
      params.progress(fmt::format("position {} of {}", report.positions, total));
    }
  }
  report.compared = packed.compared;
  report.mismatches = packed.mismatches;
  for (const engines::Engine* engine : others) report.kernels.push_back(check_kernels(*engine, source, params, definition, report.first));
  if (with_float && sums.positions > 0) {
    const double n = static_cast<double>(sums.positions);
    for (double* sum : {&sums.bits_per_token, &sums.bits_per_token_cpu, &sums.kl_mean, &sums.argmax_agreement}) *sum /= n;
    report.floats = sums;
  }
  return report;
}

}  // namespace bitgrid::check
