#include "reference_cpu/scaled/scaled_engine.h"

#include <algorithm>
#include <array>
#include <bit>

#include "ir/error.h"
#include "ir/vectorised.h"
#include "reference_cpu/scaled/softmax.h"

namespace bitgrid::cpu {

namespace {

constexpr int kRotaryBits = 14;  // fraction of cosines and sines
constexpr int kGateBits = 15;    // gate and up inside the gated unit, sign included
constexpr int kHiddenBits = 25;  // their product
constexpr int kSiluBits = 10;    // fraction of the operand of SiLU
constexpr int kSigmoidBits = 12;
constexpr int kSigmoidStep = 5;  // fraction of the index of its table
constexpr int64_t kMostGate = 32767;
constexpr size_t kWorthPool = 16;  // cached positions; below, waking threads takes longer

void tell(const ScaledTrace& trace, const std::string& name, const std::vector<int64_t>& values) {
  if (trace) trace(name, values);
}

std::span<int64_t> head_of(std::vector<int64_t>& v, size_t head, size_t width) {
  return std::span(v).subspan(head * width, width);
}

std::vector<int64_t> codes_of(const CacheRing& ring, size_t position, size_t heads, size_t width) {
  std::vector<int64_t> all;
  for (size_t h = 0; h < heads; ++h) {
    const CacheEntry entry = ring.at(position, h);
    for (size_t c = 0; c < width; ++c) all.push_back(entry.code(c));
  }
  return all;
}

int log2_of(size_t n) {
  return static_cast<int>(std::bit_width(n)) - 1;
}

/// up times the SiLU of the gate, which has kSiluBits fraction bits.
BITGRID_VECTORISED_INTEGERS void multiply_by_silu(const int64_t* gate, size_t count, const int32_t* sigmoid, int64_t last, int64_t* up) {
  constexpr int kShift = kSiluBits - kSigmoidStep;
  for (size_t i = 0; i < count; ++i) {
    const int64_t g = std::clamp(gate[i], -kMostGate, kMostGate);
    const int64_t s = sigmoid[std::min(((std::abs(g) >> (kShift - 1)) + 1) >> 1, last)];
    up[i] *= g * (g < 0 ? (int64_t{1} << kSigmoidBits) - s : s);
  }
}

/// SiLU of the gate times up: the products and their unit.
Sums gate_with_silu(Sums gate, Sums up, const std::vector<int32_t>& sigmoid) {
  const int ku = block_floating_point(up.values, kGateBits);
  scale_values(gate.values, shifted(gate.unit, kSiluBits));
  multiply_by_silu(gate.values.data(), up.values.size(), sigmoid.data(), static_cast<int64_t>(sigmoid.size()) - 1, up.values.data());
  const int kh = block_floating_point(up.values, kHiddenBits);
  up.unit = shifted(up.unit, ku + kh - kSiluBits - kSigmoidBits);
  return up;
}

BITGRID_VECTORISED_INTEGERS void keep_positive(int64_t* v, size_t count) {
  for (size_t i = 0; i < count; ++i) v[i] = std::max<int64_t>(v[i], 0);
}

BITGRID_VECTORISED_INTEGERS void multiply_by_square(const int64_t* gate, size_t count, int64_t* up) {
  for (size_t i = 0; i < count; ++i) up[i] *= gate[i] * gate[i];
}

BITGRID_VECTORISED_INTEGERS void add_each(const int64_t* y, size_t count, int64_t* x) {
  for (size_t i = 0; i < count; ++i) x[i] += y[i];
}

/// Rotates pairs of elements, which lie side by side or half a head apart.
void turn_pairs(int64_t* head, size_t half, const int16_t* cosine, const int16_t* sine) {
  for (size_t c = 0; c < half; ++c) {
    const int64_t x = head[2 * c], y = head[2 * c + 1];
    head[2 * c] = x * cosine[c] - y * sine[c];
    head[2 * c + 1] = y * cosine[c] + x * sine[c];
  }
}

BITGRID_VECTORISED_INTEGERS void turn_halves(int64_t* head, size_t half, const int16_t* cosine, const int16_t* sine) {
  for (size_t c = 0; c < half; ++c) {
    const int64_t x = head[c], y = head[c + half];
    head[c] = x * cosine[c] - y * sine[c];
    head[c + half] = y * cosine[c] + x * sine[c];
  }
}

/// max(gate, 0)^2 times up: the products and their unit.
Sums gate_with_relu_squared(Sums gate, Sums up) {
  keep_positive(gate.values.data(), gate.values.size());
  const int kg = block_floating_point(gate.values, kGateBits);
  const int ku = block_floating_point(up.values, kGateBits);
  multiply_by_square(gate.values.data(), up.values.size(), up.values.data());
  const int kh = block_floating_point(up.values, kHiddenBits);
  const Scalar p = shifted(gate.unit, kg);
  up.unit = multiply(multiply(p, p), shifted(up.unit, ku + kh));
  return up;
}

/// The codes that output projection and down projection read: after a norm, after a gain, or as they are.
Codes codes_before(const Sums& y, const std::optional<Norm>& norm, int64_t eps, const std::optional<FixedVector>& gain,
                   const ScaledModel& model) {
  if (norm) return normalise(y.values, *norm, eps, model.activation_group);
  if (!gain) return quantise(y.values, y.unit, model.activation_group, model.tables.one_over_127);
  return quantise(with_gain(y.values, *gain), shifted(y.unit, -gain->fraction), model.activation_group, model.tables.one_over_127);
}

}  // namespace

ScaledEngine::ScaledEngine(const ScaledModel& model, const ScaledParams& params) : model_(model), params_(params) {
  verify(model);
  if (params.linear.threads > 1) {
    pool_ = std::make_shared<ThreadPool>(params.linear.threads);
    params_.linear.pool = pool_.get();
  }
  const bool rotated = params.cache.key.rotated || params.cache.value.rotated;
  if (rotated && !std::has_single_bit(model.head_width))
    throw Error("--kv", "heads of " + std::to_string(model.head_width) + " cannot be rotated: this is not a power of two",
                "leave `rotated` out");
}

ScaledState ScaledEngine::start() const {
  ScaledState state;
  const size_t kv = model_.kv_heads, hd = model_.head_width, recent = static_cast<size_t>(params_.cache.recent);
  // A ring of one position stands for a recent form that is not used.
  const auto cache = [&](const CacheForm& form) {
    return LayerCache{CacheRing(kv, hd, form, 0), CacheRing(kv, hd, {}, std::max<size_t>(recent, 1))};
  };
  for (const ScaledLayer& layer : model_.layers)
    if (std::holds_alternative<SoftmaxAttention>(layer)) state.caches.push_back({cache(params_.cache.key), cache(params_.cache.value)});
  return state;
}

void ScaledEngine::turn(std::span<int64_t> head, size_t position) const {
  check_values(head);
  const size_t half = head.size() / 2;
  const int16_t* cosine = model_.tables.cosine.data() + position * half;
  const int16_t* sine = model_.tables.sine.data() + position * half;
  if (model_.rope_interleaved)
    turn_pairs(head.data(), half, cosine, sine);
  else
    turn_halves(head.data(), half, cosine, sine);
}

std::vector<int64_t> ScaledEngine::attend(const SoftmaxAttention& layer, ScaledState::Caches& caches, Sums q, Sums k, Sums v,
                                          size_t position, const std::string& name, bool first, const ScaledTrace& trace) const {
  const size_t hd = model_.head_width, kv = model_.kv_heads, heads = model_.heads;
  tell(trace, name + "self_attn.q", q.values);
  tell(trace, name + "self_attn.k", k.values);
  const bool rotate_keys = params_.cache.key.rotated, rotate_values = params_.cache.value.rotated;
  for (size_t h = 0; h < kv; ++h) {
    const std::span<int64_t> key = head_of(k.values, h, hd), value = head_of(v.values, h, hd);
    Scalar unit = k.unit;
    if (layer.key_norm) unit = normalise_head(key, *layer.key_norm, unit);
    turn(key, position);
    scale_values(key, shifted(unit, layer.key_fraction - kRotaryBits));
    scale_values(value, shifted(v.unit, layer.value_fraction));
    if (rotate_keys) rotate(key);
    if (rotate_values) rotate(value);
  }
  for (auto [cache, values] : {std::pair(&caches.keys, &k.values), std::pair(&caches.values, &v.values)}) {
    cache->old.add(*values, model_.tables.mean_step);
    if (params_.cache.recent > 0) cache->recent.add(*values, model_.tables.mean_step);
  }
  Vec out(heads * hd);
  HeadTrace seen;
  const bool look = trace && first;
  const auto attend_with = [&](size_t h) {
    const std::span<int64_t> query = head_of(q.values, h, hd);
    Scalar unit = q.unit;
    if (layer.query_norm) unit = normalise_head(query, *layer.query_norm, unit);
    turn(query, position);
    unit = shifted(unit, -kRotaryBits);
    if (rotate_keys) {
      rotate(query);
      unit = shifted(unit, -log2_of(hd));
    }
    const int shift = block_floating_point(query, 8);
    const Scalar score = multiply(shifted(unit, shift - layer.key_fraction), model_.tables.softmax);
    Vec mixed =
        attend_head({query, score, caches.keys, caches.values, h / (heads / kv), position + 1, static_cast<size_t>(params_.cache.recent)},
                    model_.tables, look && h == 0 ? &seen : nullptr);
    if (rotate_values) rotate_back(mixed);
    std::copy(mixed.begin(), mixed.end(), out.begin() + static_cast<std::ptrdiff_t>(h * hd));
  };
  if (pool_ && position >= kWorthPool) {
    pool_->run(heads, attend_with);
  } else {
    for (size_t h = 0; h < heads; ++h) attend_with(h);
  }
  if (trace) {
    trace(name + "self_attn.q8", q.values);
    trace(name + "self_attn.k8", codes_of(caches.keys.old, position, kv, hd));
    trace(name + "self_attn.v8", codes_of(caches.values.old, position, kv, hd));
  }
  if (look) {
    trace(name + "self_attn.t", seen.scores);
    trace(name + "self_attn.weights", seen.weights);
  }
  return out;
}

void ScaledEngine::add(Vecs& x, const LinearMap& map, std::span<const Codes> a) const {
  std::vector<Sums> y = apply(map, a, params_.linear);
  for (size_t t = 0; t < x.size(); ++t) {
    scale_values(y[t].values, shifted(y[t].unit, model_.embedding.fraction));
    add_each(y[t].values.data(), x[t].size(), x[t].data());
  }
}

void ScaledEngine::attention(const SoftmaxAttention& layer, ScaledState::Caches& caches, Vecs& x, size_t position, const std::string& name,
                             bool first, const ScaledTrace& trace) const {
  std::vector<Codes> a;
  for (const Vec& v : x) {
    tell(trace, name + "x", v);
    a.push_back(normalise(v, layer.input, model_.stream_eps, model_.activation_group));
    if (trace) trace(name + "a", a.back().expanded());
  }
  const std::array maps = {&layer.query, &layer.key, &layer.value};
  std::vector<std::vector<Sums>> y = apply(maps, a, params_.linear);
  std::vector<Sums>&q = y[0], &k = y[1], &v = y[2];
  const bool rotated = params_.cache.value.rotated;
  const Scalar unit = shifted(scalar(1), -(layer.value_fraction + kMixBits + (rotated ? log2_of(model_.head_width) : 0)));
  const int64_t eps = rotated ? layer.rotated_output_eps : layer.output_eps;
  for (size_t t = 0; t < x.size(); ++t) {
    const Sums o = {attend(layer, caches, std::move(q[t]), std::move(k[t]), std::move(v[t]), position + t, name, first, trace), unit};
    tell(trace, name + "o", o.values);
    a[t] = codes_before(o, layer.sub_norm, eps, layer.output_gain, model_);
  }
  add(x, layer.output, a);
  for (const Vec& mid : x) tell(trace, name + "x_mid", mid);
}

void ScaledEngine::feed_forward(const GatedFeedForward& layer, Vecs& x, const std::string& name, const ScaledTrace& trace) const {
  std::vector<Codes> a;
  for (const Vec& v : x) a.push_back(normalise(v, layer.input, model_.stream_eps, model_.activation_group));
  const std::array maps = {&layer.gate, &layer.up};
  std::vector<std::vector<Sums>> y = apply(maps, a, params_.linear);
  std::vector<Sums>&gate = y[0], &up = y[1];
  for (size_t t = 0; t < x.size(); ++t) {
    const Sums h = layer.function == GateFunction::kSilu ? gate_with_silu(std::move(gate[t]), std::move(up[t]), model_.tables.sigmoid)
                                                         : gate_with_relu_squared(std::move(gate[t]), std::move(up[t]));
    const int64_t eps = layer.sub_norm ? whole(divide(layer.sub_norm->eps, multiply(h.unit, h.unit))) : 0;
    a[t] = codes_before(h, layer.sub_norm, eps, layer.down_gain, model_);
    if (trace) trace(name + "ffn", a[t].expanded());
  }
  add(x, layer.down, a);
}

void ScaledEngine::embed(std::span<const int> tokens, size_t position, Vecs& x) const {
  for (const int token : tokens) {
    if (token < 0 || static_cast<size_t>(token) >= model_.embedding.vocabulary)
      throw Error(model_.name, "there is no token " + std::to_string(token), "use 0 .. " + std::to_string(model_.embedding.vocabulary - 1));
    if (position++ >= model_.context)
      throw Error(model_.name, "the context of " + std::to_string(model_.context) + " positions is full",
                  "generate fewer tokens, or give a larger --context");
    x.emplace_back(model_.width);
    model_.embedding.row(static_cast<size_t>(token), x.back());
  }
}

std::vector<ScaledLogits> ScaledEngine::logits(std::span<const Vec> x, const ScaledTrace& trace) const {
  std::vector<Codes> a;
  for (const Vec& v : x) {
    a.push_back(normalise(v, model_.head.norm, model_.stream_eps, model_.head.grouped ? model_.activation_group : 0));
    if (trace) trace("a_final", a.back().expanded());
  }
  std::vector<ScaledLogits> out;
  for (Sums& z : apply(model_.head.map, a, params_.linear)) {
    tell(trace, "logits", z.values);
    out.push_back({std::move(z.values), z.unit});
  }
  return out;
}

std::vector<ScaledLogits> ScaledEngine::run(ScaledState& state, std::span<const int> tokens, size_t wanted,
                                            const ScaledTrace& trace) const {
  Vecs x;
  embed(tokens, state.position, x);
  size_t attentions = 0, block = 0;
  for (const ScaledLayer& layer : model_.layers) {
    const std::string name = "model.layers." + std::to_string(block) + ".";
    if (const auto* a = std::get_if<SoftmaxAttention>(&layer)) {
      attention(*a, state.caches[attentions], x, state.position, name, attentions == 0, trace);
      ++attentions;
    } else {
      feed_forward(std::get<GatedFeedForward>(layer), x, name, trace);
      ++block;
    }
  }
  state.position += tokens.size();
  for (const Vec& v : x) tell(trace, "x_final", v);
  return logits(std::span(x).last(wanted), trace);
}

ScaledLogits ScaledEngine::step(ScaledState& state, int token, bool want_logits, const ScaledTrace& trace) const {
  std::vector<ScaledLogits> z = run(state, std::span(&token, 1), want_logits ? 1 : 0, trace);
  return want_logits ? std::move(z[0]) : ScaledLogits{};
}

void ScaledEngine::feed(ScaledState& state, std::span<const int> tokens, bool all, const EachLogits& each, const ScaledTrace& trace) const {
  constexpr size_t kBatch = 32;
  for (size_t begin = 0; begin < tokens.size(); begin += kBatch) {
    const std::span<const int> part = tokens.subspan(begin, std::min(kBatch, tokens.size() - begin));
    const bool last = begin + part.size() == tokens.size();
    const size_t wanted = all || trace ? part.size() : last ? 1 : 0;
    std::vector<ScaledLogits> z = run(state, part, wanted, trace);
    for (size_t i = 0; i < z.size(); ++i) {
      const size_t at = begin + part.size() - wanted + i;
      if (all || at + 1 == tokens.size()) each(at, std::move(z[i]));
    }
  }
}

}  // namespace bitgrid::cpu
