// Somebody else's arrays against exact integers: the first difference, and which mistake would explain it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "frontend/npz_reader.h"
#include "ir/integer_network.h"

namespace bitgrid::check {

using ExactValues = std::vector<int64_t>;

/// What an array would hold if its kernel made this mistake.
struct Mistake {
  std::string text;    // "it rounds halves up, where .."
  ExactValues values;  // as ExactArray::values
};

/// What an array has to hold. Values are those of the rows, one after another: a row is a sample or a position.
struct ExactArray {
  std::string name;
  std::vector<std::string> other_names;  // the graph's node, for example
  FeatureMap map;                        // of a row; element i is of channel i / (height * width)
  ExactValues values;
  // Mistakes that need the layer's arithmetic. They are asked for where there is a difference.
  std::function<std::vector<Mistake>()> mistakes = nullptr;
  // The value of an element if its channel were computed with the constants of another channel; nullptr: channels have none.
  std::function<int64_t(size_t at, size_t other_channel)> with_channel = nullptr;
  std::string constants = {};  // what those are called: "thresholds"
};

struct ArrayDifference {
  std::string name;
  size_t row = 0, element = 0;
  std::string where;  // "channel 3, y 0, x 2", or "channel 3"
  int64_t expected = 0;
  double got = 0.0;
  std::string explanation;  // empty: no single mistake gives this array
};

struct ComparedArray {
  std::string name;
  uint64_t compared = 0, mismatches = 0;
};

struct AgainstReport {
  std::vector<ComparedArray> arrays;        // in the order in which they are computed
  std::optional<ArrayDifference> first;     // of the array that is computed first
  std::vector<std::string> missing_before;  // arrays in front of it that were not given
};

/// `exact` in the order of computation, all of as many rows. Throws Error (source and array) for names and shapes that are none of theirs.
AgainstReport compare_arrays(const std::vector<ExactArray>& exact, size_t rows, const std::vector<frontend::NpzEntry>& arrays,
                             const std::string& source);

}  // namespace bitgrid::check
