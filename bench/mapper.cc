// Mapping netlists onto the grid: LUT4s beside ABC's in the same run, cells, II, latency and time of every netlist in a folder and of every
// kernel of a model that has no form of its own. Prints the Markdown table of docs/performance.md. Every mapping is verified, and proved on
// request, before its line is printed.
#include <stdlib.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "check/prove.h"
#include "check/verify_kernel.h"
#include "frontend/blif.h"
#include "frontend/load_model.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_text.h"
#include "lowering/mapping/map.h"
#include "lowering/numerics/lower.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "rtl/command.h"

namespace bitgrid {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> sources;  // BLIF files, folders of them, models
  std::string effort = "default", mode = "settle", json;
  std::vector<uint64_t> seeds = {1};
  bool prove = false;
  int max_luts = 7000;
};

struct Case {
  std::string name;
  Kernel kernel;
  std::string blif;
};

void add_netlist(const std::string& path, std::vector<Case>& cases) {
  const std::string text = read_file(path);
  cases.push_back(
      {fs::path(path).stem().string(), synthesis::kernel_of(synthesis::dag_from_cover(frontend::parse_blif(text, path))), text});
}

/// Tables and glue of a model, each logic once: heads have kernels of their own.
void add_model(const std::string& path, std::vector<Case>& cases) {
  Program program = numerics::lower(frontend::load_model(path));
  for (size_t k = 0; k < program.kernels.size(); ++k) {
    Kernel& kernel = program.kernels[k];
    cases.push_back({program.name + " " + kernel.name, std::move(kernel), ""});
  }
}

std::vector<Case> read_cases(const Options& o) {
  std::vector<Case> cases;
  for (const std::string& source : o.sources) {
    if (fs::is_directory(source)) {
      std::vector<std::string> files;
      for (const auto& entry : fs::directory_iterator(source))
        if (entry.path().extension() == ".blif") files.push_back(entry.path().string());
      std::sort(files.begin(), files.end());
      for (const std::string& file : files) add_netlist(file, cases);
    } else if (fs::path(source).extension() == ".blif") {
      add_netlist(source, cases);
    } else {
      add_model(source, cases);
    }
  }
  return cases;
}

struct Abc {
  bool ran = false;
  size_t luts = 0;
  int depth = 0;
};

/// The number behind `key` in what ABC printed.
std::optional<long> number_after(const std::string& log, const std::string& key) {
  const size_t at = log.rfind(key);
  if (at == std::string::npos) return std::nullopt;
  const size_t digit = log.find_first_not_of(" =", at + key.size());
  if (digit == std::string::npos || log[digit] < '0' || log[digit] > '9') return std::nullopt;
  return std::stol(log.substr(digit));
}

