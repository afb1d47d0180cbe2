// What checks and estimates give.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bitgrid::python {

namespace py = pybind11;

/// JSON's values as Python's.
py::object python_of(const nlohmann::ordered_json& json);

/// The first value that differs.
struct FirstMismatch {
  std::string engine;
  size_t sample = 0;  // invocation, sample or position
  std::string name;   // output, or layer and what of it
  size_t index = 0;   // within it
  int64_t expected = 0, got = 0;
};

struct EngineResult {
  std::string engine;
  uint64_t compared = 0, mismatches = 0;
};

struct CheckResult {
  std::vector<EngineResult> engines;
  std::optional<FirstMismatch> first;

  uint64_t compared() const;
  uint64_t mismatches() const;
};

/// An estimate as the program's JSON and as its text.
struct EstimateResult {
  nlohmann::ordered_json json;
  std::string text;
};

}  // namespace bitgrid::python
