// Somebody else's arrays against exact integers.
#pragma once

#include <pybind11/pybind11.h>

#include <functional>
#include <vector>

#include "check/against.h"

namespace bitgrid::python {

namespace py = pybind11;

/// `arrays`: a dict by name. `exact` is asked for the exact values, in work that takes long, and `rows` how many samples or positions there
/// are. Throws Error for names and shapes that are none of theirs.
check::AgainstReport compare_with(const py::dict& arrays, const std::function<std::vector<check::ExactArray>()>& exact, size_t rows,
                                  const py::object& progress);

inline constexpr const char* kAgainstText =
    "Returns an Against, whose first difference says which mistake would explain the whole array: a wrapped or saturated\n"
    "accumulator, halves rounded the other way, another layout, swapped constants. progress: True, or a function that is told lines.";

}  // namespace bitgrid::python
