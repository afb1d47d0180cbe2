// Worst-case ranges of every value of a model: what widths are derived from.
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

/// Of the sum, of the product, and of either value.
Range operator+(Range a, Range b);
Range operator*(Range a, Range b);
Range hull(Range a, Range b);

/// Of a value that can be any of `n` such values added: n * lo .. n * hi.
Range repeated(Range r, int64_t n);

/// Bits of the narrowest two's complement number that holds the range (at least 1).
int signed_bits(Range r);

/// Bits of the narrowest unsigned number that holds the range (at least 1). Needs lo >= 0.
int unsigned_bits(Range r);

/// Smallest and largest sum of row `row` (of all rows) over operands that each lie in `operand`. Reached by some operand: no slack.
Range sums(const Matrix& weights, int row, Range operand);
Range sums(const Matrix& weights, Range operand);

/// Likewise for partial sums over the columns first .. last - 1.
Range partial_sums(const Matrix& weights, int row, int first, int last, Range operand);

/// Of the results of an activation: the declared range of a Requantise, -1 .. 1 of a Sign, and `operand` where there is none.
Range activation_range(const Activation& activation, Range operand);

/// Of a table's entries.
Range table_range(const Table& table);

/// Of the results of a linear map: its sums, its activation, its table.
Range linear_range(const Linear& linear, Range operand);

/// Of the stream before layer n (n < layers), and after the last one: layers + 1 ranges.
std::vector<Range> stream_ranges(const Model& model);

/// Every value by name. The names of the CPU engine's trace (reference_cpu/engine.h), and besides: "layers.N.query.sums", ".key.sums",
/// ".value.sums", ".score", ".mix.sums", ".output.sums" of attention; "layers.N.up.sums", ".down.sums" of feed-forward;
/// "layers.N.sums" of linear layers, all before the bias is added.
std::map<std::string, Range> value_ranges(const Model& model);

}  // namespace bitgrid
