// Sums and products of counts that a user's numbers can push past 64 bits. The result is exact, or an Error is thrown.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <string>

#include "ir/error.h"

namespace bitgrid {

[[noreturn]] inline void refuse_total(const std::string& what) {
  throw Error("", fmt::format("there are more than {} {}", INT64_MAX, what),
              "make the model, its context or the number of streams smaller");
}

/// `what` names the things that are counted, such as "cells", for the Error.
inline int64_t checked_product(std::initializer_list<int64_t> factors, const std::string& what) {
  int64_t product = 1;
  for (const int64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) refuse_total(what);
  }
  return product;
}

inline int64_t checked_sum(int64_t a, int64_t b, const std::string& what) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) refuse_total(what);
  return sum;
}

}  // namespace bitgrid
