// Attention: rotary positions, scores, softmax weights, and the mix of values.
#include <fmt/format.h>

#include <algorithm>

#include "ir/index.h"
#include "lowering/scales/kernels.h"
#include "lowering/scales/lowering.h"
#include "lowering/scales/stream_kernels.h"

namespace bitgrid::scales {

Vector Lowering::turned(const std::string& name, Vector x, int heads) {
  const int half = x.count / heads / 2, lanes = lanes_of(half, kHeavyLanes);
  const Vector out = steps_.signed_vector(name, x.count, x.bits + kGainBits + 1);
  const Kernel kernel = turn_kernel(lanes, x.bits);
  steps_.begin();
  for (int h = 0; h < heads; ++h) {
    const int first = 2 * h * half;
    steps_.step(fmt::format("{}.{}", name, h), kernel, half / lanes,
                {x.from(first, lanes), x.from(first + half, lanes), PositionSource{cosine_, 0, lanes}, PositionSource{sine_, 0, lanes}},
                {out.to(first, lanes), out.to(first + half, lanes)});
  }
  steps_.end();
  return out;
}

std::pair<Vector, Vector> Lowering::head_codes(const std::string& name, Vector x, int heads, const std::string& codes_name) {
  const int width = x.count / heads, lanes = lanes_of(width, kLightLanes);
  const Vector parts = steps_.unsigned_vector(name + ".magnitudes", x.count / lanes, x.bits);
  steps_.step(name + ".magnitudes", magnitude_kernel(lanes, x.bits), x.count / lanes, {x.from(0, lanes)}, {parts.to(0, 1)});
  const Vector any = steps_.reduce(name + ".or", parts, width / lanes, or_kernel);
  const Vector shift = steps_.unsigned_vector(name + ".shift", heads, kShiftBits), codes = steps_.signed_vector(codes_name, x.count, 8);
  steps_.step(name + ".shift", shift_kernel(x.bits, 7), heads, {any.from(0, 1)}, {shift.to(0, 1)});
  const int heavy = lanes_of(width, kHeavyLanes);
  const Kernel kernel = cut_kernel(heavy, x.bits, 8);
  steps_.begin();
  for (int h = 0; h < heads; ++h)
    steps_.step(fmt::format("{}.codes.{}", name, h), kernel, width / heavy, {x.from(h * width, heavy), shift.from(h)},
                {codes.to(h * width, heavy)});
  steps_.end();
  return {shift, codes};
}

/// Of every head and slot; those of slots never written are the smallest. The query's codes are in cells, the bits of the keys' stream
/// past.
Vector Lowering::scores(const std::string& name, const SoftmaxAttention& layer, Vector q, Vector unit_q, const CachedCodes& keys) {
  const auto heads = int_of(model_.heads), kv = int_of(model_.kv_heads), hd = int_of(model_.head_width);
  const auto [q_shift, q8] = head_codes(name + "query", q, heads, name + "q8");
  const Vector query_sums = code_sums(name + "query_sums", q8, heads), table = tables(name + "query", q8, false);
  const Vector score_unit = steps_.unsigned_vector(name + "score_unit", heads, kScalarWord);
  const RowSource n =
      steps_.constants(name + "score_shift", {-int64_t{layer.key_fraction} & ((int64_t{1} << kExponentBits) - 1)}, kExponentBits, false);
  steps_.step(name + "score_unit", score_unit_kernel(), heads,
              {unit_q.from(), q_shift.from(0, 1), n, steps_.constant(name + "softmax", model_.tables.softmax)}, {score_unit.to(0, 1)});
  const Kernel stream = mapping::streamed_kernel(fmt::format("stream.bits.{}x8", hd), one_bit_shape(hd, 8));
  const Vector planes = steps_.unsigned_vector(name + "score_planes", heads * window_ * 8, stream.outputs[0].bits);
  steps_.begin();
  for (int h = 0; h < heads; ++h)
    steps_.step(fmt::format("{}score_planes.{}", name, h), stream, window_ * 8,
                {table.from(h * hd / 2 * 3), CacheSource{keys.codes, 0, 1, h / (heads / kv) * hd, hd, 1, 0, 8}},
                {planes.to(h * window_ * 8, 1)});
  steps_.end();
  const Vector products = plane_sums(name + "score_products", planes, stream.outputs[0].max_code[0], false);
  const Vector scores = steps_.signed_vector(name + "scores", heads * window_, kScoreBits);
  steps_.begin();
  for (int h = 0; h < heads; ++h) {
    const int g = h / (heads / kv);
    steps_.step(fmt::format("{}scores.{}", name, h), score_kernel(hd, products.bits, query_sums.bits), window_,
                {products.from(h * window_, 1), query_sums.from(h), CacheSource{keys.sums, 0, 1, g, 1, 1, 0},
                 CacheSource{keys.shifts, 0, 1, g, 1, 1, 0}, score_unit.from(h), DistanceSource{written_, 0, window_, 0, 1}},
                {scores.to(h * window_, 1)});
  }
  steps_.end();
  return scores;
}

SoftmaxWeights Lowering::softmax(const std::string& name, Vector scores) {
  const auto heads = int_of(model_.heads);
  const Vector top = steps_.reduce(name + "top_score", scores, window_, maximum_kernel);
  const int lanes = lanes_of(window_, kHeavyLanes);
  const Vector weights = steps_.unsigned_vector(name + "all_weights", heads * window_, kWeightBits);
  steps_.begin();
  for (int h = 0; h < heads; ++h)
    steps_.step(fmt::format("{}weights.{}", name, h), weight_kernel(lanes, model_.tables), window_ / lanes,
                {scores.from(h * window_, lanes), top.from(h)}, {weights.to(h * window_, lanes)});
  steps_.end();
  const Vector sum = steps_.reduce(name + "weight_sum", weights, window_, total_kernel);
  const Vector reciprocal = steps_.unsigned_vector(name + "reciprocal", heads, kScalarWord);
  steps_.step(name + "reciprocal", reciprocal_kernel(sum.bits), heads, {sum.from(0, 1)}, {reciprocal.to(0, 1)});
  return {weights, reciprocal};
}

/// Weights are in cells, the bits of the values stream past, a channel's of all slots at once.
Vector Lowering::mixed_values(const std::string& name, Vector weights, const CachedCodes& values) {
  const auto heads = int_of(model_.heads), kv = int_of(model_.kv_heads), hd = int_of(model_.head_width);
  const Vector table = tables(name + "mix", weights, false), sums = steps_.reduce(name + "aligned_sums", weights, window_, total_kernel);
  const Kernel stream =
      mapping::streamed_kernel(fmt::format("stream.bits.{}x{}", window_, weights.bits), one_bit_shape(window_, weights.bits));
  const Vector planes = steps_.unsigned_vector(name + "mix_planes", heads * hd * 8, stream.outputs[0].bits);
  steps_.begin();
  for (int h = 0; h < heads; ++h)
    steps_.step(fmt::format("{}mix_planes.{}", name, h), stream, hd * 8,
                {table.from(h * window_ / 2 * 3), CacheSource{values.codes, 0, window_, h / (heads / kv) * hd, 1, 0, 1, 8}},
                {planes.to(h * hd * 8, 1)});
  steps_.end();
  const Vector products = plane_sums(name + "mix_products", planes, stream.outputs[0].max_code[0], false);
  const uint32_t bits = kWeightBits + 8 + bits_of_count(window_);
  const Kernel kernel = mix_kernel(products.bits, sums.bits, bits);
  const Vector mixed = steps_.signed_vector(name + "mixed", heads * hd, bits);
  steps_.begin();
  for (int h = 0; h < heads; ++h)
    steps_.step(fmt::format("{}mixed.{}", name, h), kernel, hd, {products.from(h * hd, 1), sums.from(h)}, {mixed.to(h * hd, 1)});
  steps_.end();
  return mixed;
}

/// The mix of the cached values.
Vector Lowering::mix(const std::string& name, const SoftmaxWeights& softmax, const CachedCodes& values, const std::string& result,
                     uint32_t bits) {
  const auto heads = int_of(model_.heads), kv = int_of(model_.kv_heads), hd = int_of(model_.head_width);
  const Vector weights = softmax.weights;
  const Vector aligned = steps_.unsigned_vector(name + "aligned", heads * window_, kWeightBits);
  // The largest shift of the cached values: slots never written have 0, which changes nothing.
  const int chunks = window_ / kScoresAtOnce;
  const Vector shift_parts = steps_.unsigned_vector(name + "shift_parts", kv * chunks, kShiftBits);
  steps_.begin();
  for (int g = 0; g < kv; ++g)
    steps_.step(fmt::format("{}shift_parts.{}", name, g), maximum_kernel(kScoresAtOnce, kShiftBits), chunks,
                {CacheSource{values.shifts, 0, kScoresAtOnce, g, 1, kScoresAtOnce, 0}}, {shift_parts.to(g * chunks, 1)});
  steps_.end();
  const Vector top_shift = steps_.reduce(name + "top_shift", shift_parts, chunks, maximum_kernel);
  const Vector mix_unit = steps_.unsigned_vector(name + "mix_unit", heads, kScalarWord);
  steps_.begin();
  for (int h = 0; h < heads; ++h) {
    const int g = h / (heads / kv);
    steps_.step(
        fmt::format("{}aligned.{}", name, h), align_kernel(kScoresAtOnce), chunks,
        {weights.from(h * window_, kScoresAtOnce), CacheSource{values.shifts, 0, kScoresAtOnce, g, 1, kScoresAtOnce, 0}, top_shift.from(g)},
        {aligned.to(h * window_, kScoresAtOnce)});
    steps_.step(fmt::format("{}mix_unit.{}", name, h), mix_unit_kernel(kMixFraction), 1, {softmax.reciprocal.from(h), top_shift.from(g)},
                {mix_unit.to(h)});
  }
  steps_.end();
  const Vector mixed = mixed_values(name, aligned, values);
  const Vector o = steps_.signed_vector(result, heads * hd, bits);
  const int heavy = lanes_of(hd, kHeavyLanes);
  const Kernel kernel = scale_kernel(heavy, mixed.bits, bits);
  steps_.begin();
  for (int h = 0; h < heads; ++h)
    steps_.step(fmt::format("{}o.{}", name, h), kernel, hd / heavy, {mixed.from(h * hd, heavy), mix_unit.from(h)}, {o.to(h * hd, heavy)});
  steps_.end();
  return o;
}

Vector Lowering::attention(const std::string& name, const SoftmaxAttention& layer, Vector x) {
  const std::string self = name + "self_attn.";
  const auto heads = int_of(model_.heads), kv = int_of(model_.kv_heads);
  const Source eps = steps_.constants(name + "stream_eps", {model_.stream_eps}, kEpsBits, false);
  const Codes a = norm(name + "input_norm", x, layer.input, eps, name + "a");
  const Vector q = matrix(self + "q_proj", layer.query, a.codes, self + "q"), k = matrix(self + "k_proj", layer.key, a.codes, self + "k"),
               v = matrix(self + "v_proj", layer.value, a.codes, self + "v");
  const Vector unit_q = unit(self + "unit_q", a.unit, layer.query, -kRotaryFraction);
  const Vector unit_k = unit(self + "unit_k", a.unit, layer.key, layer.key_fraction - kRotaryFraction);
  const Vector unit_v = unit(self + "unit_v", a.unit, layer.value, layer.value_fraction);
  const Vector turned_q = turned(self + "turned_q", q, heads), turned_k = turned(self + "turned_k", k, kv);
  const uint32_t value_bits = fixed_bits(layer.value, layer.input, layer.value_fraction);
  const Vector key = scale(self + "key", turned_k, unit_k, fixed_bits(layer.key, layer.input, layer.key_fraction));
  const Vector value = scale(self + "value", v, unit_v, value_bits);
  const auto [k_shift, k8] = head_codes(self + "keys", key, kv, self + "k8");
  const auto [v_shift, v8] = head_codes(self + "values", value, kv, self + "v8");
  const Vector k_sums = code_sums(self + "key_sums", k8, kv);
  const CachedCodes keys = {builder_.add_cache(k8.tensor, window_), builder_.add_cache(k_shift.tensor, window_),
                            builder_.add_cache(k_sums.tensor, window_)};
  const CachedCodes values = {builder_.add_cache(v8.tensor, window_), builder_.add_cache(v_shift.tensor, window_)};
  const SoftmaxWeights weights = softmax(self, scores(self, layer, turned_q, unit_q, keys));
  const Vector o = mix(self, weights, values, name + "o", std::min(47u, value_bits + kMixFraction + 2));
  const Source output_eps = steps_.constants(name + "output_eps", {layer.output_eps}, kEpsBits, false);
  const Codes b = norm(self + "sub_norm", o, *layer.sub_norm, output_eps, self + "o_codes");
  return add(self + "o_proj", x, layer.output, b, name + "x_mid");
}

}  // namespace bitgrid::scales
