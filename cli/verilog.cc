// bitgrid verilog: datapath Verilog of every kernel.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "check/artefacts.h"
#include "check/check_model.h"
#include "cli/common.h"
#include "cli/source.h"
#include "ir/error.h"

namespace bitgrid::cli {
namespace {

struct Options {
  Common common;
  std::string source, out, style = "datapath";
};

void verilog(const Options& o) {
  if (o.style != "datapath") {
    throw Error("--style", o.style == "fabric" ? "the fabric style is not part of this version" : "'" + o.style + "' is no style",
                "use --style datapath");
  }
  Stopwatch watch;
  const Source source = read_source(o.source);
  const auto kernels = verilog_sources(source.lowered.program);
  write_verilog(o.out, {source.lowered.program.name, source.hash, o.common.seed}, kernels);
  Json json = {{"style", o.style}, {"kernels", Json::array()}};
  std::cout << fmt::format("{:28} {:>8} {:>12} {:>13} {:>9}\n", "module", "latency", "input bits", "output bits", "bytes");
  for (const RtlSource& k : kernels) {
    std::cout << fmt::format("{:28} {:>8} {:>12} {:>13} {:>9}\n", k.interface.module, k.interface.latency_cycles,
                             total_width(k.interface.inputs), total_width(k.interface.outputs), k.text.size());
    json["kernels"].push_back({{"name", k.name},
                               {"module", k.interface.module},
                               {"latency_cycles", k.interface.latency_cycles},
                               {"input_bits", total_width(k.interface.inputs)},
                               {"output_bits", total_width(k.interface.outputs)}});
  }
  std::cout << fmt::format("{} modules written to {}/verilog\n", kernels.size(), o.out);
  json["seconds"] = watch.lap();
  write_json(o.common, json);
}

}  // namespace

void add_verilog(CLI::App& app, int&) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("verilog", "write synthesizable Verilog of every kernel");
  command->add_option("source", o->source, "MODEL.yaml, NETLIST.blif or KERNEL.dag")->required();
  command->add_option("-o,--output", o->out, "folder for the Verilog files")->required();
  command->add_option("--style", o->style, "datapath: one pipelined module a kernel")->capture_default_str();
  add_common(*command, o->common);
  command->callback([o] { verilog(*o); });
}

}  // namespace bitgrid::cli
