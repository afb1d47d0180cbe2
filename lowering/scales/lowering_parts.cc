// What all layers are made of: tables, norms, matrices, sums of the stream.
#include <fmt/format.h>

#include "ir/index.h"
#include "lowering/scales/kernels.h"
#include "lowering/scales/lowering.h"
#include "lowering/scales/row_kernels.h"

namespace bitgrid::scales {

void Lowering::set_tables() {
  const auto half = int_of(model_.head_width / 2);
  const auto turns = [&](const char* name, const std::vector<int16_t>& values) {
    CodeTable table{name, context_, half, kGainBits, {}};
    for (size_t i = 0; i < index_of(context_ * half); ++i)
      table.codes.push_back(static_cast<uint64_t>(int64_t{values[i]} + (int64_t{1} << (kGainBits - 1))));
    return builder_.add_code_table(std::move(table));
  };
  cosine_ = turns("cosine", model_.tables.cosine);
  sine_ = turns("sine", model_.tables.sine);
  CodeTable written{"written", 1, window_ + 1, 1, std::vector<uint64_t>(index_of(window_), 1)};
  written.codes.push_back(0);
  written_ = builder_.add_code_table(std::move(written));
}

Vector Lowering::embed() {
  const auto n = int_of(model_.width), vocabulary = int_of(model_.embedding.vocabulary);
  const uint32_t bits = stream_bits();
  CodeTable table{"embedding", vocabulary, n, bits, {}};
  table.read_row = [row = model_.embedding.row, bits](int t, std::span<uint64_t> codes) {
    std::vector<int64_t> values(codes.size());
    row(index_of(t), values);
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<uint64_t>(values[i] + (int64_t{1} << (bits - 1)));
  };
  const Vector x = steps_.signed_vector("model.layers.0.x", n, bits);
  const int lanes = lanes_of(n, kLightLanes);
  steps_.step("embed", copy_kernel(lanes, bits), n / lanes, {TokenSource{builder_.add_code_table(std::move(table)), 0, 0, lanes}},
              {x.to(0, lanes)});
  return x;
}

Codes Lowering::norm(const std::string& name, Vector x, const Norm& norm, const Source& eps, const std::string& codes_name) {
  const int n = x.count;
  const std::vector<int64_t> gain(norm.gain.values.begin(), norm.gain.values.end());
  const Vector y = product(name + ".y", x, steps_.constants(name + ".gain", gain, kGainBits, true, 1), {kGainBits, NumberCode::kOffset},
                           NumberCode::kTwos);
  const Vector shift_x = shift(name + ".shift_x", lengths(name + ".length_x", x, n), kNormBits - 1);
  const Vector shift_y = shift(name + ".shift_y", lengths(name + ".length_y", y, n), kCutBits - 1);
  const Vector b = cut(name + ".squared", x, shift_x, kNormBits, NumberCode::kTwos);
  const Vector squares = product(name + ".squares", b, b.from(0, 1), b.factor(), NumberCode::kUnsigned, 2 * kNormBits - 2);
  const Vector sum = steps_.reduce(name + ".sum", squares, n, 2, total_kernel);
  const Vector c = cut(name + ".cut", y, shift_y, kCutBits, NumberCode::kTwos);
  const Vector sizes = steps_.unsigned_vector(name + ".sizes", n, kCutBits - 1);
  steps_.step(name + ".sizes", magnitude_kernel(kCutBits), n, {c.from(0, 1), c.planes(0, 1, kCutBits - 1)}, {sizes.to(0, 1)});
  const Vector top = steps_.maximum(name + ".top", sizes, n);
  const ScalarVector rms = scalars_.square_root(name + ".rms", mean_square(name, sum, shift_x, eps));
  Vector length;
  const ScalarVector largest = scalars_.scalar(name + ".largest", top, as_exponent(name + ".exponent", shift_y), &length);
  const ScalarVector scaled = scalars_.multiply(name + ".scaled", largest, scalars_.constant(name + ".code_scale", norm.code_scale));
  const ScalarVector unit = scalars_.divide(name + ".unit", scaled, rms);
  // floor(most * 2^k / largest) with k = the length of the largest + 16 - code bits: the same of its mantissa.
  const int64_t most = (int64_t{1} << (norm.code_bits - 1)) - 1;
  Vector numerator = scalars_.constants(name + ".numerator", {most << (16 - norm.code_bits)}, kMantissaBits + 1);
  const Vector reciprocal = scalars_.quotient(name + ".reciprocal", numerator, largest.m);
  const Vector code_shift =
      scalars_.apply(name + ".code_shift", plus_constant_kernel(length.bits, 16 - norm.code_bits, kCodeShiftBits), 1, {length.from()});
  const Factor reciprocal_factor{kReciprocalBits, NumberCode::kUnsigned};
  const Vector large = product(name + ".large", c, reciprocal.planes(0, 0, 0), reciprocal_factor, NumberCode::kTwos);
  const auto code_bits = id_of(norm.code_bits);
  const Vector codes = steps_.signed_vector(codes_name, n, code_bits);
  steps_.step(name + ".codes", round_kernel(code_bits, NumberCode::kOffset), n, {large.planes(0, 1, {code_shift.tensor, 0, -1})},
              {codes.to(0, 1)});
  return {codes, unit};
}

/// The sum of squares times 2^(2 shift), and eps; at least one.
ScalarVector Lowering::mean_square(const std::string& name, Vector sum, Vector shift, const Source& eps) {
  const Vector doubled = scalars_.apply(name + ".doubled", copy_kernel(1, kShiftBits + 1), 1, {shift.planes(0, 0, -1)});
  const Vector known = scalars_.apply(name + ".eps", copy_kernel(1, kEpsBits), 1, {eps});
  const Vector all = scalars_.apply(name + ".all", sum_modulo_kernel(sum.bits, kEpsBits, kEpsBits + 1), 1,
                                    {sum.from(), known.planes(0, 0, {doubled.tensor, 0, 0})});
  const Vector none = scalars_.apply(name + ".none", zero_kernel(all.bits), 1, {all.from()});
  const Vector mean = scalars_.apply(name + ".mean", at_least_one_kernel(all.bits), 1, {all.from(), none.from()});
  return scalars_.scalar(name + ".mean_square", mean, as_exponent(name + ".doubled_exponent", doubled));
}

Vector Lowering::as_exponent(const std::string& name, Vector n) {
  return scalars_.apply(name, copy_kernel(1, kExponentBits), n.count, {n.planes(0, 1, 0)}, NumberCode::kTwos);
}

Vector Lowering::product(const std::string& name, Vector x, const Source& by, const Factor& by_factor, NumberCode code, uint32_t outputs) {
  const Kernel kernel = product_kernel(x.factor(), by_factor, outputs, code == NumberCode::kOffset);
  const Vector y = steps_.vector(name, x.count, kernel.outputs[0].bits, code);
  steps_.step(name, kernel, x.count, {x.from(0, 1), by}, {y.to(0, 1)});
  return y;
}

Vector Lowering::lengths(const std::string& name, Vector x, int group) {
  const Vector each = steps_.unsigned_vector(name, x.count, x.bits);
  steps_.step(name, length_kernel(x.bits, x.code), x.count, {x.from(0, 1), x.planes(0, 1, 1)}, {each.to(0, 1)});
  return steps_.reduce(name + ".or", each, group, kLightLanes, or_kernel);
}

Vector Lowering::shift(const std::string& name, Vector lengths, uint32_t keep) {
  const Vector shift = steps_.unsigned_vector(name, lengths.count, kShiftBits);
  steps_.step(name, shift_kernel(lengths.bits, keep), lengths.count, {lengths.from(0, 1)}, {shift.to(0, 1)});
  return shift;
}

Vector Lowering::in_twos_complement(const std::string& name, Vector x) {
  if (x.code != NumberCode::kOffset) return x;
  const Vector y = steps_.twos_vector(name, x.count, x.bits);
  const int lanes = lanes_of(x.count, kLightLanes);
  steps_.step(name, twos_kernel(lanes, x.bits), x.count / lanes, {x.from(0, lanes)}, {y.to(0, lanes)});
  return y;
}

Vector Lowering::cut(const std::string& name, Vector x, Vector shifts, uint32_t to, NumberCode code) {
  x = in_twos_complement(name + ".twos", x);
  const int parts = shifts.count, n = x.count / parts;
  const Vector overflow = steps_.unsigned_vector(name + ".overflow", x.count, 1), y = steps_.vector(name, x.count, to, code);
  steps_.for_parts(name + ".overflow", parts, [&](const std::string& step, int p) {
    steps_.step(step, overflow_kernel(to), n, {x.planes(p * n, 1, {shifts.tensor, p, -1}), x.planes(p * n, 1, {shifts.tensor, p, 0})},
                {overflow.to(p * n, 1)});
  });
  steps_.for_parts(name, parts, [&](const std::string& step, int p) {
    steps_.step(step, cut_kernel(to, code), n, {overflow.from(p * n, 1), x.planes(p * n, 1, {shifts.tensor, p, -1})}, {y.to(p * n, 1)});
  });
  return y;
}

std::pair<Vector, Vector> Lowering::scaled_planes(const std::string& name, Vector x, const ScalarVector& units) {
  const int parts = units.count(), n = x.count / parts;
  const Vector planes = scalars_.apply(name + ".plane", complement_kernel(kExponentBits), parts,
                                       {units.e.from(0, units.e.count == parts ? 1 : 0)}, NumberCode::kTwos);
  const Kernel kernel = product_kernel(x.factor(), units.m.factor());
  const Vector y = steps_.twos_vector(name + ".product", x.count, kernel.outputs[0].bits);
  steps_.for_parts(name + ".product", parts, [&](const std::string& step, int p) {
    steps_.step(step, kernel, n, {x.from(p * n, 1), units.m.from(units.m.count == parts ? p : 0)}, {y.to(p * n, 1)});
  });
  return {y, planes};
}

Vector Lowering::scale(const std::string& name, Vector x, const ScalarVector& units, uint32_t to) {
  const std::pair<Vector, Vector> scaled = scaled_planes(name, x, units);
  const Vector product = scaled.first, planes = scaled.second;  // clang 14 captures no structured bindings
  const Vector y = steps_.signed_vector(name, x.count, to);
  const int n = x.count / units.count();
  steps_.for_parts(name, units.count(), [&](const std::string& step, int p) {
    steps_.step(step, round_kernel(to, NumberCode::kOffset), n, {product.planes(p * n, 1, {planes.tensor, p, 0})}, {y.to(p * n, 1)});
  });
  return y;
}

ScalarVector Lowering::unit(const std::string& name, const ScalarVector& of_codes, const LinearMap& map, int64_t shift) {
  return scalars_.multiply(name, of_codes, scalars_.constant(name + ".scale", shifted(map.scale, shift)));
}

Vector Lowering::add(const std::string& name, Vector x, const LinearMap& map, const Codes& codes, const std::string& result) {
  const Vector y = matrix(name, map, codes.codes, name + ".sums");
  const ScalarVector u = unit(name + ".unit", codes.unit, map, model_.embedding.fraction);
  const Vector out = steps_.signed_vector(result, x.count, x.bits);
  const auto [product, plane] = scaled_planes(name + ".add", y, u);
  steps_.step(name + ".add", add_rounded_kernel(x.bits), x.count, {x.from(0, 1), product.planes(0, 1, {plane.tensor, 0, 0})},
              {out.to(0, 1)});
  return out;
}

}  // namespace bitgrid::scales
