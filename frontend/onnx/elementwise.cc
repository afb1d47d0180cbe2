#include "frontend/onnx/elementwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bitgrid::frontend::onnx {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

std::string place_of(const NodeProblem& p) {
  return fmt::format("node {} ({}){}{}", p.node, p.op, p.where.empty() ? "" : ", ", p.where);
}

std::string text_of(const NodeProblem& p) {
  return fmt::format("{}: {}; expected {}; {}", place_of(p), p.found, p.expected, p.cure);
}

void apply(const Elementwise& e, size_t c, std::span<double> xs) {
  const auto each = [&](const auto& f) {
    for (double& x : xs) x = f(x);
  };
  std::visit(Overloaded{
                 [&](const Affine& a) {
                   const double mean = of_channel(a.mean, c), deviation = of_channel(a.deviation, c), gain = of_channel(a.gain, c),
                                bias = of_channel(a.bias, c);
                   each([=](double x) { return (x - mean) / deviation * gain + bias; });
                 },
                 [&](const AddStep& s) { each([by = of_channel(s.by, c)](double x) { return x + by; }); },
                 [&](const MultiplyStep& s) { each([by = of_channel(s.by, c)](double x) { return x * by; }); },
                 [&](const DivideStep& s) { each([by = of_channel(s.by, c)](double x) { return x / by; }); },
                 [&](const SubtractFromStep& s) { each([from = of_channel(s.from, c)](double x) { return from - x; }); },
                 [&](const ClipStep& s) { each([lo = s.lo, hi = s.hi](double x) { return std::min(std::max(x, lo), hi); }); },
                 [&](const SignStep&) { each([](double x) { return x > 0.0   ? 1.0
                                                                   : x < 0.0 ? -1.0
                                                                             : 0.0; }); },
                 [&](const QuantStep& s) {
                   const double scale = of_channel(s.scale, c), zero = of_channel(s.zero, c);
                   each([=, &s](double x) { return quant_value(quant_code(s.codes, x, scale, zero), scale, zero); });
                 },
                 [&](const BipolarStep& s) { each([scale = of_channel(s.scale, c)](double x) { return x >= 0.0 ? scale : -scale; }); },
                 [&](const CountStep& s) {
                   const auto first = s.at.begin() + static_cast<std::ptrdiff_t>(s.at.size() == s.levels ? 0 : c * s.levels);
                   const auto last = first + static_cast<std::ptrdiff_t>(s.levels);
                   each([&](double x) { return s.scale * static_cast<double>(std::upper_bound(first, last, x) - first) + s.bias; });
                 },
             },
             e.step);
}

double apply(const std::vector<Elementwise>& chain, size_t channel, double x) {
  for (const Elementwise& e : chain) apply(e, channel, std::span(&x, 1));
  return x;
}

bool is_quantiser(const Elementwise& e) {
  return std::holds_alternative<QuantStep>(e.step) || std::holds_alternative<BipolarStep>(e.step) ||
         std::holds_alternative<CountStep>(e.step) || std::holds_alternative<SignStep>(e.step);
}

std::vector<double> quantised_values(const Elementwise& e, size_t c) {
  std::vector<double> values;
  if (const auto* q = std::get_if<QuantStep>(&e.step)) {
    const double scale = of_channel(q->scale, c), zero = of_channel(q->zero, c);
    for (double code = q->codes.lo; code <= q->codes.hi; code += q->codes.sign ? 2.0 : 1.0)
      values.push_back(quant_value(code, scale, zero));
  } else if (const auto* b = std::get_if<BipolarStep>(&e.step)) {
    values = {-of_channel(b->scale, c), of_channel(b->scale, c)};
  } else if (const auto* m = std::get_if<CountStep>(&e.step)) {
    for (size_t n = 0; n <= m->levels; ++n) values.push_back(m->scale * static_cast<double>(n) + m->bias);
  } else {
    values = {-1.0, 0.0, 1.0};
  }
  std::sort(values.begin(), values.end());
  return values;
}

std::optional<Line> line_of(const Elementwise& e, size_t c) {
  if (const auto* a = std::get_if<Affine>(&e.step)) {
    const double gain = of_channel(a->gain, c) / of_channel(a->deviation, c);
    return Line{gain, of_channel(a->bias, c) - of_channel(a->mean, c) * gain};
  }
  if (const auto* s = std::get_if<AddStep>(&e.step)) return Line{1.0, of_channel(s->by, c)};
  if (const auto* s = std::get_if<MultiplyStep>(&e.step)) return Line{of_channel(s->by, c), 0.0};
  if (const auto* s = std::get_if<DivideStep>(&e.step)) return Line{1.0 / of_channel(s->by, c), 0.0};
  if (const auto* s = std::get_if<SubtractFromStep>(&e.step)) return Line{-1.0, of_channel(s->from, c)};
  return std::nullopt;
}

size_t spread_of(const Elementwise& e) {
  return std::visit(Overloaded{
                        [](const Affine& a) {
                          return std::max({a.mean.size(), a.deviation.size(), a.gain.size(), a.bias.size()});
                        },
                        [](const AddStep& s) { return s.by.size(); },
                        [](const MultiplyStep& s) { return s.by.size(); },
                        [](const DivideStep& s) { return s.by.size(); },
                        [](const SubtractFromStep& s) { return s.from.size(); },
                        [](const ClipStep&) { return size_t{1}; },
                        [](const SignStep&) { return size_t{1}; },
                        [](const QuantStep& s) { return std::max(s.scale.size(), s.zero.size()); },
                        [](const BipolarStep& s) { return s.scale.size(); },
                        [](const CountStep& s) { return s.at.size() / s.levels; },
                    },
                    e.step);
}

size_t different_channels(const std::vector<Elementwise>& chain, size_t channels) {
  return std::all_of(chain.begin(), chain.end(), [](const Elementwise& e) { return spread_of(e) == 1; }) ? 1 : channels;
}

int direction_of(const Elementwise& e, size_t c) {
  if (const auto line = line_of(e, c)) return line->gain < 0.0 ? -1 : 1;
  if (const auto* m = std::get_if<CountStep>(&e.step)) return m->scale < 0.0 ? -1 : 1;
  if (const auto* b = std::get_if<BipolarStep>(&e.step)) return of_channel(b->scale, c) < 0.0 ? -1 : 1;
  return 1;
}

std::optional<Channels> narrowed(const Channels& values, size_t channels) {
  if (values.size() == 1 || values.size() == channels) return values;
  const size_t each = values.size() / channels;
  Channels out;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % each == 0) out.push_back(values[i]);
    if (values[i] != out.back()) return std::nullopt;
  }
  return out;
}

std::optional<Channels> across_channels(const Constant& k, size_t dimensions, size_t channels) {
  if (k.values.size() == 1) return k.values;
  if (k.values.size() != channels || k.shape.size() > dimensions) return std::nullopt;
  // Dimensions count from the last one; the channels are dimension 1 of the tensor.
  const size_t channel_from_end = dimensions - 1;
  if (k.shape.size() < channel_from_end) return std::nullopt;
  if (static_cast<size_t>(k.shape[k.shape.size() - channel_from_end]) != channels) return std::nullopt;
  return k.values;
}

}  // namespace bitgrid::frontend::onnx
