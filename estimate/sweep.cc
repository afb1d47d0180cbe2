#include "estimate/sweep.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>

#include "estimate/estimate.h"
#include "estimate/sweep_parameters.h"
#include "frontend/yaml_reader.h"
#include "ir/code_version.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_reader.h"
#include "ir/json_text.h"
#include "ir/number.h"

namespace bitgrid::estimate {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kFigures = {"cells_total",       "tiles",
                                 "cycles_per_token",  "configuration_cycles_per_token",
                                 "tokens_per_second", "tokens_per_second_per_stream",
                                 "area_mm2",          "energy_per_token_j",
                                 "load_seconds",      "memory_bits_per_token",
                                 "bottleneck"};

/// A spreadsheet takes a text that begins so for a formula; an apostrophe in front keeps it a text.
bool looks_like_a_formula(const std::string& text) {
  constexpr double kMost = std::numeric_limits<double>::max();
  return !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos && !parse_real(text, -kMost, kMost);
}

std::string csv_field(std::string text) {
  if (looks_like_a_formula(text)) text.insert(0, "'");
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string figure(const Json& point, const std::string& name) {
  if (!point.contains(name)) return "";
  return point[name].is_string() ? point[name].get<std::string>() : json_text(point[name]);
}

}  // namespace

size_t Sweep::points() const {
  size_t n = 1;
  for (const auto& [name, values] : parameters) n *= values.size();
  return n;
}

Sweep parse_sweep(const std::string& text, const std::string& path) {
  const frontend::YamlMap map(frontend::parse_yaml(text, path, "docs/estimate.md"), {"model", "parameters", "minimise", "maximise"});
  Sweep sweep;
  sweep.file = path;
  sweep.model = (std::filesystem::path(path).parent_path() / map.get("model").text()).string();
  if (map.has("minimise")) sweep.minimise = map.get("minimise").text();
  if (map.has("maximise")) sweep.maximise = map.get("maximise").text();
  for (const char* axis : {"minimise", "maximise"}) {
    if (!map.has(axis)) continue;
    const frontend::YamlValue v = map.get(axis);
    if (std::find(kFigures.begin(), kFigures.end() - 1, v.text()) == kFigures.end() - 1)
      throw Error(v.where(), "`" + v.text() + "` is not a figure of an estimate",
                  "use area_mm2, tokens_per_second, energy_per_token_j or another column of sweep.csv");
  }
  const frontend::YamlMap parameters(map.get("parameters"), sweep_parameter_names());
  for (const std::string& name : parameters.keys()) {
    const frontend::YamlValue value = parameters.get(name);
    std::vector<std::string> texts;
    for (const frontend::YamlValue& v : value.list()) {
      texts.push_back(v.text());
      EstimateSource source;
      EstimateParams params;
      set_sweep_parameter({name, texts.back(), v.where()}, source, params);  // refuses what no point could use
    }
    if (texts.empty()) throw Error(value.where(), "`" + name + "` has no values", "list at least one");
    sweep.parameters.emplace_back(name, std::move(texts));
    if (sweep.points() > kMaxSweepPoints) throw Error(value.where(), "the sweep has more than a million points", "list fewer values");
  }
  return sweep;
}

Sweep read_sweep(const std::string& path) {
  constexpr size_t kMaxBytes = 1 << 20;
  return parse_sweep(read_file(path, kMaxBytes), path);
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

uint64_t point_key(const Sweep& sweep, const EstimateModel& model, size_t n) {
  uint64_t hash = fnv1a(fmt::format("{}\n{:016x}\n", code_version(), model.hash));
  for (const auto& [name, value] : point_values(sweep, n)) hash = fnv1a(fmt::format("{}\n{}\n{}", name, value.size(), value), hash);
  return hash;
}

Json run_point(const Sweep& sweep, const EstimateModel& model, size_t n, std::vector<std::string>* warnings) {
  Json point = {{"point", n}, {"key", fmt::format("{:016x}", point_key(sweep, model, n))}, {"parameters", Json::object()}};
  EstimateSource source;
  EstimateParams params;
  for (const auto& [name, value] : point_values(sweep, n)) {
    point["parameters"][name] = value;
  }
  try {
    for (const auto& [name, value] : point_values(sweep, n)) set_sweep_parameter({name, value, sweep.file}, source, params);
    const SourceKernels kernels = read_kernels(model, source);
    if (warnings) *warnings = kernels.warnings;
    const Json all = estimate_json(estimate(kernels.kernels, params), params);
    for (const char* name : kFigures) point[name] = all[name];
  } catch (const Error& e) {
    point["error"] = e.what();
  }
  return point;
}

std::string point_path(const std::string& dir, size_t n) {
  return fmt::format("{}/points/{}.json", dir, n);
}

Json load_point(const Sweep& sweep, const EstimateModel& model, const std::string& dir, size_t n) {
  try {
    Json point = parse_json<Json>(read_file(point_path(dir, n)), {point_path(dir, n), ""});
    const bool same = point.at("point") == n && point.at("key") == fmt::format("{:016x}", point_key(sweep, model, n));
    if (same && !point.contains("error")) return point;
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

}  // namespace bitgrid::estimate
