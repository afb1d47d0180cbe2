// Scalars of ir/scalar.h as steps of a Program: mantissas and exponents in tensors of their own, and rows of cells that work on them.
// Shifts are planes that ports read from; quotients and roots take a subtraction and a choice for each of their bits.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "ir/scalar.h"
#include "lowering/scales/vector_steps.h"

namespace bitgrid::scales {

/// Scalars: mantissas of kMantissaBits, unsigned, and exponents of kExponentBits in two's complement.
struct ScalarVector {
  Vector m, e;

  int count() const { return std::max(m.count, e.count); }
};

/// Functions are those of the same name in ir/scalar.h, for each number of a vector; a vector of one number serves all of the other's.
/// Exponents must fit.
class ScalarSteps {
 public:
  explicit ScalarSteps(VectorSteps& steps) : s_(steps) {}

  ScalarVector constant(const std::string& name, const Scalar& value);
  /// n * 2^e of unsigned n. `length`, if given, gets their bit lengths.
  ScalarVector scalar(const std::string& name, Vector n, Vector e, Vector* length = nullptr);
  ScalarVector multiply(const std::string& name, const ScalarVector& a, const ScalarVector& b);
  ScalarVector divide(const std::string& name, const ScalarVector& a, const ScalarVector& b);
  ScalarVector square_root(const std::string& name, const ScalarVector& a);
  /// a * 2^n of a signed or unsigned n.
  ScalarVector shifted(const std::string& name, const ScalarVector& a, Vector n);
  /// `bits` bits, unsigned, more than 46.
  Vector whole(const std::string& name, const ScalarVector& a, uint32_t bits);

  /// (a << 16) / b of mantissas, with b's highest bit set: 17 bits.
  Vector quotient(const std::string& name, Vector a, Vector b);
  /// Words of kScalarWord bits.
  Vector packed(const std::string& name, const ScalarVector& a);
  /// A vector of results of a kernel with one output, each of one number of every source.
  Vector apply(const std::string& name, const Kernel& kernel, int count, std::vector<Source> inputs,
               NumberCode code = NumberCode::kUnsigned);
  Vector constants(const std::string& name, const std::vector<int64_t>& values, uint32_t bits, NumberCode code = NumberCode::kTwos);

 private:
  ScalarVector from_highest(const std::string& name, Vector n, int plane_if_zero, Vector e);
  ScalarVector without_exponent_of_zero(const std::string& name, Vector m, Vector e);
  Vector exponent_sum(const std::string& name, Vector a, const Source& b, int count);

  VectorSteps& s_;
};

}  // namespace bitgrid::scales
