// Worst-case ranges of all values of a model. Word widths follow from them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/model.h"

namespace bitgrid {

/// The integers lo .. hi.
struct Range {
  int64_t lo = 0;
  int64_t hi = 0;

  bool contains(int64_t value) const { return lo <= value && value <= hi; }
  bool contains(const Range& r) const { return lo <= r.lo && r.hi <= hi; }
  bool operator==(const Range&) const = default;
};

/// The ranges of a sum, of a product, and of a value that is one of the two.
Range operator+(Range a, Range b);
Range operator*(Range a, Range b);
Range hull(Range a, Range b);

/// Returns the range of a sum of `n` values from this range: n * lo .. n * hi.
Range repeated(Range r, int64_t n);

/// Returns the bits of the narrowest two's complement number that holds the range (at least 1).
int signed_bits(Range r);

/// Returns the bits of the narrowest unsigned number that holds the range (at least 1). Needs lo >= 0.
int unsigned_bits(Range r);

/// Returns the smallest and largest sum of row `row` (of all rows) over operands that each lie in `operand`. Some operand reaches each
/// bound.
Range sums(const Matrix& weights, int row, Range operand);
Range sums(const Matrix& weights, Range operand);

/// The same for partial sums over the columns first .. last - 1.
Range partial_sums(const Matrix& weights, int row, int first, int last, Range operand);

/// Returns the range of an activation's results: the declared range of a Requantise, -1 .. 1 for a Sign, and `operand` without an
/// activation.
Range activation_range(const Activation& activation, Range operand);

/// Returns the range of a table's entries.
Range table_range(const Table& table);

/// Returns the range of a linear map's results, after its sums, activation and table.
Range linear_range(const Linear& linear, Range operand);

/// Returns layers + 1 ranges: the stream before each layer, and after the last one.
std::vector<Range> stream_ranges(const Model& model);

/// Returns the range of every value by name. The names are those of the CPU engine's trace (reference_cpu/engine.h), plus these, all before
/// the bias is added: "layers.N.query.sums", ".key.sums", ".value.sums", ".score", ".mix.sums", ".output.sums" of attention;
/// "layers.N.up.sums", ".down.sums" of feed-forward; "layers.N.sums" of linear layers.
std::map<std::string, Range> value_ranges(const Model& model);

}  // namespace bitgrid
