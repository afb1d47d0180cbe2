#include "reference_cpu/scaled/float_engine.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "ir/error.h"

namespace bitgrid::cpu {

namespace {

using Vec = std::vector<double>;

Vec norm_of(std::span<const double> x, const Vec& gain, double eps) {
  double sum = 0.0;
  for (const double v : x) sum += v * v;
  const double factor = 1.0 / std::sqrt(sum / static_cast<double>(x.size()) + eps);
  Vec y(x.begin(), x.end());
  for (size_t i = 0; i < y.size(); ++i) y[i] *= factor * gain[i];
  return y;
}

/// Int8 with one scale, rounded half to even, as values.
Vec quantised(Vec x) {
  double largest = 1e-5;
  for (const double v : x) largest = std::max(largest, std::abs(v));
  const double scale = 127.0 / largest;
  for (double& v : x) v = std::clamp(std::nearbyint(v * scale), -128.0, 127.0) / scale;
  return x;
}

void rotate_head(std::span<double> head, const Vec& cosine, const Vec& sine, bool interleaved) {
  const size_t half = head.size() / 2;
  for (size_t c = 0; c < half; ++c) {
    double& x = head[interleaved ? 2 * c : c];
    double& y = head[interleaved ? 2 * c + 1 : c + half];
    const double turned = x * cosine[c] - y * sine[c];
    y = y * cosine[c] + x * sine[c];
    x = turned;
  }
}

void multiply_by(Vec& x, const Vec& gain) {
  for (size_t i = 0; i < gain.size(); ++i) x[i] *= gain[i];
}

void add_to(Vec& x, const Vec& y) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

}  // namespace

FloatState FloatEngine::start() const {
  FloatState state;
  state.layers.resize(model_.layers.size());
  return state;
}

Vec FloatEngine::norm(const Vec& x, const Vec& gain) const {
  return norm_of(x, gain, model_.eps);
}

Vec FloatEngine::activations(Vec x) const {
  return model_.quantised_activations ? quantised(std::move(x)) : x;
}

Vec FloatEngine::attention(const FloatLayer& layer, FloatState::Cache& cache, size_t position, const Vec& a) const {
  const size_t hd = model_.head_width, kv = model_.kv_heads;
  Vec q = layer.query(a), k = layer.key(a), cosine(hd / 2), sine(hd / 2);
  const Vec v = layer.value(a);
  model_.rotation(position, cosine, sine);
  const auto prepare = [&](Vec& all, const Vec& gain) {
    for (size_t h = 0; h * hd < all.size(); ++h) {
      const std::span<double> head = std::span(all).subspan(h * hd, hd);
      if (!gain.empty()) std::ranges::copy(norm_of(head, gain, model_.eps), head.begin());
      rotate_head(head, cosine, sine, model_.rope_interleaved);
    }
  };
  prepare(q, layer.query_norm);
  prepare(k, layer.key_norm);
  cache.keys.insert(cache.keys.end(), k.begin(), k.end());
  cache.values.insert(cache.values.end(), v.begin(), v.end());
  Vec out(q.size()), weights(position + 1);
  for (size_t h = 0; h < model_.heads; ++h) {
    const size_t shared = h / (model_.heads / kv) * hd;
    for (size_t j = 0; j <= position; ++j) {
      double score = 0.0;
      for (size_t c = 0; c < hd; ++c) score += q[h * hd + c] * cache.keys[j * kv * hd + shared + c];
      weights[j] = score * model_.attention_scale;
    }
    const double top = *std::max_element(weights.begin(), weights.end());
    double sum = 0.0;
    for (double& w : weights) sum += w = std::exp(w - top);
    for (size_t j = 0; j <= position; ++j)
      for (size_t c = 0; c < hd; ++c) out[h * hd + c] += weights[j] / sum * cache.values[j * kv * hd + shared + c];
  }
  if (!layer.attention_sub_norm.empty()) out = norm(out, layer.attention_sub_norm);
  multiply_by(out, layer.output_gain);
  return layer.output(activations(std::move(out)));
}

Vec FloatEngine::feed_forward(const FloatLayer& layer, const Vec& a) const {
  const Vec g = layer.gate(a);
  Vec h = layer.up(a);
  for (size_t i = 0; i < h.size(); ++i) {
    const double positive = std::max(g[i], 0.0);
    h[i] *= layer.function == GateFunction::kSilu ? g[i] / (1.0 + std::exp(-g[i])) : positive * positive;
  }
  if (!layer.feed_forward_sub_norm.empty()) h = norm(h, layer.feed_forward_sub_norm);
  multiply_by(h, layer.down_gain);
  return layer.down(activations(std::move(h)));
}

Vec FloatEngine::step(FloatState& state, int token) const {
  if (token < 0 || static_cast<size_t>(token) >= model_.vocabulary)
    throw Error(model_.name, "there is no token " + std::to_string(token), "use 0 .. " + std::to_string(model_.vocabulary - 1));
  if (state.position >= model_.context)
    throw Error(model_.name, "the context of " + std::to_string(model_.context) + " positions is full",
                "generate fewer tokens, or give a larger --context");
  Vec x(model_.width);
  model_.embedding(static_cast<size_t>(token), x);
  for (size_t n = 0; n < model_.layers.size(); ++n) {
    const FloatLayer& layer = model_.layers[n];
    add_to(x, attention(layer, state.layers[n], state.position, activations(norm(x, layer.input_norm))));
    add_to(x, feed_forward(layer, activations(norm(x, layer.post_norm))));
  }
  ++state.position;
  const Vec last = norm(x, model_.final_norm);
  return model_.head(last);
}

}  // namespace bitgrid::cpu
