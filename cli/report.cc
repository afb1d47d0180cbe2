// bitgrid report: a compile as one self-contained page, or what synthesis says of the fabric.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/source.h"
#include "cli/synth.h"
#include "engines/artefacts.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_reader.h"
#include "report/page.h"

namespace bitgrid::cli {
namespace {

struct ReportOptions {
  Common common;
  std::string dir, out, model, arch, technology, trace;
  SynthOptions synth;
};

void report(const ReportOptions& o) {
  if (o.synth.synth) {
    report_synthesis(o.synth, o.dir, o.technology, o.common);
    return;
  }
  if (o.dir.empty()) throw Error("report", "no folder is given", "give the -o folder of `bitgrid compile`, or --synth");
  if (o.out.empty()) throw Error("report", "no file is given for the page", "give one with -o");
  Stopwatch watch;
  const auto folder = engines::read_compiled(o.dir);
  if (!folder) throw Error(o.dir, "there is no compile.json in this folder", "give the -o folder of `bitgrid compile`");
  if (folder->kernels.empty()) throw Error(o.dir, "the compile has no kernels", "compile again");
  report::PageData page;
  page.params = estimate::load_estimate_params(o.arch, o.technology);
  page.title = folder->manifest.source;
  page.kernels = folder->kernels;
  page.defects = folder->manifest.defects;
  page.configuration = parse_json<Json>(read_file(o.dir + "/compile.json"), {o.dir + "/compile.json", "compile again"});
  page.configuration.erase("kernels");
  page.configuration["bitgrid_version"] = BITGRID_VERSION;
  page.params.arch.tile_width = folder->manifest.tile_width;
  page.params.arch.tile_height = folder->manifest.tile_height;
  page.configuration["arch"] = arch_json(page.params.arch);
  engines::KernelSource source;
  if (!o.model.empty()) {
    const engines::Manifest& m = folder->manifest;
    source = read_source(o.model, {{{m.tile_width, m.tile_height}, mapping::parse_optimize(m.optimize), m.defects}});
    if (source.hash != folder->manifest.source_hash)
      throw Error(o.model, "this is not what " + o.dir + " was compiled from", "give the model of the compile, or compile again");
    page.program = &source.program;
    if (page.program->kernels.size() != page.kernels.size())
      throw Error(o.dir, fmt::format("it holds {} kernels, and the model has {}", page.kernels.size(), page.program->kernels.size()),
                  "compile again");
    if (source.is_model) page.figures = estimate::estimate(estimate::mapped_kernels(*page.program, page.kernels), page.params);
  }
  if (!o.trace.empty()) {
    page.trace = parse_json(read_file(o.trace), {o.trace, "give a file that `bitgrid run --trace` wrote"});
    page.trace_file = o.trace;
  }
  const std::string html = report::report_page(page);
  write_file(o.out, html);
  std::cout << fmt::format("{}: {} kernels, {} bytes, {:.2f} s\n", o.out, page.kernels.size(), html.size(), watch.lap());
  write_json(o.common, {{"file", o.out}, {"bytes", html.size()}, {"kernels", page.kernels.size()}});
}

}  // namespace

void define_report(CLI::App& command, int&) {
  auto o = std::make_shared<ReportOptions>();
  command.add_option("dir", o->dir, "folder of a compile; with --synth: a model, netlist or kernel, or nothing");
  command.add_option("-o,--output", o->out, "HTML file");
  command.add_option("--model", o->model, "what was compiled: adds graph, timeline and roofline");
  command.add_option("--trace", o->trace, "file of `bitgrid run --trace`: adds the timeline of tiles and buses");
  command.add_option("--arch", o->arch, "architecture file");
  command.add_option("--technology", o->technology, "costs and speed of cells and memory (arch/45nm.yaml documents it)");
  add_synth_options(command, o->synth);
  add_common(command, o->common);
  command.callback([o] { report(*o); });
}

}  // namespace bitgrid::cli
