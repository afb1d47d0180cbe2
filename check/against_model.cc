#include "check/against_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "check/array_mistakes.h"
#include "ir/index.h"
#include "reference_cpu/engine.h"
#include "reference_cpu/golden.h"

namespace bitgrid::check {
namespace {

using TracedRows = std::map<std::string, ExactValues>;  // of all positions, one after another

/// Names of a layer in the order of computation, and of the model.
constexpr const char* kOfLayer[] = {"input", "query", "key", "value", "attention", "mix", "hidden", "stream"};

/// A traced tensor as an activation of sums: of a matrix times another tensor, or of that tensor itself.
struct TracedStep {
  const Activation* activation = nullptr;
  const Matrix* matrix = nullptr;  // nullptr: none
  std::string operand;
};

std::map<std::string, TracedStep> steps_of(const Model& model) {
  std::map<std::string, TracedStep> steps;
  const auto add_linear = [&](const std::string& name, const Linear& l, const std::string& operand) {
    if (!l.table) steps[name] = {&l.activation, &l.weights, operand};
  };
  std::string stream = "embedding";
  for (size_t n = 0; n < model.layers.size(); ++n) {
    const std::string name = fmt::format("layers.{}.", n), input = name + "input";
    if (const auto* a = std::get_if<Attention>(&model.layers[n])) {
      steps[input] = {&a->input, nullptr, stream};
      add_linear(name + "query", a->query, input);
      add_linear(name + "key", a->key, input);
      add_linear(name + "value", a->value, input);
    } else if (const auto* f = std::get_if<FeedForward>(&model.layers[n])) {
      steps[input] = {&f->input, nullptr, stream};
      add_linear(name + "hidden", f->up, input);
    } else {
      const auto& d = std::get<Dense>(model.layers[n]);
      const bool has_input = !std::holds_alternative<std::monostate>(d.input);
      if (has_input) steps[input] = {&d.input, nullptr, stream};
      add_linear(name + "stream", d.linear, has_input ? input : stream);
    }
    stream = name + "stream";
  }
  steps["head.input"] = {&model.head.input, nullptr, stream};
  return steps;
}

/// Of all positions.
ExactValues step_sums(const TracedStep& step, const TracedRows& rows, size_t positions) {
  const ExactValues& x = rows.at(step.operand);
  if (step.matrix == nullptr) return x;
  const auto width = static_cast<std::ptrdiff_t>(x.size() / positions);
  ExactValues all;
  for (auto row = x.begin(); row != x.end(); row += width) {
    const ExactValues u = cpu::golden::linear(*step.matrix, ExactValues(row, row + width));
    all.insert(all.end(), u.begin(), u.end());
  }
  return all;
}

int64_t of_channel(const std::vector<int32_t>& values, size_t channel, int64_t absent) {
  return values.empty() ? absent : values[values.size() == 1 ? 0 : channel];
}

/// The value of a sum by the constants of a channel, rounded in a way of its own.
template <typename Round>
int64_t requantised(const Requantise& r, int64_t u, size_t channel, Round round) {
  const int64_t product = (u + of_channel(r.bias, channel, 0)) * of_channel(r.multiplier, channel, 1);
  return std::clamp<int64_t>(r.shift <= 0 ? product * (int64_t{1} << -r.shift) : round(product, r.shift), r.lo, r.hi);
}

int64_t half_up(int64_t v, int shift) {
  return (v + (int64_t{1} << (shift - 1))) >> shift;
}
int64_t half_even(int64_t v, int shift) {
  const int64_t up = half_up(v, shift), half = int64_t{1} << (shift - 1);
  return (v & (2 * half - 1)) == half && (up & 1) != 0 ? up - 1 : up;
}
int64_t half_away(int64_t v, int shift) {
  return v < 0 ? -half_up(-v, shift) : half_up(v, shift);
}
int64_t down(int64_t v, int shift) {
  return v >> shift;
}
int64_t towards_zero(int64_t v, int shift) {
  return v < 0 ? -(-v >> shift) : v >> shift;
}

template <typename F>
ExactValues each_sum(const ExactValues& sums, size_t width, F f) {
  ExactValues out;
  for (size_t i = 0; i < sums.size(); ++i) out.push_back(f(sums[i], i % width));
  return out;
}

std::vector<Mistake> mistakes_of(const Activation& activation, const ExactValues& sums, size_t width) {
  std::vector<Mistake> mistakes;
  const auto add = [&](const std::string& text, auto f) { mistakes.push_back({text, each_sum(sums, width, f)}); };
  if (const auto* sign = std::get_if<Sign>(&activation)) {
    add("a sum of 0 gives -1; expected 1", [&](int64_t u, size_t c) { return u + of_channel(sign->bias, c, 0) > 0 ? 1 : -1; });
    add("its values are 0 and 1; expected -1 and 1", [&](int64_t u, size_t c) { return u + of_channel(sign->bias, c, 0) >= 0 ? 1 : 0; });
    add("the bias is left out", [&](int64_t u, size_t) { return u >= 0 ? 1 : -1; });
  }
  if (const auto* r = std::get_if<Requantise>(&activation)) {
    add("it rounds halves to even; expected halves up", [&](int64_t u, size_t c) { return requantised(*r, u, c, half_even); });
    add("it rounds halves away from 0; expected halves up", [&](int64_t u, size_t c) { return requantised(*r, u, c, half_away); });
    add("it rounds down: the half is not added before the shift", [&](int64_t u, size_t c) { return requantised(*r, u, c, down); });
    add("it rounds towards 0, as a division does; expected halves up",
        [&](int64_t u, size_t c) { return requantised(*r, u, c, towards_zero); });
    for (const int bits : {8, 16})
      add(fmt::format("its sums wrap at int{}", bits), [&](int64_t u, size_t c) { return requantised(*r, wrapped(u, bits), c, half_up); });
    for (const int bits : {8, 16})
      add(fmt::format("it wraps at int{} where expected values stop at {} and {}", bits, r->lo, r->hi), [&](int64_t u, size_t c) {
        Requantise wide = *r;
        wide.lo = INT32_MIN, wide.hi = INT32_MAX;
        return wrapped(requantised(wide, u, c, half_up), bits);
      });
    Requantise plain = *r;
    plain.bias.clear();
    add("the bias is left out", [&](int64_t u, size_t c) { return requantised(plain, u, c, half_up); });
  }
  return mistakes;
}

int64_t activated(const Activation& activation, int64_t u, size_t channel) {
  if (const auto* r = std::get_if<Requantise>(&activation)) return requantised(*r, u, channel, half_up);
  if (const auto* s = std::get_if<Sign>(&activation)) return u + of_channel(s->bias, channel, 0) >= 0 ? 1 : -1;
  return u;
}

}  // namespace

std::vector<ExactArray> exact_arrays(const Model& model, const std::vector<int>& tokens) {
  const cpu::CpuEngine engine(model, {cpu::CpuParams::Kernels::kGolden});
  cpu::CpuState state = engine.start();
  const auto rows = std::make_shared<TracedRows>();
  for (const int token : tokens) {
    cpu::Trace trace;
    engine.step(state, token, &trace);
    for (const auto& [name, values] : trace) (*rows)[name].insert((*rows)[name].end(), values.begin(), values.end());
  }
  std::vector<std::string> names = {"embedding"};
  for (size_t n = 0; n < model.layers.size(); ++n)
    for (const char* name : kOfLayer) names.push_back(fmt::format("layers.{}.{}", n, name));
  names.insert(names.end(), {"head.input", "logits"});
  const std::map<std::string, TracedStep> steps = steps_of(model);
  std::vector<ExactArray> arrays;
  for (const std::string& name : names) {
    const auto it = rows->find(name);
    if (it == rows->end()) continue;
    const size_t width = it->second.size() / tokens.size();
    ExactArray array{name, {}, {int_of(width), 1, 1}, it->second};
    if (const auto step = steps.find(name); step != steps.end() && !std::holds_alternative<std::monostate>(*step->second.activation)) {
      const auto sums = std::make_shared<ExactValues>(step_sums(step->second, *rows, tokens.size()));
      array.mistakes = [activation = step->second.activation, sums, width] { return mistakes_of(*activation, *sums, width); };
      array.with_channel = [activation = step->second.activation, sums](size_t at, size_t other) {
        return activated(*activation, (*sums)[at], other);
      };
      array.constants = "multipliers and biases";
    }
    arrays.push_back(std::move(array));
  }
  return arrays;
}

}  // namespace bitgrid::check
