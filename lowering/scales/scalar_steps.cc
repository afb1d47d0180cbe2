#include "lowering/scales/scalar_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/index.h"
#include "lowering/scales/kernels.h"
#include "lowering/scales/row_kernels.h"
#include "lowering/scales/words.h"

namespace bitgrid::scales {
namespace {

/// One number for each of `count`, or the same for all.
int stride_of(Vector v, int count) {
  return v.count == count ? 1 : 0;
}
TensorSource each(Vector v, int count) {
  return v.from(0, stride_of(v, count));
}
TensorSource each(Vector v, int count, int plane) {
  return v.planes(0, stride_of(v, count), plane);
}

}  // namespace

Vector ScalarSteps::apply(const std::string& name, const Kernel& kernel, int count, std::vector<Source> inputs, NumberCode code) {
  const Vector y = s_.vector(name, count, kernel.outputs[0].bits, code);
  s_.step(name, kernel, count, std::move(inputs), {y.to(0, 1)});
  return y;
}

Vector ScalarSteps::constants(const std::string& name, const std::vector<int64_t>& values, uint32_t bits, NumberCode code) {
  std::vector<int64_t> codes;
  for (const int64_t v : values) codes.push_back(v & ((int64_t{1} << bits) - 1));
  return apply(name, copy_kernel(1, bits), int_of(values.size()), {s_.constants(name + ".constant", codes, bits, false, 1)}, code);
}

ScalarVector ScalarSteps::constant(const std::string& name, const Scalar& value) {
  return {constants(name + ".m", {value.m}, kMantissaBits, NumberCode::kUnsigned), constants(name + ".e", {value.e}, kExponentBits)};
}

Vector ScalarSteps::exponent_sum(const std::string& name, Vector a, const Source& b, int count) {
  return apply(name, sum_modulo_kernel(kExponentBits, kExponentBits, kExponentBits), count, {each(a, count), b}, NumberCode::kTwos);
}

/// The exponent of 0 is 0.
ScalarVector ScalarSteps::without_exponent_of_zero(const std::string& name, Vector m, Vector e) {
  const int n = m.count;
  return {m, apply(name, keep_kernel(kExponentBits), n, {m.planes(0, 1, int_of(kMantissaBits) - 1), each(e, n)}, NumberCode::kTwos)};
}

ScalarVector ScalarSteps::scalar(const std::string& name, Vector n, Vector e, Vector* length) {
  const Vector lengths = apply(name + ".length", bit_length_kernel(n.bits), n.count, {n.from(0, 1)});
  if (length != nullptr) *length = lengths;
  const Vector plane = apply(name + ".plane", plus_constant_kernel(lengths.bits, -int64_t{kMantissaBits}, 8), n.count, {lengths.from(0, 1)},
                             NumberCode::kTwos);
  const Vector m = s_.unsigned_vector(name + ".m", n.count, kMantissaBits);
  s_.for_parts(name + ".m", n.count, [&](const std::string& step, int i) {
    s_.step(step, copy_kernel(1, kMantissaBits), 1, {n.planes(i, 0, {plane.tensor, i, 0})}, {m.to(i)});
  });
  const Vector sum = exponent_sum(name + ".e_sum", e, plane.planes(0, 1, 0), n.count);
  return without_exponent_of_zero(name + ".e", m, sum);
}

/// n, whose highest bit or the one below is set unless it is 0, times 2^e: the mantissa begins at plane `plane_if_zero` if the highest bit
/// is 0, else one plane above.
ScalarVector ScalarSteps::from_highest(const std::string& name, Vector n, int plane_if_zero, Vector e) {
  const TensorSource highest = n.planes(0, 1, int_of(n.bits) - 1);
  const Vector m = apply(name + ".m", choose_kernel(kMantissaBits), n.count,
                         {highest, n.planes(0, 1, plane_if_zero), n.planes(0, 1, plane_if_zero + 1)});
  const Vector sum =
      apply(name + ".e_sum", plus_bit_kernel(kExponentBits, plane_if_zero), n.count, {highest, each(e, n.count)}, NumberCode::kTwos);
  return without_exponent_of_zero(name + ".e", m, sum);
}

ScalarVector ScalarSteps::multiply(const std::string& name, const ScalarVector& a, const ScalarVector& b) {
  const int n = std::max(a.count(), b.count());
  const Vector p = apply(name + ".product", product_kernel(a.m.factor(), b.m.factor()), n, {each(a.m, n), each(b.m, n)});
  return from_highest(name, p, 15, exponent_sum(name + ".exponents", a.e, each(b.e, n), n));
}

Vector ScalarSteps::quotient(const std::string& name, Vector a, Vector b) {
  constexpr uint32_t kNext = kMantissaBits + 1;
  const int n = std::max(a.count, b.count), bits = kMantissaBits + 1;
  const Vector ones = s_.unsigned_vector(name + ".bits", n * bits, 1);
  Vector rest = a;
  for (int i = 0; i < bits; ++i) {
    const std::string step = fmt::format("{}.{}", name, i);
    const int plane = i == 0 ? 0 : -1;  // the next bit of a << 16 is 0
    const Vector less = s_.unsigned_vector(step + ".rest", n, kMantissaBits);
    s_.step(step + ".trial", trial_kernel(kNext, kMantissaBits), n, {each(rest, n, plane), each(b, n)},
            {ones.to(bits - 1 - i, bits), less.to(0, 1)});
    rest = apply(step, choose_kernel(kMantissaBits), n, {ones.from(bits - 1 - i, bits), each(rest, n, plane), less.from(0, 1)});
  }
  return apply(name, gather_kernel(bits), n, {ones.from(0, bits)});
}

ScalarVector ScalarSteps::divide(const std::string& name, const ScalarVector& a, const ScalarVector& b) {
  const int n = std::max(a.count(), b.count());
  const Vector q = quotient(name + ".quotient", a.m, b.m);
  const Vector e = apply(name + ".exponents", difference_modulo_kernel(kExponentBits, kExponentBits, 0, kExponentBits), n,
                         {each(a.e, n), each(b.e, n)}, NumberCode::kTwos);
  const Vector less = apply(name + ".exponent", plus_constant_kernel(kExponentBits, -int64_t{kMantissaBits}, kExponentBits), n,
                            {e.from(0, 1)}, NumberCode::kTwos);
  const ScalarVector all = from_highest(name + ".all", q, 0, less);
  // A divisor of mantissa 0 counts as mantissa 1.
  const Source divisor = each(b.m, n, int_of(kMantissaBits) - 1);
  return {apply(name + ".m", choose_kernel(kMantissaBits), n, {divisor, each(a.m, n), all.m.from(0, 1)}),
          apply(name + ".e", choose_kernel(kExponentBits), n, {divisor, e.from(0, 1), all.e.from(0, 1)}, NumberCode::kTwos)};
}

/// The integer root of m * 2^16, or m * 2^17 where the exponent is odd, two bits a step.
ScalarVector ScalarSteps::square_root(const std::string& name, const ScalarVector& a) {
  const int n = a.count(), bits = kMantissaBits + 1;
  constexpr uint32_t kRadicand = 2 * kMantissaBits + 2, kRest = kMantissaBits + 3;
  const Vector plane = apply(name + ".plane", root_plane_kernel(), n, {a.e.planes(0, 1, 0)}, NumberCode::kTwos);
  const Vector radicand = s_.unsigned_vector(name + ".radicand", n, kRadicand);
  s_.for_parts(name + ".radicand", n, [&](const std::string& step, int i) {
    s_.step(step, copy_kernel(1, kRadicand), 1, {a.m.planes(i, 0, {plane.tensor, i, 0})}, {radicand.to(i)});
  });
  const std::vector<int64_t> zeros(index_of(n));
  Vector rest = constants(name + ".rest", zeros, kRest), root = constants(name + ".root", zeros, id_of(bits));
  for (int i = 0; i < bits; ++i) {
    const std::string step = fmt::format("{}.{}", name, i);
    const Vector next = apply(step + ".next", append_kernel(kRest, 2), n, {rest.from(0, 1), radicand.planes(0, 1, 2 * (bits - 1 - i))});
    const Vector trial = apply(step + ".candidate", root_trial_kernel(kRest), n, {root.planes(0, 1, -2)});
    const Vector fits = s_.unsigned_vector(step + ".fits", n, 1), less = s_.unsigned_vector(step + ".less", n, kRest);
    s_.step(step + ".trial", trial_kernel(kRest, kRest), n, {next.from(0, 1), trial.from(0, 1)}, {fits.to(0, 1), less.to(0, 1)});
    rest = apply(step + ".rest", choose_kernel(kRest), n, {fits.from(0, 1), next.from(0, 1), less.from(0, 1)});
    root = apply(step, append_kernel(id_of(bits), 1), n, {root.from(0, 1), fits.from(0, 1)});
  }
  const Vector e = apply(name + ".half", plus_constant_kernel(kExponentBits, -int64_t{kMantissaBits} / 2, kExponentBits), n,
                         {a.e.planes(0, 1, 1)}, NumberCode::kTwos);
  return from_highest(name, root, 0, e);
}

ScalarVector ScalarSteps::shifted(const std::string& name, const ScalarVector& a, Vector n) {
  const int count = std::max(a.count(), n.count);
  return {a.m, exponent_sum(name, a.e, n.planes(0, stride_of(n, count), 0), count)};
}

/// m * 2^e is 2^46 or more where e >= 31, and less where e < 31.
Vector ScalarSteps::whole(const std::string& name, const ScalarVector& a, uint32_t bits) {
  constexpr uint32_t kBits = 46;
  const int n = a.count();
  const Vector plane = apply(name + ".plane", negative_kernel(kExponentBits), n, {a.e.from(0, 1)}, NumberCode::kTwos);
  const Vector above =
      apply(name + ".above", plus_constant_kernel(kExponentBits + 1, -31, kExponentBits + 1), n, {a.e.planes(0, 1, 0)}, NumberCode::kTwos);
  const Vector y = s_.unsigned_vector(name, n, bits);
  s_.for_parts(name, n, [&](const std::string& step, int i) {
    s_.step(
        step, whole_kernel(kBits, bits), 1,
        {a.m.planes(i, 0, {plane.tensor, i, 0}), above.planes(i, 0, int_of(kExponentBits)), a.m.planes(i, 0, int_of(kMantissaBits) - 1)},
        {y.to(i)});
  });
  return y;
}

Vector ScalarSteps::packed(const std::string& name, const ScalarVector& a) {
  const int n = a.count();
  return apply(name, pack_kernel(), n, {a.m.from(0, 1), each(a.e, n)});
}

}  // namespace bitgrid::scales
