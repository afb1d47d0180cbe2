// What all layers are made of: tables, norms, matrices, sums of the stream.
#include <fmt/format.h>

#include "ir/index.h"
#include "lowering/scales/kernels.h"
#include "lowering/scales/lowering.h"

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
  const int n = x.count, heavy = lanes_of(n, kHeavyLanes), parts = n / heavy;
  std::vector<int64_t> gain(norm.gain.values.begin(), norm.gain.values.end());
  RowSource gains = steps_.constants(name + ".gain", gain, kGainBits, true, heavy);
  const Vector y = steps_.signed_vector(name + ".y", n, x.bits + kGainBits);
  const Vector or_x = steps_.unsigned_vector(name + ".or_x", parts, x.bits), or_y = steps_.unsigned_vector(name + ".or_y", parts, y.bits);
  steps_.step(name + ".times_gain", gain_kernel(heavy, x.bits), parts, {x.from(0, heavy), gains},
              {y.to(0, heavy), or_x.to(0, 1), or_y.to(0, 1)});
  const Vector all_x = steps_.reduce(name + ".or_of_x", or_x, parts, or_kernel),
               all_y = steps_.reduce(name + ".or_of_y", or_y, parts, or_kernel);
  const Vector shift_x = steps_.unsigned_vector(name + ".shift_x", 1, kShiftBits),
               shift_y = steps_.unsigned_vector(name + ".shift_y", 1, kShiftBits);
  steps_.step(name + ".shift_of_x", shift_kernel(x.bits, kNormBits - 1), 1, {all_x.from()}, {shift_x.to()});
  steps_.step(name + ".shift_of_y", shift_kernel(y.bits, kCutBits - 1), 1, {all_y.from()}, {shift_y.to()});
  const Kernel squares = squares_kernel(heavy, x.bits);
  const Vector partial = steps_.unsigned_vector(name + ".squares", parts, squares.outputs[0].bits);
  steps_.step(name + ".squares", squares, parts, {x.from(0, heavy), shift_x.from()}, {partial.to(0, 1)});
  const Vector sum = steps_.reduce(name + ".sum", partial, parts, total_kernel);
  const Vector cut = steps_.signed_vector(name + ".cut", n, kCutBits), tops = steps_.unsigned_vector(name + ".tops", parts, kCutBits - 1);
  steps_.step(name + ".cut", cut_and_maximum_kernel(heavy, y.bits), parts, {y.from(0, heavy), shift_y.from()},
              {cut.to(0, heavy), tops.to(0, 1)});
  const Vector top = steps_.reduce(name + ".top", tops, parts, maximum_kernel);
  const Vector unit = steps_.scalar(name + ".unit"), reciprocal = steps_.unsigned_vector(name + ".reciprocal", 1, kReciprocalBits),
               shift = steps_.unsigned_vector(name + ".code_shift", 1, kCodeShiftBits);
  steps_.step(name + ".scalars", norm_kernel(sum.bits, norm.code_bits), 1,
              {sum.from(), shift_x.from(), eps, top.from(), shift_y.from(), steps_.constant(name + ".code_scale", norm.code_scale)},
              {unit.to(), reciprocal.to(), shift.to()});
  const Vector codes = steps_.signed_vector(codes_name, n, id_of(norm.code_bits));
  steps_.step(name + ".codes", code_kernel(heavy, norm.code_bits), parts, {cut.from(0, heavy), reciprocal.from(), shift.from()},
              {codes.to(0, heavy)});
  return {codes, unit};
}

Vector Lowering::unit(const std::string& name, Vector of_codes, const LinearMap& map, int64_t shift) {
  const Vector u = steps_.scalar(name);
  steps_.step(name, unit_kernel(), 1,
              {of_codes.from(), steps_.constant(name + ".scale", map.scale),
               steps_.constants(name + ".shift", {shift & ((int64_t{1} << kExponentBits) - 1)}, kExponentBits, false)},
              {u.to()});
  return u;
}

Vector Lowering::add(const std::string& name, Vector x, const LinearMap& map, const Codes& codes, const std::string& result) {
  const Vector y = matrix(name, map, codes.codes, name + ".sums");
  const Vector u = unit(name + ".unit", codes.unit, map, model_.embedding.fraction);
  const Vector out = steps_.signed_vector(result, x.count, x.bits);
  const int lanes = lanes_of(x.count, kHeavyLanes);
  steps_.step(name + ".add", add_scaled_kernel(lanes, x.bits, y.bits), x.count / lanes, {x.from(0, lanes), y.from(0, lanes), u.from()},
              {out.to(0, lanes)});
  return out;
}

Vector Lowering::scale(const std::string& name, Vector x, Vector unit, uint32_t to) {
  const Vector y = steps_.signed_vector(name, x.count, to);
  const int lanes = lanes_of(x.count, kHeavyLanes);
  steps_.step(name, scale_kernel(lanes, x.bits, to), x.count / lanes, {x.from(0, lanes), unit.from()}, {y.to(0, lanes)});
  return y;
}

}  // namespace bitgrid::scales
