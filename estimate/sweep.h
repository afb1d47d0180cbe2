// Estimates over ranges of parameters: points, their results as files, tables and a page with the Pareto front.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "estimate/estimate_source.h"

namespace bitgrid::estimate {

/// Combinations of values that a sweep may have.
constexpr size_t kMaxSweepPoints = 1'000'000;

/// Values as written in the file; one of each parameter makes a point.
struct Sweep {
  std::string file;
  std::string model;  // path, relative to the sweep file's folder resolved
  std::vector<std::pair<std::string, std::vector<std::string>>> parameters;
  std::string minimise = "area_mm2";  // the two axes of the Pareto front
  std::string maximise = "tokens_per_second";

  size_t points() const;
};

/// Reads a sweep file (docs/estimate.md). Throws Error (file, line, cure).
Sweep read_sweep(const std::string& path);
/// The same from the file's text; `path` is where it lies, for messages and for the folder that the model's path starts from.
Sweep parse_sweep(const std::string& text, const std::string& path);

/// Parameter values of point n: the last parameter changes fastest.
std::vector<std::pair<std::string, std::string>> point_values(const Sweep& sweep, size_t n);

/// Hash of all that the figures of a point depend on: the model with its weights, the parameters, and the code with what it takes where the
/// sweep says nothing (architecture and technology).
uint64_t point_key(const Sweep& sweep, const EstimateModel& model, size_t n);

/// Estimate of point n: {"point", "key", "parameters", figures}. A point whose numerics have no mapping has "error" in place of figures.
/// `warnings`, if given, gets what is odd in the model.
nlohmann::ordered_json run_point(const Sweep& sweep, const EstimateModel& model, size_t n, std::vector<std::string>* warnings = nullptr);

/// DIR/points/N.json; null if it is not there, not whole, of another key, or an error.
std::string point_path(const std::string& dir, size_t n);
nlohmann::ordered_json load_point(const Sweep& sweep, const EstimateModel& model, const std::string& dir, size_t n);

/// Indices of points that no other point beats on both axes, by the first axis.
std::vector<size_t> pareto_front(const Sweep& sweep, const std::vector<nlohmann::ordered_json>& points);

std::string sweep_csv(const Sweep& sweep, const std::vector<nlohmann::ordered_json>& points);

}  // namespace bitgrid::estimate
