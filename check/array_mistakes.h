// Mistakes of kernels that their arrays give away.
#pragma once

#include <string>
#include <vector>

#include "check/against.h"

namespace bitgrid::check {

/// The mistake that gives every value of the array, or every value of the channel of element `first`, in words; empty: none is known. `got`
/// has as many values as `exact`, and differs at `first`.
std::string explain(const ExactArray& exact, size_t rows, const std::vector<double>& got, size_t first);

/// The low bits of a value, as a signed number.
int64_t wrapped(int64_t value, int bits);
/// The nearest number that so many bits hold.
int64_t saturated(int64_t value, int bits);

}  // namespace bitgrid::check
