// Attention: rotary positions, scores, softmax weights, and the mix of values.
#include <fmt/format.h>

#include <algorithm>

#include "ir/index.h"
#include "lowering/scales/kernels.h"
#include "lowering/scales/lowering.h"
#include "lowering/scales/row_kernels.h"
#include "lowering/scales/stream_kernels.h"

namespace bitgrid::scales {

Vector Lowering::turned(const std::string& name, Vector x, int heads) {
  const int width = x.count / heads, half = width / 2;
  const Factor turn{kGainBits, NumberCode::kOffset};
  const Kernel kernel = product_kernel(x.factor(), turn);
  const uint32_t bits = kernel.outputs[0].bits;
  const Vector by_cosine = steps_.twos_vector(name + ".by_cosine", x.count, bits),
               by_sine = steps_.twos_vector(name + ".by_sine", x.count, bits), out = steps_.twos_vector(name, x.count, bits + 1);
  steps_.for_parts(name + ".cosine", 2 * heads, [&](const std::string& step, int p) {
    steps_.step(step, kernel, half, {x.from(p * half, 1), PositionSource{cosine_, 0, 1}}, {by_cosine.to(p * half, 1)});
  });
  steps_.for_parts(name + ".sine", 2 * heads, [&](const std::string& step, int p) {
    steps_.step(step, kernel, half, {x.from(p * half, 1), PositionSource{sine_, 0, 1}}, {by_sine.to(p * half, 1)});
  });
  // (x c - y s, y c + x s)
  steps_.for_parts(name + ".x", heads, [&](const std::string& step, int h) {
    const int x_half = h * width, y_half = x_half + half;
    steps_.step(step, difference_kernel(bits), half, {by_cosine.from(x_half, 1), by_sine.from(y_half, 1)}, {out.to(x_half, 1)});
  });
  steps_.for_parts(name + ".y", heads, [&](const std::string& step, int h) {
    const int x_half = h * width, y_half = x_half + half;
    steps_.step(step, sum_kernel(bits), half, {by_cosine.from(y_half, 1), by_sine.from(x_half, 1)}, {out.to(y_half, 1)});
  });
  return out;
}

std::pair<Vector, Vector> Lowering::head_codes(const std::string& name, Vector x, int heads, const std::string& codes_name) {
  const Vector shifts = shift(name + ".shift", lengths(name + ".length", x, x.count / heads), 7);
  return {shifts, cut(codes_name, x, shifts, 8, NumberCode::kOffset)};
}

/// Of codes a = q + 128, b = k + 128: q k = a b - 128 (a + b - 128).
Vector Lowering::key_products(const std::string& name, Vector q8, const CachedCodes& keys) {
  const auto heads = int_of(model_.heads), kv = int_of(model_.kv_heads), hd = int_of(model_.head_width);
  const Vector query_sums = code_sums(name + "query_sums", q8, heads), table = tables(name + "query", q8, false);
  const Kernel stream = mapping::streamed_kernel(fmt::format("stream.bits.{}x8", hd), one_bit_shape(hd, 8));
  const Vector planes = steps_.unsigned_vector(name + "score_planes", heads * window_ * 8, stream.outputs[0].bits);
  steps_.for_parts(name + "score_planes", heads, [&](const std::string& step, int h) {
    steps_.step(step, stream, window_ * 8, {table.from(h * hd / 2 * 3), CacheSource{keys.codes, 0, 1, h / (heads / kv) * hd, hd, 1, 0, 8}},
                {planes.to(h * window_ * 8, 1)});
  });
  const Vector offset_products = plane_sums(name + "offset_products", planes, stream.outputs[0].max_code[0], false);
  const uint32_t bits = 15 + bits_of_count(hd), sum_bits = bits - 7;  // |q k| <= 127^2 hd
  const Vector query_part = steps_.unsigned_vector(name + "query_part", heads, sum_bits),
               code_part = steps_.unsigned_vector(name + "code_part", heads * window_, sum_bits),
               products = steps_.twos_vector(name + "score_products", heads * window_, bits);
  steps_.step(name + "query_part", plus_constant_kernel(query_sums.bits, -128 * hd, sum_bits), heads, {query_sums.from(0, 1)},
              {query_part.to(0, 1)});
  steps_.for_parts(name + "code_part", heads, [&](const std::string& step, int h) {
    steps_.step(step, sum_modulo_kernel(sum_bits, query_sums.bits, sum_bits), window_,
                {query_part.from(h), CacheSource{keys.sums, 0, 1, h / (heads / kv), 1, 1, 0}}, {code_part.to(h * window_, 1)});
  });
  steps_.step(name + "score_products", difference_modulo_kernel(offset_products.bits, sum_bits, 7, bits), heads * window_,
              {offset_products.from(0, 1), code_part.from(0, 1)}, {products.to(0, 1)});
  return products;
}

/// Of every head and slot; those of slots never written are the smallest. The query's codes are in cells, the bits of the keys' stream
/// past.
Vector Lowering::scores(const std::string& name, const SoftmaxAttention& layer, Vector q, const ScalarVector& unit_q,
                        const CachedCodes& keys) {
  const auto heads = int_of(model_.heads), kv = int_of(model_.kv_heads);
  const auto [q_shift, q8] = head_codes(name + "query", q, heads, name + "q8");
  const Scalar by_fraction = shifted(model_.tables.softmax, -int64_t{layer.key_fraction});
  const ScalarVector score_unit = scalars_.multiply(name + "score_unit", scalars_.shifted(name + "shifted_unit", unit_q, q_shift),
                                                    scalars_.constant(name + "softmax", by_fraction));
  const Vector products = key_products(name, q8, keys);
  // The key's scalar is 128 * 2^(shift - 7): a power of two.
  const Kernel times_power = product_kernel(products.factor(), {keys.power_bits, NumberCode::kUnsigned});
  const Vector large = steps_.twos_vector(name + "large_scores", heads * window_, times_power.outputs[0].bits);
  steps_.for_parts(name + "large_scores", heads, [&](const std::string& step, int h) {
    steps_.step(step, times_power, window_, {products.from(h * window_, 1), CacheSource{keys.powers, 0, 1, h / (heads / kv), 1, 1, 0}},
                {large.to(h * window_, 1)});
  });
  const auto [scaled, planes] = scaled_planes(name + "scores", large, score_unit);
  return saturated_scores(name, scaled, planes);
}

/// floor(scaled / 2^plane / 2 + 1/2), cut to the range of scores.
Vector Lowering::saturated_scores(const std::string& name, Vector scaled, Vector planes) {
  const int heads = planes.count, all = scaled.count;
  const Vector far = steps_.unsigned_vector(name + "far", all, 1), overflow = steps_.unsigned_vector(name + "score_overflow", all, 1),
               low = steps_.twos_vector(name + "low_scores", all, kScoreBits),
               scores = steps_.signed_vector(name + "scores", all, kScoreBits);
  const auto planes_of = [&](int h, int plane) { return scaled.planes(h * window_, 1, {planes.tensor, h, plane}); };
  constexpr int kSign = kScoreBits;  // from here on the planes of what is not cut repeat the highest
  steps_.for_parts(name + "far", heads, [&](const std::string& step, int h) {
    steps_.step(step, differ_kernel(kFarBits), window_, {planes_of(h, kSign), planes_of(h, kSign + 1)}, {far.to(h * window_, 1)});
  });
  steps_.for_parts(name + "score_overflow", heads, [&](const std::string& step, int h) {
    steps_.step(step, overflow_kernel(kScoreBits), window_, {planes_of(h, 0), planes_of(h, 1)}, {overflow.to(h * window_, 1)});
  });
  steps_.for_parts(name + "low_scores", heads, [&](const std::string& step, int h) {
    steps_.step(step, cut_kernel(kScoreBits, NumberCode::kTwos), window_, {overflow.from(h * window_, 1), planes_of(h, 0)},
                {low.to(h * window_, 1)});
  });
  steps_.for_parts(name + "scores", heads, [&](const std::string& step, int h) {
    const int first = h * window_;
    steps_.step(step, score_kernel(), window_,
                {low.from(first, 1), far.from(first, 1), scaled.planes(first, 1, int_of(scaled.bits) - 1),
                 DistanceSource{written_, 0, window_, 0, 1}},
                {scores.to(first, 1)});
  });
  return scores;
}

SoftmaxWeights Lowering::softmax(const std::string& name, Vector scores) {
  const auto heads = int_of(model_.heads);
  const Vector top = steps_.maximum(name + "top_score", scores, window_);
  const Vector weights = steps_.unsigned_vector(name + "all_weights", heads * window_, kWeightBits);
  steps_.for_parts(name + "weights", heads, [&](const std::string& step, int h) {
    steps_.step(step, softmax_weight_kernel(model_.tables), window_, {scores.from(h * window_, 1), top.from(h)},
                {weights.to(h * window_, 1)});
  });
  const Vector sum = steps_.reduce(name + "weight_sum", weights, window_, 2, total_kernel);
  const ScalarVector one = scalars_.constant(name + "one", bitgrid::scalar(1));
  const Vector zero = scalars_.constants(name + "zero", {0}, kExponentBits);
  return {weights, scalars_.divide(name + "reciprocal", one, scalars_.scalar(name + "weight_sum", sum, zero))};
}

/// Weights are in cells, the bits of the values stream past, a channel's of all slots at once.
Vector Lowering::mixed_values(const std::string& name, Vector weights, const CachedCodes& values) {
  const auto heads = int_of(model_.heads), kv = int_of(model_.kv_heads), hd = int_of(model_.head_width);
  const Vector table = tables(name + "mix", weights, false), sums = steps_.reduce(name + "aligned_sums", weights, window_, 2, total_kernel);
  const Kernel stream =
      mapping::streamed_kernel(fmt::format("stream.bits.{}x{}", window_, weights.bits), one_bit_shape(window_, weights.bits));
  const Vector planes = steps_.unsigned_vector(name + "mix_planes", heads * hd * 8, stream.outputs[0].bits);
  steps_.for_parts(name + "mix_planes", heads, [&](const std::string& step, int h) {
    steps_.step(step, stream, hd * 8,
                {table.from(h * window_ / 2 * 3), CacheSource{values.codes, 0, window_, h / (heads / kv) * hd, 1, 0, 1, 8}},
                {planes.to(h * hd * 8, 1)});
  });
  const Vector products = plane_sums(name + "mix_products", planes, stream.outputs[0].max_code[0], false);
  const uint32_t bits = kWeightBits + 8 + bits_of_count(window_);
  const Kernel kernel = mix_kernel(products.bits, sums.bits, bits);
  const Vector mixed = steps_.signed_vector(name + "mixed", heads * hd, bits);
  steps_.for_parts(name + "mixed", heads, [&](const std::string& step, int h) {
    steps_.step(step, kernel, hd, {products.from(h * hd, 1), sums.from(h)}, {mixed.to(h * hd, 1)});
  });
  return mixed;
}

/// Weights of values with shifts of their own, as those of values with the largest shift: floor(weight / 2^(top - shift) + 1/2).
Vector Lowering::aligned_weights(const std::string& name, Vector weights, Vector shifts, Vector top_shift) {
  const auto heads = int_of(model_.heads), kv = int_of(model_.kv_heads);
  constexpr uint32_t kBelow = kWeightBits + 1;  // a shift above leaves nothing
  const Vector below = steps_.unsigned_vector(name + "below_top", kv * window_, kShiftBits);
  steps_.for_parts(name + "below_top", kv, [&](const std::string& step, int g) {
    steps_.step(step, difference_modulo_kernel(kShiftBits, kShiftBits, 0, kShiftBits), window_,
                {top_shift.from(g), shifts.from(g * window_, 1)}, {below.to(g * window_, 1)});
  });
  const Vector powers = scalars_.apply(name + "below_power", falling_power_kernel(kShiftBits, kBelow + 1), below.count, {below.from(0, 1)});
  const Kernel times = product_kernel(weights.factor(), powers.factor());
  const Vector large = steps_.unsigned_vector(name + "large_weights", weights.count, times.outputs[0].bits);
  steps_.for_parts(name + "large_weights", heads, [&](const std::string& step, int h) {
    steps_.step(step, times, window_, {weights.from(h * window_, 1), powers.from(h / (heads / kv) * window_, 1)},
                {large.to(h * window_, 1)});
  });
  return scalars_.apply(name + "aligned", round_kernel(kWeightBits, NumberCode::kUnsigned), large.count,
                        {large.planes(0, 1, int_of(kBelow) - 1)});
}

/// The mix of the cached values.
Vector Lowering::mix(const std::string& name, const SoftmaxWeights& softmax, const CachedCodes& values, const std::string& result,
                     uint32_t bits) {
  const auto heads = int_of(model_.heads), kv = int_of(model_.kv_heads);
  // The largest shift of the cached values: slots never written have 0, which changes nothing.
  const Vector shifts = steps_.unsigned_vector(name + "cached_shifts", kv * window_, kShiftBits);
  steps_.for_parts(name + "cached_shifts", kv, [&](const std::string& step, int g) {
    steps_.step(step, copy_kernel(kSlotsAtOnce, kShiftBits), window_ / kSlotsAtOnce,
                {CacheSource{values.shifts, 0, kSlotsAtOnce, g, 1, kSlotsAtOnce, 0}}, {shifts.to(g * window_, kSlotsAtOnce)});
  });
  const Vector top_shift = steps_.maximum(name + "top_shift", shifts, window_);
  const Vector head_shift = steps_.unsigned_vector(name + "head_shift", heads, kShiftBits);
  steps_.for_parts(name + "head_shift", heads, [&](const std::string& step, int h) {
    steps_.step(step, copy_kernel(1, kShiftBits), 1, {top_shift.from(h / (heads / kv))}, {head_shift.to(h)});
  });
  const Vector aligned = aligned_weights(name, softmax.weights, shifts, top_shift);
  const ScalarVector by_shift = scalars_.shifted(name + "shifted_mix", softmax.reciprocal, head_shift);
  const ScalarVector mix_unit = {by_shift.m,
                                 scalars_.apply(name + "mix_unit", plus_constant_kernel(kExponentBits, kMixFraction, kExponentBits), heads,
                                                {by_shift.e.from(0, 1)}, NumberCode::kTwos)};
  const Vector mixed = mixed_values(name, aligned, values);
  return scale(result, mixed, mix_unit, bits);
}

Vector Lowering::attention(const std::string& name, const SoftmaxAttention& layer, Vector x) {
  const std::string self = name + "self_attn.";
  const auto heads = int_of(model_.heads), kv = int_of(model_.kv_heads);
  const Source eps = steps_.constants(name + "stream_eps", {model_.stream_eps}, kEpsBits, false);
  const Codes a = norm(name + "input_norm", x, layer.input, eps, name + "a");
  const Vector q = matrix(self + "q_proj", layer.query, a.codes, self + "q"), k = matrix(self + "k_proj", layer.key, a.codes, self + "k"),
               v = matrix(self + "v_proj", layer.value, a.codes, self + "v");
  const ScalarVector unit_q = unit(self + "unit_q", a.unit, layer.query, -kRotaryFraction);
  const ScalarVector unit_k = unit(self + "unit_k", a.unit, layer.key, layer.key_fraction - kRotaryFraction);
  const ScalarVector unit_v = unit(self + "unit_v", a.unit, layer.value, layer.value_fraction);
  const Vector turned_q = turned(self + "turned_q", q, heads), turned_k = turned(self + "turned_k", k, kv);
  const uint32_t value_bits = fixed_bits(layer.value, layer.input, layer.value_fraction);
  const Vector key = scale(self + "key", turned_k, unit_k, fixed_bits(layer.key, layer.input, layer.key_fraction));
  const Vector value = scale(self + "value", v, unit_v, value_bits);
  const auto [k_shift, k8] = head_codes(self + "keys", key, kv, self + "k8");
  const auto [v_shift, v8] = head_codes(self + "values", value, kv, self + "v8");
  const Vector k_sums = code_sums(self + "key_sums", k8, kv);
  // Shifts of keys are cached as powers of two, by which their products with queries are multiplied.
  const uint32_t power_bits = key.bits - 6;
  const Vector powers = steps_.unsigned_vector(self + "key_powers", kv, power_bits);
  steps_.step(self + "key_powers", power_kernel(kShiftBits, power_bits), kv, {k_shift.from(0, 1)}, {powers.to(0, 1)});
  const CachedCodes keys = {builder_.add_cache(k8.tensor, window_), builder_.add_cache(powers.tensor, window_), -1,
                            builder_.add_cache(k_sums.tensor, window_), power_bits};
  const CachedCodes values = {builder_.add_cache(v8.tensor, window_), -1, builder_.add_cache(v_shift.tensor, window_), -1, 0};
  const SoftmaxWeights weights = softmax(self, scores(self, layer, turned_q, unit_q, keys));
  const Vector o = mix(self, weights, values, name + "o", std::min(47u, value_bits + kMixFraction + 2));
  const Source output_eps = steps_.constants(name + "output_eps", {layer.output_eps}, kEpsBits, false);
  const Codes b = norm(self + "sub_norm", o, *layer.sub_norm, output_eps, self + "o_codes");
  return add(self + "o_proj", x, layer.output, b, name + "x_mid");
}

}  // namespace bitgrid::scales
