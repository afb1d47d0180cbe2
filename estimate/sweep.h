// Estimates over ranges of parameters: the points, and their results as files, tables and a page with the Pareto front.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "estimate/estimate_source.h"

namespace bitgrid::estimate {

/// The most combinations of values that a sweep may have.
constexpr size_t kMaxSweepPoints = 1'000'000;

/// Values as written in the file. Each point takes one value of each parameter.
struct Sweep {
  std::string file;
  std::string model;  // path, resolved relative to the sweep file's folder
  std::vector<std::pair<std::string, std::vector<std::string>>> parameters;
  std::string minimise = "area_mm2";  // the two axes of the Pareto front
  std::string maximise = "tokens_per_second";

  size_t points() const;
};

/// Reads a sweep file (docs/estimate.md). Throws Error (file, line, cure).
Sweep read_sweep(const std::string& path);
/// The same for the file's text. `path` is where the file is, for messages and to resolve the model's path.
Sweep parse_sweep(const std::string& text, const std::string& path);

/// Returns the parameter values of point n. The last parameter changes fastest.
std::vector<std::pair<std::string, std::string>> point_values(const Sweep& sweep, size_t n);

/// Returns a hash of everything that the figures of a point depend on: the model with its weights, the parameters, and the code with its
/// defaults (architecture and technology).
uint64_t point_key(const Sweep& sweep, const EstimateModel& model, size_t n);

/// Returns the estimate of point n: {"point", "key", "parameters", figures}. If the numbers of a point have no mapping, it has "error"
/// instead of figures. `warnings`, if given, gets anything unusual in the model.
nlohmann::ordered_json run_point(const Sweep& sweep, const EstimateModel& model, size_t n, std::vector<std::string>* warnings = nullptr);

/// DIR/points/N.json. It reads as null if it is missing, incomplete, of another key, or an error.
std::string point_path(const std::string& dir, size_t n);
nlohmann::ordered_json load_point(const Sweep& sweep, const EstimateModel& model, const std::string& dir, size_t n);

/// Returns the indices of points that no other point beats on both axes, ordered by the first axis.
std::vector<size_t> pareto_front(const Sweep& sweep, const std::vector<nlohmann::ordered_json>& points);

std::string sweep_csv(const Sweep& sweep, const std::vector<nlohmann::ordered_json>& points);

}  // namespace bitgrid::estimate
