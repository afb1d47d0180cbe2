#include "reference_cpu/golden.h"

#include <algorithm>

#include "ir/error.h"

namespace bitgrid::cpu::golden {

namespace {

int64_t channel(const std::vector<int32_t>& per_channel, size_t c, int64_t absent) {
  if (per_channel.empty()) return absent;
  return per_channel.size() == 1 ? per_channel[0] : per_channel[c];
}

}  // namespace

Vec embedding(const Embedding& e, int width, const std::vector<int>& history) {
  Vec x(static_cast<size_t>(width), 0);
  for (size_t j = 0; j < e.tables.size() && j < history.size(); ++j) {
    const size_t row = static_cast<size_t>(history[j]) * x.size();
    for (size_t c = 0; c < x.size(); ++c) x[c] += e.tables[j][row + c];
  }
  return x;
}

Vec linear(const Matrix& weights, const Vec& x) {
  Vec u(static_cast<size_t>(weights.outputs), 0);
  for (int i = 0; i < weights.outputs; ++i) {
    for (int j = 0; j < weights.inputs; ++j) u[static_cast<size_t>(i)] += weights.at(i, j) * x[static_cast<size_t>(j)];
  }
  return u;
}

int64_t requantise(int64_t u, int64_t bias, int64_t multiplier, int shift, int64_t lo, int64_t hi) {
  const int64_t product = (u + bias) * multiplier;
  if (shift <= 0) return std::clamp(product * (int64_t{1} << -shift), lo, hi);
  return std::clamp((product + (int64_t{1} << (shift - 1))) >> shift, lo, hi);
}

Vec requantise(const Vec& u, const Requantise& r) {
  Vec y(u.size());
  for (size_t c = 0; c < u.size(); ++c) {
    const int64_t bias = r.bias.empty() ? 0 : r.bias[c];
    y[c] = requantise(u[c], bias, channel(r.multiplier, c, 1), r.shift, r.lo, r.hi);
  }
  return y;
}

Vec sign(const Vec& u, const Sign& s) {
  Vec y(u.size());
  for (size_t c = 0; c < u.size(); ++c) y[c] = u[c] + (s.bias.empty() ? 0 : s.bias[c]) >= 0 ? 1 : -1;
  return y;
}

Vec activation(const Vec& u, const Activation& a) {
  if (const auto* r = std::get_if<Requantise>(&a)) return requantise(u, *r);
  if (const auto* s = std::get_if<Sign>(&a)) return sign(u, *s);
  return u;
}

Vec table(const Vec& x, const Table& t) {
  Vec y(x.size());
  for (size_t c = 0; c < x.size(); ++c) {
    const int64_t index = x[c] - t.lo;
    if (index < 0 || index >= static_cast<int64_t>(t.values.size())) {
      throw Error("table " + t.name, "the value " + std::to_string(x[c]) + " is outside the table",
                  "give the table one entry for every value of its operand");
    }
    y[c] = t.values[static_cast<size_t>(index)];
  }
  return y;
}

Vec residual(const Vec& x, const Vec& y) {
  Vec sum(x.size());
  for (size_t c = 0; c < x.size(); ++c) sum[c] = x[c] + y[c];
  return sum;
}

int64_t score(const Vec& q, const Vec& k, int64_t bias) {
  int64_t sum = bias;
  for (size_t c = 0; c < q.size(); ++c) sum += q[c] * k[c];
  return sum;
}

Vec threshold_weights(const Vec& scores, const Requantise& r) {
  Vec e(scores.size());
  for (size_t j = 0; j < scores.size(); ++j) e[j] = requantise(scores[j], 0, channel(r.multiplier, 0, 1), r.shift, r.lo, r.hi);
  return e;
}

Vec mix(const Vec& e, const std::vector<Vec>& v, size_t channels) {
  Vec o(channels, 0);
  for (size_t j = 0; j < e.size(); ++j) {
    for (size_t c = 0; c < channels; ++c) o[c] += e[j] * v[j][c];
  }
  return o;
}

Vec head(const Head& h, const Vec& y) {
  Vec z = linear(h.weights, y);
  for (size_t i = 0; i < z.size() && !h.bias.empty(); ++i) z[i] += h.bias[i];
  return z;
}

int argmax(const Vec& z) {
  return static_cast<int>(std::max_element(z.begin(), z.end()) - z.begin());
}

uint32_t next_random(uint32_t state) {
  return state * 1664525u + 1013904223u;
}

int draw(const Vec& z, const std::vector<int32_t>& weights, uint32_t state) {
  const int64_t top = *std::max_element(z.begin(), z.end());
  const auto weight = [&](int64_t logit) -> uint64_t {
    return static_cast<uint64_t>(weights[static_cast<size_t>(std::min<int64_t>(top - logit, static_cast<int64_t>(weights.size()) - 1))]);
  };
  uint64_t sum = 0;
  for (const int64_t logit : z) sum += weight(logit);
  const uint64_t r = ((state >> 8) * sum) >> 24;
  uint64_t running = 0;
  for (size_t i = 0; i < z.size(); ++i) {
    running += weight(z[i]);
    if (running > r) return static_cast<int>(i);
  }
  return static_cast<int>(z.size()) - 1;  // not reached: r < sum
}

}  // namespace bitgrid::cpu::golden
