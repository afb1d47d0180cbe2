#include "reference_cpu/engine.h"

#include <algorithm>
#include <cmath>

#include "ir/error.h"
#include "reference_cpu/golden.h"

namespace bitgrid::cpu {

namespace {

void note(Trace* trace, const std::string& name, const std::vector<int64_t>& values) {
  if (trace != nullptr) (*trace)[name] = values;
}

std::vector<const Matrix*> matrices(const Model& model) {
  std::vector<const Matrix*> out;
  for (const Layer& layer : model.layers) {
    if (const auto* a = std::get_if<Attention>(&layer)) {
      for (const Linear* l : {&a->query, &a->key, &a->value, &a->output}) out.push_back(&l->weights);
    } else if (const auto* f = std::get_if<FeedForward>(&layer)) {
      for (const Linear* l : {&f->up, &f->down}) out.push_back(&l->weights);
    } else if (const auto* d = std::get_if<Dense>(&layer)) {
      out.push_back(&d->linear.weights);
    }
  }
  out.push_back(&model.head.weights);
  return out;
}

/// `count` values from `first` on.
golden::Vec part(const golden::Vec& v, size_t first, size_t count) {
  const auto begin = v.begin() + static_cast<std::ptrdiff_t>(first);
  return golden::Vec(begin, begin + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

CpuEngine::CpuEngine(const Model& model, const CpuParams& params) : model_(model) {
  verify(model);
  if (params.kernels != CpuParams::Kernels::kPacked) return;
  for (const Matrix* m : matrices(model)) packed_.emplace(m, pack(*m));
}

CpuState CpuEngine::start() const {
  CpuState state;
  size_t width = static_cast<size_t>(model_.width);
  for (const Layer& layer : model_.layers) {
    KeyValueRing ring;
    if (const auto* a = std::get_if<Attention>(&layer)) {
      ring.keys.assign(static_cast<size_t>(a->window) * width, 0);
      ring.values = ring.keys;
    }
    if (const auto* d = std::get_if<Dense>(&layer)) width = static_cast<size_t>(d->linear.weights.outputs);
    state.rings.push_back(std::move(ring));
  }
  return state;
}

std::vector<int64_t> CpuEngine::sums(const Matrix& weights, const Vec& x) const {
  const auto it = packed_.find(&weights);
  return it == packed_.end() ? golden::linear(weights, x) : cpu::linear(it->second, pack(x));
}

std::vector<int64_t> CpuEngine::linear(const Linear& l, const Vec& x) const {
  const Vec y = golden::activation(sums(l.weights, x), l.activation);
  return l.table ? golden::table(y, *l.table) : y;
}

std::vector<int64_t> CpuEngine::attention(const Attention& a, KeyValueRing& ring, int64_t position, const Vec& x, const std::string& name,
                                          Trace* trace) const {
  const Vec in = golden::activation(x, a.input);
  const Vec q = linear(a.query, in), k = linear(a.key, in), v = linear(a.value, in);
  const size_t width = x.size(), window = static_cast<size_t>(a.window), heads = static_cast<size_t>(a.heads), size = width / heads;
  const size_t now = static_cast<size_t>(position) % window;
  std::copy(k.begin(), k.end(), ring.keys.begin() + static_cast<std::ptrdiff_t>(now * width));
  std::copy(v.begin(), v.end(), ring.values.begin() + static_cast<std::ptrdiff_t>(now * width));

  const size_t filled = static_cast<size_t>(std::min<int64_t>(position + 1, a.window));
  Vec weights(heads * window, 0), mixed;
  for (size_t h = 0; h < heads; ++h) {
    const Vec query = part(q, h * size, size);
    Vec scores;
    std::vector<Vec> values;
    for (size_t distance = 0; distance < filled; ++distance) {
      const size_t at = ((now + window - distance) % window) * width + h * size;
      const int64_t bias = a.position.empty() ? 0 : a.position[h * window + distance];
      scores.push_back(golden::score(query, part(ring.keys, at, size), bias));
      values.push_back(part(ring.values, at, size));
    }
    const Vec e = golden::threshold_weights(scores, a.score);
    for (size_t distance = 0; distance < filled; ++distance) weights[h * window + (now + window - distance) % window] = e[distance];
    const Vec o = golden::mix(e, values, size);
    mixed.insert(mixed.end(), o.begin(), o.end());
  }
  const Vec mix = golden::activation(mixed, a.mix);
  note(trace, name + "input", in);
  note(trace, name + "query", q);
  note(trace, name + "key", k);
  note(trace, name + "value", v);
  note(trace, name + "attention", weights);
  note(trace, name + "mix", mix);
  return golden::residual(x, linear(a.output, mix));
}

std::vector<int64_t> CpuEngine::feed_forward(const FeedForward& f, const Vec& x, const std::string& name, Trace* trace) const {
  const Vec in = golden::activation(x, f.input);
  const Vec hidden = linear(f.up, in);
  note(trace, name + "input", in);
  note(trace, name + "hidden", hidden);
  return golden::residual(x, linear(f.down, hidden));
}

std::vector<int64_t> CpuEngine::dense(const Dense& d, const Vec& x, const std::string& name, Trace* trace) const {
  const Vec in = golden::activation(x, d.input);
  if (!std::holds_alternative<std::monostate>(d.input)) note(trace, name + "input", in);
  return linear(d.linear, in);
}

std::vector<int64_t> CpuEngine::step(CpuState& state, int token, Trace* trace) const {
  if (token < 0 || static_cast<size_t>(token) >= model_.vocabulary.size()) {
    throw Error(model_.name, "there is no token " + std::to_string(token), "use 0 .. " + std::to_string(model_.vocabulary.size() - 1));
  }
  state.history.insert(state.history.begin(), token);
  state.history.resize(std::min(state.history.size(), model_.embedding.tables.size()));
  Vec x = golden::embedding(model_.embedding, model_.width, state.history);
  note(trace, "embedding", x);
  for (size_t n = 0; n < model_.layers.size(); ++n) {
    const std::string name = "layers." + std::to_string(n) + ".";
    const Layer& layer = model_.layers[n];
    if (const auto* a = std::get_if<Attention>(&layer))
      x = attention(*a, state.rings[n], state.position, x, name, trace);
    else if (const auto* f = std::get_if<FeedForward>(&layer))
      x = feed_forward(*f, x, name, trace);
    else
      x = dense(std::get<Dense>(layer), x, name, trace);
    note(trace, name + "stream", x);
  }
  const Vec y = golden::activation(x, model_.head.input);
  if (!std::holds_alternative<std::monostate>(model_.head.input)) note(trace, "head.input", y);
  Vec z = sums(model_.head.weights, y);
  for (size_t i = 0; i < z.size() && !model_.head.bias.empty(); ++i) z[i] += model_.head.bias[i];
  note(trace, "logits", z);
  ++state.position;
  return z;
}

}  // namespace bitgrid::cpu
