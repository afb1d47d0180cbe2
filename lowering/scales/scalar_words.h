// The scalars of ir/scalar.h as nodes of a Dag: a 16-bit mantissa, and an exponent in two's complement. Each function matches the one of
// the same name there, for exponents that fit.
#pragma once

#include "ir/dag.h"
#include "ir/scalar.h"

namespace bitgrid::scales {

inline constexpr uint32_t kMantissaBits = 16, kExponentBits = 12, kScalarWord = kMantissaBits + kExponentBits;

struct ScalarNode {
  NodeId m = 0, e = 0;
};

/// Unpacks a word of kScalarWord bits, with the mantissa in the lower bits.
ScalarNode unpack_scalar(Dag& dag, NodeId word);
NodeId pack_scalar(Dag& dag, const ScalarNode& a);
uint64_t scalar_code(const Scalar& a);
Scalar scalar_of_code(uint64_t code);

/// An unsigned number times 2^e; e is signed, with kExponentBits.
ScalarNode scalar(Dag& dag, NodeId n, NodeId e);
ScalarNode multiply(Dag& dag, const ScalarNode& a, const ScalarNode& b);
ScalarNode divide(Dag& dag, const ScalarNode& a, const ScalarNode& b);
ScalarNode square_root(Dag& dag, const ScalarNode& a);
/// a * 2^n; n is signed, with any width up to kExponentBits.
ScalarNode shifted(Dag& dag, const ScalarNode& a, NodeId n);
/// Returns 47 bits, unsigned.
NodeId whole(Dag& dag, const ScalarNode& a);
/// Returns floor(v * a + 1/2) of a signed v as a signed number of `width` bits, in which it must fit.
NodeId scaled(Dag& dag, NodeId v, const ScalarNode& a, uint32_t width);

}  // namespace bitgrid::scales
