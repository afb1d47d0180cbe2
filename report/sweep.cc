#include "report/sweep.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>

#include "frontend/yaml_reader.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/map.h"
#include "report/estimate.h"
#include "report/estimate_source.h"

namespace bitgrid {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxPoints = 1'000'000;
constexpr std::array kFigures = {"cells_total",       "tiles",
                                 "cycles_per_token",  "configuration_cycles_per_token",
                                 "tokens_per_second", "tokens_per_second_per_stream",
                                 "area_mm2",          "energy_per_token_j",
                                 "load_seconds",      "memory_bits_per_token",
                                 "bottleneck"};

const std::vector<std::string>& parameter_names() {
  static const std::vector<std::string> names = {"context",         "streams",       "activation_bits", "kv_bits",
                                                 "score_bits",      "weights",       "weight_group",    "configuration_bits_per_cycle",
                                                 "tile_width",      "tile_height",   "clock_mhz",       "memory_bits_per_cycle",
                                                 "cells_available", "cell_area_um2", "update_fj",       "optimize",
                                                 "defect_rate",     "seed"};
  return names;
}

/// A value as a number from `lo` up.
double number_of(const std::string& name, const std::string& text, double lo) {
  char* end = nullptr;
  const double v = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != 0 || !(v >= lo && v <= 1e15))
    throw Error(name, "`" + text + "` is no number from " + fmt::format("{}", lo) + " up", "correct the sweep file");
  return v;
}

template <typename T>
T whole(const std::string& name, const std::string& text, double lo, double hi) {
  const double v = number_of(name, text, lo);
  if (v > hi || v != static_cast<double>(static_cast<int64_t>(v)))
    throw Error(name, "`" + text + "` is no whole number of its range", "correct the sweep file");
  return static_cast<T>(v);
}

double rate(const std::string& name, const std::string& text) {
  const double v = number_of(name, text, 0);
  if (v > 0.5) throw Error(name, "`" + text + "` is more than half of all cells", "give 0 to 0.5");
  return v;
}

void apply(const std::string& name, const std::string& value, EstimateSource& source, EstimateParams& params) {
  Technology& t = params.technology;
  if (name == "context")
    source.context = whole<int>(name, value, 1, 1 << 20);
  else if (name == "streams")
    params.streams = whole<int64_t>(name, value, 1, 1e10);
  else if (name == "configuration_bits_per_cycle")
    params.arch.configuration_bits_per_cycle = whole<int>(name, value, 1, 1 << 30);
  else if (name == "tile_width")
    params.arch.tile_width = source.lower.tile.width = whole<int>(name, value, 0, 1 << 16);
  else if (name == "tile_height")
    params.arch.tile_height = source.lower.tile.height = whole<int>(name, value, 0, 1 << 16);
  else if (name == "optimize")
    source.lower.optimize = parse_optimize(value);
  else if (name == "defect_rate")
    source.defect_rate = rate(name, value);
  else if (name == "seed")
    source.seed = whole<uint64_t>(name, value, 0, 1e15);
  else if (name == "clock_mhz")
    t.clock_mhz = number_of(name, value, 1e-6);
  else if (name == "memory_bits_per_cycle")
    t.memory_bits_per_cycle = whole<int64_t>(name, value, 1, 1e12);
  else if (name == "cells_available")
    t.cells_available = whole<int64_t>(name, value, 0, 1e15);
  else if (name == "cell_area_um2")
    t.cell_area_um2 = number_of(name, value, 1e-9);
  else if (name == "update_fj")
    t.update_fj = number_of(name, value, 0);
  else
    source.overrides.emplace_back(name, value);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string figure(const Json& point, const std::string& name) {
  if (!point.contains(name)) return "";
  return point[name].is_string() ? point[name].get<std::string>() : point[name].dump();
}

}  // namespace

size_t Sweep::points() const {
  size_t n = 1;
  for (const auto& [name, values] : parameters) n *= values.size();
  return n;
}

