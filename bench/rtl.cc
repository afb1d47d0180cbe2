// The fabric in Verilog: seconds to verilate and to compile it, cell updates a second, and their ratio to bitgrid_sim on the same random
// configuration in the same run; and seconds to prove the datapath Verilog of each kernel of a model. Prints the Markdown tables of
// docs/silicon.md. Each size is first compared with the simulator, phase for phase under random border bits; each proof is one of
// `bitgrid check --prove`. Caches are fresh: every model is built. Rates are by processor time of one thread; times of builds and proofs
// are given both as they pass and as processor time, which other work on the machine changes little.
#include <stdlib.h>
#include <sys/resource.h>

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "bitgrid_sim/sliced.h"
#include "check/check_model.h"
#include "check/prove_rtl.h"
#include "frontend/load_model.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_text.h"
#include "ir/temporary_folder.h"
#include "lowering/numerics/lower.h"
#include "rtl/fabric_grid.h"

namespace bitgrid {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
  std::vector<int> sizes = {64, 128, 256};
  std::vector<std::string> flags = {"-O1", "-O3 -march=native"};
  double seconds = 2;  // of each rate
  std::vector<std::string> models;
  std::string kernel, json;
  int timeout = 300;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Of this process and the programs that it has run.
double all_processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  return processor_seconds() + seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> result;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) result.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return result;
}

/// Calls body(n), which does n phases, with growing n until it has taken `seconds` of processor time; returns phases a second of the last
/// call.
template <typename Body>
double rate(double seconds, const Body& body) {
  for (int64_t phases = 64;; phases *= 2) {
    const double start = processor_seconds();
    body(phases);
    const double elapsed = processor_seconds() - start;
    if (elapsed >= seconds) return static_cast<double>(phases) / elapsed;
  }
}

/// The first of 256 phases with random border bits in which a border output differs; nullopt: none.
std::optional<int> first_difference(rtl::FabricGrid& fabric, sim::SlicedGrid& grid) {
  std::mt19937_64 random(2);
  for (int phase = 0; phase < 256; ++phase) {
    for (const Side side : kSides) {
      for (int p = 0; p < sim::ports_of(side, grid.width(), grid.height()); ++p) {
        const bool bit = random() & 1u;
        if (bit) grid.drive(grid.input_port(side, p));
        fabric.drive(side, p, bit);
      }
    }
    grid.step(phase);
    fabric.step();
    for (const Side side : kSides) {
      for (int p = 0; p < sim::ports_of(side, grid.width(), grid.height()); ++p) {
        if (grid.sample(grid.output_port(side, p)) != fabric.sample(side, p)) return phase;
      }
    }
  }
  return std::nullopt;
}

Json measure_fabric(int side, const std::string& flags, double seconds) {
  const TemporaryFolder cache;
  rtl::RtlParams params;
  params.cache_dir = cache.path();
  params.jobs = 1;
  params.optimise = words(flags);
  const rtl::FabricShape shape{side, side, 16};
  rtl::RtlStats built;
  const double start = all_processor_seconds();
  const auto model = rtl::build_rtl({rtl::fabric_source(shape)}, params, &built)[0];
  const double build_processor = all_processor_seconds() - start;

  std::mt19937_64 random(1);
  GridConfig config(side, side);
  for (CellWord& word : config.cells) word = random();
  rtl::FabricGrid fabric(model, shape);
  const auto load_start = std::chrono::steady_clock::now();
  fabric.load(config);
  const double load = seconds_since(load_start);
  sim::SlicedGrid grid(config);
  if (const auto phase = first_difference(fabric, grid))
    throw Error(model->name, fmt::format("phase {} differs from bitgrid_sim", *phase), "one of the two is wrong");

  const double cells = static_cast<double>(side) * side / 2;  // that latch in a phase
  const double verilated = cells * rate(seconds, [&](int64_t phases) {
                             for (int64_t i = 0; i < phases; ++i) fabric.step();
                           });
  int64_t now = 256;
  const double simulated = cells * rate(seconds, [&](int64_t phases) {
                             grid.run(now, phases, {}, {}, {1, 0, 0});
                             now += phases;
                           });
  return {{"width", side},
          {"height", side},
          {"compiler_flags", flags},
          {"verilate_seconds", built.verilate_seconds},
          {"compile_seconds", built.compile_seconds},
          {"build_seconds", built.seconds},
          {"build_processor_seconds", build_processor},
          {"load_seconds", load},
          {"verilated_cell_updates_per_second", verilated},
          {"bitgrid_sim_cell_updates_per_second", simulated},
          {"ratio", simulated / verilated}};
}

