// bitgrid check: engines side by side, the first difference named.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "check/check_model.h"
#include "cli/common.h"
#include "frontend/arch_file.h"
#include "frontend/load_model.h"
#include "ir/error.h"

namespace bitgrid::cli {
namespace {

struct Options {
  Common common;
  std::string model, engines, from, prompt, temperature, arch, optimize = "area";
  int tokens = 16;
};

std::string default_engines(const Options& o) {
  if (o.from.empty()) return "cpu,dag,grid";
  const std::filesystem::path dir(o.from);
  const bool compiled = std::filesystem::exists(dir / "compile.json"), verilog = std::filesystem::exists(dir / "verilog.json");
  if (!compiled && !verilog)
    throw Error(o.from, "there is neither compile.json nor verilog.json", "give the -o folder of `bitgrid compile` or `bitgrid verilog`");
  return std::string("cpu,dag") + (compiled ? ",grid" : "") + (verilog ? ",datapath" : "");
}

Json mismatch_json(const std::optional<Mismatch>& m) {
  if (!m) return nullptr;
  Json json = {{"engine", name(m->engine)}, {"position", nullptr},   {"step", m->step},
               {"kernel", m->kernel},       {"invocation", nullptr}, {"bit", nullptr}};
  if (m->position) json["position"] = *m->position;
  if (m->invocation) json["invocation"] = *m->invocation;
  if (m->bit) json["bit"] = *m->bit;
  json["expected"] = m->expected;
  json["got"] = m->got;
  json["detail"] = m->detail;
  return json;
}

void print(const CheckReport& report) {
  for (const std::string& note : report.artefact_notes) std::cout << note << "\n";
  uint64_t compared = 0, mismatches = 0;
  for (const EngineCheck& e : report.engines) {
    std::cout << fmt::format("{:6} {:>10} values compared, {} mismatches{}\n", name(e.engine), e.compared, e.mismatches,
                             e.engine == Engine::kCpu ? "  (packed kernels against the golden code)" : "");
    compared += e.compared;
    mismatches += e.mismatches;
  }
  if (const auto& m = report.first_mismatch) {
    std::cout << fmt::format("first mismatch: engine {}, ", name(m->engine));
    if (m->position) std::cout << fmt::format("position {}, ", *m->position);
    std::cout << fmt::format("step {}, kernel {}", m->step, m->kernel);
    if (m->bit)
      std::cout << fmt::format(", invocation {}, bit {}: expected {}, got {}", m->invocation.value_or(0), *m->bit, m->expected, m->got);
    std::cout << fmt::format(" ({})\n", m->detail);
  }
  std::cout << fmt::format("{} mismatches in {} values at {} positions\n", mismatches, compared, report.positions);
}

int check(const Options& o) {
  const Model model = load_model(o.model);
  Progress progress;
  CheckParams params;
  params.engines = parse_engines(o.engines.empty() ? default_engines(o) : o.engines);
  params.tokens = positions_to_check(model, o.prompt, o.tokens, o.temperature, static_cast<uint32_t>(o.common.seed));
  params.from = o.from;
  params.seed = o.common.seed;
  params.optimize = parse_optimize(o.optimize);
  if (!o.arch.empty()) {
    const Arch arch = load_arch(o.arch);
    params.tile = {arch.tile_width, arch.tile_height};
  }
  params.progress = [&](const std::string& line) { progress.say(line); };
  Stopwatch watch;
  const CheckReport report = check_model(model, params);
  progress.clear();
  print(report);
  Json json = {{"model", model.name}, {"positions", report.positions}, {"engines", Json::object()}};
  for (const EngineCheck& e : report.engines)
    json["engines"][std::string(name(e.engine))] = {{"compared", e.compared}, {"mismatches", e.mismatches}};
  json["first_mismatch"] = mismatch_json(report.first_mismatch);
  json["artefacts"] = report.artefact_notes;
  json["seed"] = o.common.seed;
  json["seconds"] = watch.lap();
  write_json(o.common, json);
  return report.ok() ? 0 : 1;
}

}  // namespace

void add_check(CLI::App& app, int& status) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "compare engines bit for bit with the CPU reference");
  command->add_option("model", o->model, "model.yaml")->required();
  command->add_option("--engines", o->engines,
                      "list of cpu, dag, grid, rtl (= datapath,fabric: the kernels' Verilog and the grid's), default cpu,dag,grid; with "
                      "--from: what the folder holds");
  command->add_option("--tokens", o->tokens, "positions to compare")->capture_default_str()->check(CLI::Range(1, 1000000));
  command->add_option("--prompt", o->prompt, "text of the first positions; the CPU engine continues it as `run` would");
  command->add_option("--temperature", o->temperature, "continue the prompt by sampling with --seed, as `run --temperature` does");
  command->add_option("--from", o->from, "use the artefacts of this folder (of compile or verilog) as they stand");
  command->add_option("--arch", o->arch, "architecture file: layers larger than its tile are cut (with --from: as they were compiled)");
  command->add_option("--optimize", o->optimize, "of the mapping: area (fewest cells) or throughput (smallest II)")->capture_default_str();
  add_common(*command, o->common);
  command->callback([o, &status] { status = check(*o); });
}

}  // namespace bitgrid::cli