Sweep read_sweep(const std::string& path) {
  constexpr size_t kMaxBytes = 1 << 20;
  const YamlMap map(YamlValue{path, "", 1, parse_yaml(read_file(path, kMaxBytes), path)}, {"model", "parameters", "minimise", "maximise"});
  Sweep sweep;
  sweep.file = path;
  sweep.model = (std::filesystem::path(path).parent_path() / map.get("model").text()).string();
  if (map.has("minimise")) sweep.minimise = map.get("minimise").text();
  if (map.has("maximise")) sweep.maximise = map.get("maximise").text();
  for (const char* axis : {"minimise", "maximise"}) {
    if (!map.has(axis)) continue;
    const YamlValue v = map.get(axis);
    if (std::find(kFigures.begin(), kFigures.end() - 1, v.text()) == kFigures.end() - 1)
      throw Error(v.where(), "`" + v.text() + "` is no figure of an estimate",
                  "use area_mm2, tokens_per_second, energy_per_token_j or another column of sweep.csv");
  }
  const YamlMap parameters(map.get("parameters"), parameter_names());
  for (const std::string& name : parameters.keys()) {
    const YamlValue value = parameters.get(name);
    std::vector<std::string> texts;
    for (const YamlValue& v : value.list()) texts.push_back(v.text());
    if (texts.empty()) throw Error(value.where(), "`" + name + "` has no values", "list at least one");
    sweep.parameters.emplace_back(name, std::move(texts));
    if (sweep.points() > kMaxPoints) throw Error(value.where(), "the sweep has more than a million points", "list fewer values");
  }
  return sweep;
}

std::vector<std::pair<std::string, std::string>> point_values(const Sweep& sweep, size_t n) {
  std::vector<std::pair<std::string, std::string>> values(sweep.parameters.size());
  for (size_t i = values.size(); i-- > 0;) {
    const auto& [name, all] = sweep.parameters[i];
    values[i] = {name, all[n % all.size()]};
    n /= all.size();
  }
  return values;
}

Json run_point(const Sweep& sweep, size_t n) {
  Json point = {{"point", n}, {"parameters", Json::object()}};
  EstimateSource source;
  source.path = sweep.model;
  EstimateParams params;
  for (const auto& [name, value] : point_values(sweep, n)) {
    point["parameters"][name] = value;
  }
  try {
    for (const auto& [name, value] : point_values(sweep, n)) apply(name, value, source, params);
    const Json all = estimate_json(estimate(read_kernels(source).kernels, params), params);
    for (const char* name : kFigures) point[name] = all[name];
  } catch (const Error& e) {
    point["error"] = e.what();
  }
  return point;
}

std::string point_path(const std::string& dir, size_t n) {
  return fmt::format("{}/points/{}.json", dir, n);
}

Json load_point(const Sweep& sweep, const std::string& dir, size_t n) {
  try {
    Json point = Json::parse(read_file(point_path(dir, n)));
    Json parameters = Json::object();
    for (const auto& [name, value] : point_values(sweep, n)) parameters[name] = value;
    if (point.at("parameters") == parameters && point.at("point") == n) return point;
  } catch (const std::exception&) {  // absent or not whole: to be run again
  }
  return nullptr;
}

std::vector<size_t> pareto_front(const Sweep& sweep, const std::vector<Json>& points) {
  std::vector<size_t> order;
  for (size_t i = 0; i < points.size(); ++i) {
    if (!points[i].contains("error")) order.push_back(i);
  }
  const auto x = [&](size_t i) { return points[i][sweep.minimise].get<double>(); };
  const auto y = [&](size_t i) { return points[i][sweep.maximise].get<double>(); };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return x(a) != x(b) ? x(a) < x(b) : y(a) > y(b); });
  std::vector<size_t> front;
  for (const size_t i : order) {
    if (front.empty() || y(i) > y(front.back())) front.push_back(i);
  }
  return front;
}

std::string sweep_csv(const Sweep& sweep, const std::vector<Json>& points) {
  std::string csv = "point";
  for (const auto& [name, values] : sweep.parameters) csv += "," + name;
  for (const char* name : kFigures) csv += std::string(",") + name;
  csv += ",error\n";
  for (const Json& point : points) {
    csv += std::to_string(point["point"].get<size_t>());
    for (const auto& [name, values] : sweep.parameters) csv += "," + csv_field(figure(point["parameters"], name));
    for (const char* name : kFigures) csv += "," + csv_field(figure(point, name));
    csv += "," + csv_field(figure(point, "error")) + "\n";
  }
  return csv;
}

}  // namespace bitgrid
