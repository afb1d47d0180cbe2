// bitgrid synth: area and clock rate of a cell, a small grid, and a source's datapath modules.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "check/check_model.h"
#include "cli/common.h"
#include "cli/source.h"
#include "ir/error.h"
#include "rtl/synth.h"

namespace bitgrid::cli {
namespace {

struct Options {
  Common common;
  std::string source, kernel;
  int side = 4, timeout = 300;
  bool no_place = false;
};

void synth(const Options& o) {
  SynthParams params;
  params.timeout_seconds = o.timeout;
  params.place = !o.no_place;
  std::vector<SynthTarget> targets;
  for (const bool latches : {false, true}) {
    targets.push_back(cell_target(latches));
    targets.push_back(grid_target({o.side, o.side, 1}, latches));
  }
  if (!o.source.empty()) {
    const Source source = read_source(o.source);
    for (const RtlSource& k : verilog_sources(source.lowered.program)) {
      if (o.kernel.empty() || k.name == o.kernel)
        targets.push_back({"datapath " + k.name, {{k.interface.module + ".v", k.text}}, k.interface.module, {}});
    }
    if (targets.size() == 4) throw Error("--kernel", "there is no kernel " + o.kernel, "`bitgrid verilog` lists them");
  }
  Json json = {{"device", "iCE40 HX8K, package ct256"}, {"results", Json::array()}};
  std::cout << fmt::format("{:28} {:>8} {:>10} {:>8} {:>7} {:>8} {:>9}  {}\n", "", "gates", "flip-flops", "latches", "LUT4s", "iCE40 FFs",
                           "fmax MHz", "seconds");
  for (const SynthTarget& target : targets) {
    const bool has_latches = target.name.find("latches") != std::string::npos;
    SynthParams p = params;
    p.ice40 = !has_latches;  // an FPGA would build latches out of LUTs
    const SynthResult r = synthesize(target, p);
    const auto number = [](const std::optional<uint64_t>& n) { return n ? fmt::format("{}", *n) : std::string("-"); };
    std::cout << fmt::format("{:28} {:>8} {:>10} {:>8} {:>7} {:>8} {:>9}  {:.1f}{}\n", r.name, r.gates, r.flip_flops, r.latches,
                             number(r.lut4s), number(r.ice40_flip_flops), r.fmax_mhz ? fmt::format("{:.1f}", *r.fmax_mhz) : "-", r.seconds,
                             r.fmax_mhz || has_latches || o.no_place ? "" : "  (not placed: " + r.not_placed + ")")
              << std::flush;
    Json entry = {{"name", r.name}, {"gates", r.gates}, {"flip_flops", r.flip_flops}, {"latches", r.latches}, {"cells", r.cells}};
    if (r.lut4s) entry["lut4s"] = *r.lut4s;
    if (r.ice40_flip_flops) entry["ice40_flip_flops"] = *r.ice40_flip_flops;
    if (r.fmax_mhz) entry["fmax_mhz"] = *r.fmax_mhz;
    if (!r.fmax_mhz) entry["not_placed"] = r.not_placed;
    entry["seconds"] = r.seconds;
    json["results"].push_back(entry);
  }
  std::cout << "gates: two-input gates, inverters and multiplexers after `synth -flatten; abc -g gates`; LUT4s: Yosys `synth_ice40`\n";
  write_json(o.common, json);
}

}  // namespace

void add_synth(CLI::App& app, int&) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("synth", "area and clock rate of the fabric and of datapath modules, by Yosys and nextpnr-ice40");
  command->add_option("source", o->source, "MODEL.yaml, NETLIST.blif or KERNEL.dag: also its datapath modules");
  command->add_option("--kernel", o->kernel, "of the source, this kernel only");
  command->add_option("--side", o->side, "of the square grid")->capture_default_str()->check(CLI::Range(1, 64));
  command->add_flag("--no-place", o->no_place, "no placement: no clock rates");
  command->add_option("--timeout", o->timeout, "seconds for each program and each module")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  add_common(*command, o->common);
  command->callback([o] { synth(*o); });
}

}  // namespace bitgrid::cli
