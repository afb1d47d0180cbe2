// bitgrid compile: a model, a netlist or a kernel onto the grid.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "check/artefacts.h"
#include "check/verify_kernel.h"
#include "cli/common.h"
#include "cli/source.h"
#include "frontend/arch_file.h"
#include "ir/error.h"
#include "lowering/map.h"

namespace bitgrid::cli {
namespace {

struct Options {
  Common common;
  std::string source, out, arch, mode = "auto", optimize = "area";
  bool no_verify = false;
};

/// Tiles that a kernel occupies: one for each step that holds its own resident bits, else one.
int tiles(const Program& program, size_t kernel, const MappedKernel& mapped) {
  int steps = 0;
  for (const Step& s : program.steps) steps += s.kernel == static_cast<int>(kernel);
  return mapped.residents.empty() ? 1 : steps;
}

/// Products of a weight and an activation bit that a cell does in a cycle, at full rate; 0 for kernels that are no matrices.
double macs_per_cell_per_cycle(const Kernel& kernel, const MappedKernel& mapped) {
  return static_cast<double>(kernel.bit_macs) / (static_cast<double>(mapped.grid.cells.size()) * mapped.ii);
}

void verify_all(const Program& program, const std::vector<MappedKernel>& mapped, Progress& progress) {
  for (size_t k = 0; k < mapped.size(); ++k) {
    progress.say(fmt::format("verifying kernel {} of {}, {}", k + 1, mapped.size(), mapped[k].name));
    if (const auto wrong = verify_mapping(program.kernels[k], mapped[k])) {
      throw Error("kernel " + mapped[k].name,
                  fmt::format("the mapping is wrong: random invocation {}, bit {}: expected {}, got {}", wrong->invocation, wrong->bit,
                              wrong->expected, wrong->got),
                  "this is a fault of the mapper; nothing was written; please report it with the source file");
    }
  }
}

void compile(const Options& o) {
  const Arch arch = o.arch.empty() ? Arch{} : load_arch(o.arch);
  Progress progress;
  Stopwatch watch;
  Source source = read_source(o.source);
  const double lower_seconds = watch.lap();
  const Program& program = source.lowered.program;
  MapParams params{o.common.seed};
  params.mode = parse_mode(o.mode);
  params.optimize = parse_optimize(o.optimize);
  MapRun run;
  run.progress = [&](size_t done, size_t total, const std::string& kernel) {
    progress.say(fmt::format("mapping kernel {} of {}, {}", done + 1, total, kernel));
  };
  const auto mapped = map_kernels(source.lowered, params, run);
  const double map_seconds = watch.lap();
  if (!o.no_verify) verify_all(program, mapped, progress);
  const double verify_seconds = watch.lap();
  progress.clear();
  write_compiled(o.out, {program.name, source.hash, o.common.seed, o.optimize}, mapped);

  Json json = {{"seed", o.common.seed}, {"arch", arch_json(arch)}, {"optimize", o.optimize}, {"kernels", Json::array()}};
  int64_t cells_total = 0;
  std::cout << fmt::format("{:28} {:9} {:>11} {:>8} {:>8} {:>5} {:>8} {:>6} {:>12} {:>9}\n", "kernel", "strategy", "size", "cells", "used",
                           "II", "latency", "tiles", "invocations", "bit-MACs");
  for (size_t k = 0; k < mapped.size(); ++k) {
    const MappedKernel& m = mapped[k];
    const int n = tiles(program, k, m), invocations = invocations_per_token(program, static_cast<int>(k));
    const auto cells = static_cast<int64_t>(m.grid.cells.size());
    cells_total += cells * n;
    const double density = macs_per_cell_per_cycle(program.kernels[k], m);
    std::cout << fmt::format("{:28} {:9} {:>5} x{:>4} {:>8} {:>8} {:>5} {:>8} {:>6} {:>12} {:>9}\n", m.name, m.strategy, m.grid.width,
                             m.grid.height, cells, cells_used(m.grid), m.ii, latency_cycles(m), n, invocations,
                             density > 0 ? fmt::format("{:.4f}", density) : "-");
    json["kernels"].push_back({{"name", m.name},
                               {"strategy", m.strategy},
                               {"width", m.grid.width},
                               {"height", m.grid.height},
                               {"cells", cells},
                               {"cells_used", cells_used(m.grid)},
                               {"ii_cycles", m.ii},
                               {"latency_cycles", latency_cycles(m)},
                               {"tiles", n},
                               {"invocations_per_token", invocations},
                               {"bit_macs_per_cell_per_cycle", density}});
  }
  json["cells_total"] = cells_total;
  if (source.is_model) {
    const TokenCycles cycles = cycles_per_token(program, mapped, arch.configuration_bits_per_cycle);
    json["cycles_per_token"] = cycles.total();
    json["configuration_cycles_per_token"] = cycles.configuration;
    std::cout << fmt::format("{} cells on {} kernels; {} cycles per token, {} of them configuration ({} bits per cycle)\n", cells_total,
                             mapped.size(), cycles.total(), cycles.configuration, arch.configuration_bits_per_cycle);
    std::cout << "bit-MACs: products of a weight and an activation bit, per cell and cycle at full rate\n";
  } else {
    std::cout << fmt::format("{} cells\n", cells_total);
  }
  json["seconds"] = {{"lower", lower_seconds}, {"map", map_seconds}, {"verify", verify_seconds}};
  std::cout << fmt::format("lowered in {:.2f} s, mapped in {:.2f} s, {}; written to {}\n", lower_seconds, map_seconds,
                           o.no_verify ? std::string("not verified") : fmt::format("verified in {:.2f} s", verify_seconds), o.out);
  write_json(o.common, json);
}

}  // namespace

void add_compile(CLI::App& app, int&) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compile", "map a model, a BLIF netlist or a kernel onto the grid");
  command->add_option("source", o->source, "MODEL.yaml, NETLIST.blif or KERNEL.dag")->required();
  command->add_option("-o,--output", o->out, "folder for the mapped kernels")->required();
  command->add_option("--arch", o->arch, "architecture file (arch/default.yaml documents it)");
  command->add_option("--mode", o->mode, "of netlists and kernels: auto, wave (II = 1) or settle (inputs held)")->capture_default_str();
  command
      ->add_option("--optimize", o->optimize,
                   "where a matrix has a serial and a parallel form: area (fewest cells) or throughput (smallest II)")
      ->capture_default_str();
  command->add_flag("--no-verify", o->no_verify, "do not simulate the mapped kernels against their Dags");
  add_common(*command, o->common);
  command->callback([o] { compile(*o); });
}

}  // namespace bitgrid::cli