void measure_fabrics(const Options& o, Json& lines) {
  fmt::print(
      "| cells | C++ flags | verilate s | compile s | both, processor s | cell updates/s, verilated | bitgrid_sim | ratio |\n"
      "|---|---|---|---|---|---|---|---|\n");
  for (const int side : o.sizes) {
    for (const std::string& flags : o.flags) {
      const Json line = measure_fabric(side, flags, o.seconds);
      fmt::print("| {} x {} | `{}` | {:.1f} | {:.1f} | {:.1f} | {:.3f} G | {:.2f} G | {:.0f} |\n", side, side, flags,
                 line["verilate_seconds"].get<double>(), line["compile_seconds"].get<double>(),
                 line["build_processor_seconds"].get<double>(), line["verilated_cell_updates_per_second"].get<double>() * 1e-9,
                 line["bitgrid_sim_cell_updates_per_second"].get<double>() * 1e-9, line["ratio"].get<double>());
      std::fflush(stdout);
      lines.push_back(line);
    }
  }
}

void measure_proofs(const Options& o, const std::string& path, Json& lines) {
  const Program program = numerics::lower(frontend::load_model(path));
  const std::vector<rtl::RtlSource> sources = engines::verilog_sources(program);
  check::ProveRtlParams params;
  params.abc.timeout_seconds = params.yosys_timeout_seconds = o.timeout;
  fmt::print(
      "\n| kernel of {} | gates | registers | parts | Yosys s | all s | processor s | verdict |\n|---|---|---|---|---|---|---|---|\n",
      program.name);
  for (size_t k = 0; k < sources.size(); ++k) {
    const Kernel& kernel = program.kernels[k];
    if (!o.kernel.empty() && kernel.name != o.kernel) continue;
    check::ProveRtlStats stats;
    const double start = all_processor_seconds();
    const check::Proof proof = check::prove_datapath(kernel.dag, sources[k], params, &stats);
    if (proof.verdict == check::Verdict::kRefuted)
      throw Error(kernel.name,
                  "the Verilog is wrong: " + (proof.why.empty() ? check::describe_values(proof.counterexample, kernel.dag) : proof.why),
                  "correct rtl/datapath.cc");
    const std::string verdict = proof.verdict == check::Verdict::kProved ? "proved" : "not proved: " + proof.why;
    const double processor = all_processor_seconds() - start;
    fmt::print("| `{}` | {} | {} | {} | {:.1f} | {:.1f} | {:.1f} | {} |\n", kernel.name, stats.gates, stats.registers, stats.parts,
               stats.yosys_seconds, stats.seconds, processor, verdict);
    std::fflush(stdout);
    lines.push_back({{"model", program.name},
                     {"kernel", kernel.name},
                     {"gates", stats.gates},
                     {"registers", stats.registers},
                     {"yosys_seconds", stats.yosys_seconds},
                     {"parts", stats.parts},
                     {"seconds", stats.seconds},
                     {"processor_seconds", processor},
                     {"verdict", verdict}});
  }
}

void run(const Options& o) {
  Json json = {{"fabric", Json::array()}, {"proofs", Json::array()}};
  if (!o.sizes.empty()) measure_fabrics(o, json["fabric"]);
  for (const std::string& model : o.models) measure_proofs(o, model, json["proofs"]);
  if (!o.json.empty()) write_file(o.json, json_text(json, 1) + "\n");
}

}  // namespace
}  // namespace bitgrid

int main(int argc, char** argv) {
  bitgrid::Options o;
  CLI::App app("rates of the verilated fabric, and times of proofs");
  app.add_option("--sizes", o.sizes, "sides of square grids; 0: none")->delimiter(',')->capture_default_str();
  app.add_option("--flags", o.flags, "of the C++ compiler, one string for each build")->capture_default_str();
  app.add_option("--seconds", o.seconds, "at least, for each rate")->capture_default_str();
  app.add_option("--prove", o.models, "prove the kernels of these models");
  app.add_option("--kernel", o.kernel, "--prove: this kernel only");
  app.add_option("--timeout", o.timeout, "--prove: seconds for Yosys and for ABC")->capture_default_str();
  app.add_option("--json", o.json, "write the results to this file");
  CLI11_PARSE(app, argc, argv);
  std::erase(o.sizes, 0);
  try {
    bitgrid::run(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "rtl: {}\n", e.what());
    return 1;
  }
}
