#include "check/against.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "check/array_mistakes.h"
#include "ir/error.h"
#include "ir/index.h"

namespace bitgrid::check {
namespace {

std::string shape_text(const std::vector<size_t>& shape) {
  std::string text;
  for (const size_t n : shape) text += fmt::format("{}{}", text.empty() ? "" : ", ", n);
  return "[" + text + "]";
}

std::string shape_of(const ExactArray& e, size_t rows) {
  return e.map.height * e.map.width == 1 ? fmt::format("[{}, {}]", rows, e.map.channels)
                                         : fmt::format("[{}, {}, {}, {}]", rows, e.map.channels, e.map.height, e.map.width);
}

bool has_name(const ExactArray& e, const std::string& name) {
  return e.name == name || std::find(e.other_names.begin(), e.other_names.end(), name) != e.other_names.end();
}

std::string where_of(const FeatureMap& map, size_t element) {
  const auto width = index_of(map.width), place = index_of(map.height) * width;
  if (place == 1) return fmt::format("channel {}", element);
  return fmt::format("channel {}, y {}, x {}", element / place, element % place / width, element % width);
}

/// The array of that name; nullptr: none was given.
const frontend::NpyArray* given(const ExactArray& e, size_t rows, const std::vector<frontend::NpzEntry>& arrays,
                                const std::string& source) {
  const frontend::NpyArray* found = nullptr;
  for (const frontend::NpzEntry& a : arrays) {
    if (!has_name(e, a.name)) continue;
    if (found != nullptr)
      throw Error(source + ", array " + a.name, "another array has the values of " + e.name + " already", "give one of them");
    if (a.array.rows() != rows || a.array.values.size() != e.values.size())
      throw Error(source + ", array " + a.name,
                  fmt::format("its shape is {}, where the exact values have {}", shape_text(a.array.shape), shape_of(e, rows)),
                  "write one row for each sample or position, with all of its values");
    found = &a.array;
  }
  return found;
}

void require_known_names(const std::vector<ExactArray>& exact, const std::vector<frontend::NpzEntry>& arrays, const std::string& source) {
  if (arrays.empty()) throw Error(source, "it has no arrays", "write those that you want to compare");
  for (const frontend::NpzEntry& a : arrays) {
    if (std::any_of(exact.begin(), exact.end(), [&](const ExactArray& e) { return has_name(e, a.name); })) continue;
    std::string names;
    for (const ExactArray& e : exact) names += (names.empty() ? "" : ", ") + e.name;
    throw Error(source + ", array " + a.name, "no values of the model have this name", "name arrays as " + names);
  }
}

}  // namespace

AgainstReport compare_arrays(const std::vector<ExactArray>& exact, size_t rows, const std::vector<frontend::NpzEntry>& arrays,
                             const std::string& source) {
  require_known_names(exact, arrays, source);
  AgainstReport report;
  std::vector<std::string> missing;
  for (const ExactArray& e : exact) {
    const frontend::NpyArray* array = given(e, rows, arrays, source);
    if (array == nullptr) {
      missing.push_back(e.name);
      continue;
    }
    ComparedArray compared{e.name, e.values.size(), 0};
    std::optional<size_t> first;
    for (size_t i = 0; i < e.values.size(); ++i) {
      if (array->values[i] == static_cast<double>(e.values[i])) continue;
      ++compared.mismatches;
      if (!first) first = i;
    }
    report.arrays.push_back(compared);
    if (!first || report.first) continue;
    const size_t width = e.map.size();
    report.first = ArrayDifference{e.name,
                                   *first / width,
                                   *first % width,
                                   where_of(e.map, *first % width),
                                   e.values[*first],
                                   array->values[*first],
                                   explain(e, rows, array->values, *first)};
    report.missing_before = missing;
  }
  return report;
}

}  // namespace bitgrid::check
