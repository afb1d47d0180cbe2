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

/// Counts finished positions aloud.
struct Count {
  const ScaledCheckParams& params;
  std::string engine;
  size_t done = 0;

  size_t total() const {
    size_t sum = 0;
    for (const auto& window : params.windows) sum += window.size() - 1;
    return sum;
  }
  void next() { params.progress(fmt::format("{}: position {} of {}", engine, ++done, total())); }
};

/// The values of an engine at each position of a piece of text.
std::vector<Values> values_of(const engines::ScaledRunner& runner, std::span<const int> piece) {
  std::vector<Values> got;
  const auto keep = [&](const std::string& name, const std::vector<int64_t>& values) {
    if (got.empty() || got.back().by_name.contains(name)) got.emplace_back();
    got.back().keep(name, values);
  };
  runner.feed(
      piece, true, [&](size_t, const cpu::ScaledLogits& z) { got.back().keep_unit(z); }, keep);
  got.resize(piece.size());
  return got;
}

/// Every value that an engine computes, against the definition's. Engines of kernels take a window at once; others take a token at a time,
/// so that the values of a large model fit memory.
ScaledEngineCheck check_values(const engines::Engine& engine, engines::ScaledSource& source, const ScaledCheckParams& params,
                               std::optional<ScaledMismatch>& first) {
  ScaledEngineCheck check = {engine.name, 0, 0};
  Count count{params, engine.name};
  engines::ScaledRunParams run{params.cache, params.threads};
  run.dataflow = params.dataflow;
  run.progress = run.step_progress = [&](const std::string& line) { params.progress(engine.name + ": " + line); };
  const engines::ScaledRunner runner = engine.of_scaled(source, run);
  const cpu::ScaledEngine definition(source.integers(), {params.cache, {cpu::SumKernel::kDefinition, params.threads}});
  for (const auto& window : params.windows) {
    runner.restart();
    cpu::ScaledState state = definition.start();
    const std::span<const int> text = std::span(window).first(window.size() - 1);
    const size_t piece = engine.of_kernels != nullptr ? text.size() : 1;
    for (size_t at = 0; at < text.size(); at += piece) {
      const std::vector<Values> got = values_of(runner, text.subspan(at, piece));
      for (size_t i = 0; i < piece; ++i) {
        Values expected;
        const auto keep = [&](const std::string& name, const std::vector<int64_t>& values) { expected.keep(name, values); };
        expected.keep_unit(definition.step(state, text[at + i], true, keep));
        if (engine.of_kernels != nullptr)  // their tensors have other names where the definition shows one head only
          std::erase_if(expected.order,
                        [](const std::string& name) { return name.ends_with("self_attn.t") || name.ends_with("self_attn.weights"); });
        compare(expected, got[i], count.done, check, first);
        count.next();
      }
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

/// A yardstick's probabilities against those of the integers.
FloatComparison compare_probabilities(const engines::Engine& engine, engines::ScaledSource& source, const ScaledCheckParams& params) {
  FloatComparison sums;
  Count count{params, engine.name};
  engines::ScaledRunParams run{params.cache, params.threads};
  run.dataflow = params.dataflow;
  const engines::ScaledRunner integers = engines::integer_runner(source, run);
  const engines::ScaledRunner floats = engine.of_scaled(source, {{}, params.threads});
  for (const auto& window : params.windows) {
    integers.restart();
    floats.restart();
    for (size_t i = 0; i + 1 < window.size(); ++i) {
      add_position(engines::step(floats, window[i]), engines::step(integers, window[i]), window[i + 1], sums);
      count.next();
    }
  }
  const double n = static_cast<double>(std::max<size_t>(sums.positions, 1));
  for (double* sum : {&sums.bits_per_token, &sums.bits_per_token_cpu, &sums.kl_mean, &sums.argmax_agreement}) *sum /= n;
  return sums;
}

}  // namespace

uint64_t ScaledCheckReport::mismatches() const {
  uint64_t sum = 0;
  for (const ScaledEngineCheck& e : engines) sum += e.mismatches;
  return sum;
}

ScaledCheckReport check_scaled(engines::ScaledSource& source, const ScaledCheckParams& params) {
  for (const engines::Engine* engine : params.engines) engines::require_scaled(*engine, "--engines");
  ScaledCheckReport report;
  for (const auto& window : params.windows) report.positions += window.size() - 1;
  for (const engines::Engine* engine : params.engines) {
    if (engine->exact) {
      report.engines.push_back(check_values(*engine, source, params, report.first));
    } else {
      report.floats.emplace_back(engine->name, compare_probabilities(*engine, source, params));
    }
  }
  return report;
}

std::vector<int> window_to_check(engines::ScaledSource& source, std::vector<int> tokens, size_t positions,
                                 const engines::ScaledRunParams& params) {
  if (tokens.empty()) throw Error("--prompt", "the prompt has no tokens", "give a prompt, or --text");
  engines::ScaledRunner runner = engines::integer_runner(source, params);
  cpu::ScaledLogits z;
  for (size_t i = 0; i < std::min(tokens.size(), positions); ++i) z = engines::step(runner, tokens[i]);
  while (tokens.size() <= positions) {
    const auto next = static_cast<int>(std::max_element(z.values.begin(), z.values.end()) - z.values.begin());
    tokens.push_back(next);
    if (tokens.size() <= positions) z = engines::step(runner, next);
  }
  tokens.resize(positions + 1);
  return tokens;
}

}  // namespace bitgrid::check
