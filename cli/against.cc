#include "cli/against.h"

#include <fmt/format.h>

#include <iostream>

#include "check/against.h"
#include "check/against_model.h"
#include "check/against_network.h"
#include "check/check_model.h"
#include "cli/source.h"
#include "frontend/npz_reader.h"
#include "ir/error.h"

namespace bitgrid::cli {
namespace {

struct AgainstRows {
  std::string model;  // its name
  size_t rows = 0;
  const char* row = "";  // what one is
  check::AgainstReport report;
};

AgainstRows compare_network(const AgainstCommand& o, const std::vector<frontend::NpzEntry>& arrays) {
  if (o.network.input.empty())
    throw Error("--against", "arrays of a network belong to samples", "give those that they were computed from: --input X.npy");
  const engines::OpenNetwork open = engines::open_network(o.model, {o.network.input, o.network.grid, o.common.seed, 0, o.threads});
  const size_t samples = open.samples.size();
  return {open.network.name, samples, "sample", check::compare_arrays(check::exact_arrays(open), samples, arrays, o.file)};
}

AgainstRows compare_model(const AgainstCommand& o, const std::vector<frontend::NpzEntry>& arrays) {
  const Model model = read_model(o.model);
  const std::vector<int> tokens = check::positions_to_check(model, o.prompt, o.tokens, o.temperature, static_cast<uint32_t>(o.common.seed));
  return {model.name, tokens.size(), "position", check::compare_arrays(check::exact_arrays(model, tokens), tokens.size(), arrays, o.file)};
}

std::string plain(double v) {
  return fmt::format("{}", v);
}

void print(const AgainstRows& compared) {
  const check::AgainstReport& report = compared.report;
  uint64_t values = 0, mismatches = 0;
  for (const check::ComparedArray& a : report.arrays) {
    std::cout << fmt::format("{:24} {:>10} values compared, {} mismatches\n", a.name, a.compared, a.mismatches);
    values += a.compared;
    mismatches += a.mismatches;
  }
  if (const auto& d = report.first) {
    std::cout << fmt::format("first difference: {}, row {} (of {}s), {}: expected {}, got {}\n", d->name, d->row, compared.row, d->where,
                             d->expected, plain(d->got));
    std::cout << "explanation: " << (d->explanation.empty() ? "no single mistake that is known here gives this array" : d->explanation)
              << "\n";
    if (!report.missing_before.empty()) {
      std::string names;
      for (const std::string& name : report.missing_before) names += (names.empty() ? "" : ", ") + name;
      std::cout << "not given, though computed before it: " << names << "\n";
    }
  }
  std::cout << fmt::format("{} mismatches in {} values of {} {}s\n", mismatches, values, compared.rows, compared.row);
}

Json difference_json(const check::AgainstReport& report) {
  if (!report.first) return nullptr;
  const check::ArrayDifference& d = *report.first;
  return {{"array", d.name},
          {"row", d.row},
          {"element", d.element},
          {"where", d.where},
          {"expected", d.expected},
          {"got", d.got},
          {"explanation", d.explanation.empty() ? Json() : Json(d.explanation)},
          {"missing_before", report.missing_before}};
}

}  // namespace

int check_against(const AgainstCommand& o) {
  Stopwatch watch;
  const std::vector<frontend::NpzEntry> arrays = frontend::read_npz(o.file);
  const AgainstRows compared = engines::is_network(o.model) ? compare_network(o, arrays) : compare_model(o, arrays);
  print(compared);
  Json json = {{"model", compared.model}, {"rows", compared.rows}, {"arrays", Json::array()}};
  for (const check::ComparedArray& a : compared.report.arrays)
    json["arrays"].push_back({{"name", a.name}, {"compared", a.compared}, {"mismatches", a.mismatches}});
  json["first_difference"] = difference_json(compared.report);
  json["seed"] = o.common.seed;
  json["seconds"] = watch.lap();
  write_json(o.common, json);
  return compared.report.first ? 1 : 0;
}

}  // namespace bitgrid::cli