/// LUT4s of ABC's `if -K 4` on the same network.
Abc abc_luts(const Case& c) {
  std::string folder = (fs::temp_directory_path() / "bitgrid-mapper-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return {};
  const std::string netlist = folder + "/a.blif", log = folder + "/log";
  write_file(netlist, c.blif.empty() ? to_blif(check::dag_network(c.kernel.dag)) : c.blif);
  const int status = rtl::run_command({"berkeley-abc", "-c", "read_blif " + netlist + "; strash; if -K 4; print_stats"}, log);
  const std::string text = status == 0 ? read_file(log) : "";
  fs::remove_all(folder);
  const auto luts = number_after(text, " nd"), depth = number_after(text, " lev");
  if (!luts || !depth) return {};
  return {true, static_cast<size_t>(*luts), static_cast<int>(*depth)};
}

struct Measured {
  std::string error;  // empty: it closed and is right
  MappedKernel mapped;
  mapping::KernelReport report;
  double verify_seconds = 0;
  check::Proof proof;
  double prove_seconds = 0;
};

/// Of this process so far: other work on the machine does not count.
double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double lap(std::chrono::steady_clock::time_point& begin) {
  const auto now = std::chrono::steady_clock::now();
  return std::chrono::duration<double>(now - std::exchange(begin, now)).count();
}

Measured measure(const Case& c, const Options& o, uint64_t seed) {
  Measured m;
  mapping::MapParams params;
  params.seed = seed;
  params.mode = mapping::parse_mode(o.mode);
  params.effort = mapping::parse_effort(o.effort);
  const double begin = processor_seconds();
  try {
    m.mapped = mapping::map_kernel(c.kernel, params, &m.report);
    m.report.seconds = processor_seconds() - begin;
    auto clock = std::chrono::steady_clock::now();
    if (const auto wrong = check::verify_mapping(c.kernel, m.mapped)) m.error = fmt::format("wrong in output bit {}", wrong->bit);
    m.verify_seconds = lap(clock);
    if (!o.prove || !m.error.empty()) return m;
    check::ProveParams prove;
    prove.source_blif = c.blif;
    m.proof = check::prove_mapping(c.kernel.dag, m.mapped, prove);
    m.prove_seconds = lap(clock);
    if (m.proof.verdict == check::Verdict::kRefuted) m.error = "refuted: " + check::describe(m.proof.counterexample, 4);
  } catch (const Error& e) {
    m.error = e.what();
    m.report.seconds = processor_seconds() - begin;
  }
  return m;
}

const char* proved_text(const Measured& m, const Options& o) {
  return !o.prove ? "-" : m.proof.verdict == check::Verdict::kProved ? "yes" : "no";
}

nlohmann::ordered_json line_json(const Case& c, const Measured& m, const Abc& abc, uint64_t seed, const Options& o) {
  nlohmann::ordered_json j = {{"circuit", c.name}, {"seed", seed}, {"seconds", m.report.seconds}};
  j["error"] = m.error.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(m.error);
  if (abc.ran) j.update({{"abc_luts", abc.luts}, {"abc_depth", abc.depth}});
  if (m.report.size) j.update({{"luts", m.report.size->luts}, {"depth", m.report.size->depth}});
  if (!m.error.empty()) return j;
  j.update({{"strategy", m.mapped.strategy},
            {"cells", m.mapped.grid.cells.size()},
            {"ii_cycles", m.mapped.ii},
            {"latency_cycles", latency_cycles(m.mapped)},
            {"verify_seconds", m.verify_seconds}});
  if (o.prove) j.update({{"proved", m.proof.verdict == check::Verdict::kProved}, {"why", m.proof.why}, {"prove_seconds", m.prove_seconds}});
  return j;
}

void print_line(const Case& c, const Measured& m, const Abc& abc, uint64_t seed, const Options& o) {
  const std::string name = o.seeds.size() > 1 ? fmt::format("{} ({})", c.name, seed) : c.name;
  const auto& n = m.report.size;
  const std::string luts = n ? fmt::format("{} / {}", n->luts, n->depth) : "-";
  const std::string theirs = abc.ran ? fmt::format("{} / {}", abc.luts, abc.depth) : "-";
  const std::string ratio = n && abc.luts > 0 ? fmt::format("{:.3f}", static_cast<double>(n->luts) / static_cast<double>(abc.luts)) : "-";
  if (!m.error.empty()) {
    fmt::print("| {} | {} | {} | {} | {} |||||{:.2f}|||\n", name, luts, theirs, ratio, m.error.substr(0, 120), m.report.seconds);
  } else {
    const auto cells = static_cast<double>(m.mapped.grid.cells.size());
    const double count = n ? static_cast<double>(n->luts) : 0;
    fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.2f} | {} | {} |\n", name, luts, theirs, ratio, m.mapped.strategy,
               m.mapped.grid.cells.size(), count > 0 ? fmt::format("{:.1f}", cells / count) : "-", m.mapped.ii, latency_cycles(m.mapped),
               m.report.seconds, count > 0 ? fmt::format("{:.0f}", count / m.report.seconds) : "-", proved_text(m, o));
  }
  std::fflush(stdout);
}

/// Returns whether all closed and are right.
bool run(const Options& o) {
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  bool ok = true;
  fmt::print(
      "| circuit | LUT4s / depth | ABC `if -K 4` | ratio | strategy | cells | cells per LUT4 | II | latency | processor seconds | LUT4s "
      "per second | "
      "proved |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const Case& c : read_cases(o)) {
    const bool free_logic = !c.kernel.form.serial && !c.kernel.form.parallel;
    const auto abc = free_logic ? abc_luts(c) : Abc{};
    if (abc.luts > static_cast<size_t>(o.max_luts)) continue;
    for (const uint64_t seed : o.seeds) {
      const Measured m = measure(c, o, seed);
      ok &= m.error.empty();
      print_line(c, m, abc, seed, o);
      lines.push_back(line_json(c, m, abc, seed, o));
      if (!o.json.empty()) write_file(o.json, json_text(lines, 1) + "\n");
    }
  }
  return ok;
}

}  // namespace
}  // namespace bitgrid

int main(int argc, char** argv) {
  bitgrid::Options o;
  CLI::App app("mapper: how netlists and kernels map, as a Markdown table");
  app.add_option("sources", o.sources, "BLIF files, folders of BLIF files, model.yaml files")->required();
  app.add_option("--effort", o.effort, "fast, default or dense")->capture_default_str();
  app.add_option("--mode", o.mode, "auto, wave or settle")->capture_default_str();
  app.add_option("--seeds", o.seeds, "one line for each")->delimiter(',')->capture_default_str();
  app.add_option("--max-luts", o.max_luts, "leave out what ABC maps to more")->capture_default_str();
  app.add_flag("--prove", o.prove, "prove each mapping by ABC");
  app.add_option("--json", o.json, "write the lines to this file as well");
  CLI11_PARSE(app, argc, argv);
  try {
    return bitgrid::run(o) ? 0 : 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "mapper: {}\n", e.what());
    return 1;
  }
}
