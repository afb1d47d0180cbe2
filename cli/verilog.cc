// bitgrid verilog: each kernel as a pipelined Verilog module, or the fabric with each kernel's configuration and a testbench.
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <random>

#include "check/check_model.h"
#include "check/verify_kernel.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/numbers.h"
#include "cli/source.h"
#include "engines/artefacts.h"
#include "ir/dag.h"
#include "ir/error.h"
#include "ir/output_file.h"
#include "rtl/fabric_testbench.h"

namespace bitgrid::cli {
namespace {

struct VerilogOptions {
  Common common;
  std::string source, out, style = "datapath", kernel, optimize = "area", mode = "auto", arch, grid;
  int invocations = 8;
  ModelOptions scales;
};

Json datapath(const VerilogOptions& o, const engines::KernelSource& source, OutputFolder& folder) {
  const auto kernels = engines::verilog_sources(source.program);
  engines::write_verilog(folder, {source.program.name, source.hash, o.common.seed}, kernels);
  Json json = Json::array();
  std::cout << fmt::format("{:28} {:>8} {:>12} {:>13} {:>9}\n", "module", "latency", "input bits", "output bits", "bytes");
  for (const rtl::RtlSource& k : kernels) {
    std::cout << fmt::format("{:28} {:>8} {:>12} {:>13} {:>9}\n", k.interface.module, k.interface.latency_cycles,
                             rtl::total_width(k.interface.inputs), rtl::total_width(k.interface.outputs), k.text.size());
    json.push_back({{"name", k.name},
                    {"module", k.interface.module},
                    {"latency_cycles", k.interface.latency_cycles},
                    {"input_bits", rtl::total_width(k.interface.inputs)},
                    {"output_bits", rtl::total_width(k.interface.outputs)}});
  }
  std::cout << fmt::format("{} modules written to {}/verilog\n", kernels.size(), o.out);
  return json;
}

/// The kernels that --kernel asks for: all, or one. Throws Error naming those that are there.
std::vector<size_t> chosen(const VerilogOptions& o, const Program& program) {
  std::vector<size_t> ids;
  std::string names;
  for (size_t k = 0; k < program.kernels.size(); ++k) {
    if (o.kernel.empty() || program.kernels[k].name == o.kernel) ids.push_back(k);
    names += (k == 0 ? "" : ", ") + program.kernels[k].name;
  }
  if (ids.empty()) throw Error("--kernel", "there is no kernel " + o.kernel, "the kernels are " + names);
  return ids;
}

Json fabric(const VerilogOptions& o, const engines::KernelSource& source, OutputFolder& folder) {
  const Program& program = source.program;
  const std::vector<size_t> ids = chosen(o, program);
  Progress progress;
  mapping::MapParams params{o.common.seed, mapping::parse_optimize(o.optimize), mapping::parse_mode(o.mode)};
  std::vector<std::string> names;
  for (const Kernel& kernel : program.kernels) names.push_back(kernel.name);
  const std::vector<std::string> stems = engines::file_names(names);
  // Everything is made before anything is written.
  std::vector<rtl::VerilogFile> files = rtl::fabric_files(true);
  Json json = Json::array();
  std::string table = fmt::format("{:28} {:>12} {:>12} {:>8} {:>14}\n", "kernel", "size", "load clocks", "phases", "bits compared");
  for (size_t i = 0; i < ids.size(); ++i) {
    const Kernel& kernel = program.kernels[ids[i]];
    progress.say(fmt::format("mapping kernel {} of {}, {}", i + 1, ids.size(), kernel.name));
    const MappedKernel mapped = mapping::map_kernel(kernel, params);
    std::mt19937_64 random(o.common.seed);
    const BitMatrix inputs = check::random_invocations(kernel, o.invocations, random);
    rtl::FabricTestbenchStats stats;
    for (rtl::VerilogFile& f : rtl::fabric_testbench(mapped, stems[ids[i]], inputs, evaluate(kernel.dag, inputs), &stats))
      files.push_back(std::move(f));
    table += fmt::format("{:28} {:>5} x {:>4} {:>12} {:>8} {:>14}\n", kernel.name, mapped.grid.width, mapped.grid.height, stats.load_clocks,
                         stats.phases, stats.compared);
    json.push_back({{"name", kernel.name},
                    {"width", mapped.grid.width},
                    {"height", mapped.grid.height},
                    {"load_clocks", stats.load_clocks},
                    {"testbench_phases", stats.phases},
                    {"testbench_bits_compared", stats.compared}});
  }
  progress.clear();
  for (const rtl::VerilogFile& f : files) folder.add("fabric/" + f.name, f.text);
  folder.commit();
  std::cout << table
            << fmt::format("the fabric's modules and {} testbenches written to {}/fabric; the head of each testbench says how to run it\n",
                           ids.size(), o.out);
  return json;
}

void verilog(const VerilogOptions& o) {
  if (o.style != "datapath" && o.style != "fabric")
    throw Error("--style", "'" + o.style + "' is not a style", "use --style datapath or --style fabric");
  Stopwatch watch;
  const Arch arch = arch_of(o.arch);
  OutputFolder folder(o.out);
  const engines::KernelSource source =
      read_source(o.source, {{{arch.tile_width, arch.tile_height}, mapping::parse_optimize(o.optimize)}, o.grid, o.scales});
  Json json = {{"style", o.style}};
  json["kernels"] = o.style == "fabric" ? fabric(o, source, folder) : datapath(o, source, folder);
  json["arch"] = arch_json(arch);
  json["seed"] = o.common.seed;
  json["seconds"] = watch.lap();
  write_json(o.common, json);
}

}  // namespace

void define_verilog(CLI::App& command, int&) {
  auto o = std::make_shared<VerilogOptions>();
  command.add_option("source", o->source, "MODEL.yaml, NETWORK.onnx, NETLIST.blif or KERNEL.dag")->required();
  command.add_option("--input-grid", o->grid, kInputGridHelp);
  command.add_option("-o,--output", o->out, "folder for the Verilog files")->required();
  command
      .add_option(
          "--style", o->style,
          "datapath: one pipelined module per kernel; fabric: the grid of cells, and for each kernel its configuration and a testbench")
      ->capture_default_str();
  command.add_option("--kernel", o->kernel, "fabric: this kernel only");
  add_lowering_options(command, o->scales);
  add_number<int>(command, "--invocations", o->invocations, {1, 100000}, "fabric: invocations in each testbench");
  command.add_option("--optimize", o->optimize, "goal of the mapping, and of cutting layers for --arch: area, throughput or density")
      ->capture_default_str();
  command.add_option("--mode", o->mode, "fabric: mode of the mapping: auto, wave or settle")->capture_default_str();
  command.add_option("--arch", o->arch, "architecture file: layers larger than its tile are cut over several, as `compile --arch` does");
  add_common(command, o->common);
  command.callback([o] { verilog(*o); });
}

}  // namespace bitgrid::cli
