// bitgrid picture: the floorplan of a mapped kernel as SVG, or the graph of a kernel's Dag in Graphviz's language.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/source.h"
#include "engines/artefacts.h"
#include "ir/error.h"
#include "ir/file.h"
#include "report/picture.h"

namespace bitgrid::cli {
namespace {

struct PictureOptions {
  Common common;
  std::string source, kernel, out, format;
};

void floorplan(const PictureOptions& o) {
  const auto folder = engines::read_compiled(o.source);
  if (!folder) throw Error(o.source, "there is no compile.json in this folder", "give the -o folder of `bitgrid compile`");
  const MappedKernel& kernel = engines::find_kernel(*folder, o.source, o.kernel);
  const std::string svg = report::kernel_svg(kernel, {});
  write_file(o.out, svg);
  std::cout << fmt::format("{}: {} x {} cells, {} bytes\n", o.out, kernel.grid.width, kernel.grid.height, svg.size());
  write_json(o.common, {{"kernel", kernel.name}, {"format", "svg"}, {"file", o.out}, {"bytes", svg.size()}});
}

/// The kernel that --kernel names, or the only one. Throws Error listing them.
const Kernel& choose(const Program& program, const PictureOptions& o) {
  std::string names;
  for (const Kernel& kernel : program.kernels) {
    if (kernel.name == o.kernel || (o.kernel.empty() && program.kernels.size() == 1)) return kernel;
    names += (names.empty() ? "" : ", ") + kernel.name;
  }
  throw Error("--kernel", o.kernel.empty() ? "there are several kernels" : "there is no kernel " + o.kernel, "choose one of " + names);
}

void graph(const PictureOptions& o) {
  const engines::KernelSource source = read_source(o.source);
  const Kernel& kernel = choose(source.program, o);
  const std::string dot = to_dot(kernel.dag);
  write_file(o.out, dot);
  std::cout << fmt::format("{}: {} nodes, {} bytes\n", o.out, kernel.dag.size(), dot.size());
  write_json(o.common, {{"kernel", kernel.name}, {"format", "dot"}, {"file", o.out}, {"bytes", dot.size()}});
}

/// "svg" or "dot": as --format says, or by what is drawn.
std::string format_of(const PictureOptions& o) {
  const bool folder = is_folder(o.source);
  if (o.format.empty()) return folder ? "svg" : "dot";
  if (o.format != "svg" && o.format != "dot") throw Error("--format", "'" + o.format + "' is not a format", "choose svg or dot");
  if (o.format == "svg" && !folder) throw Error(o.source, "a floorplan needs a mapped kernel", "compile it and give the folder");
  if (o.format == "dot" && folder) throw Error(o.source, "a folder holds configurations, not graphs", "give the source of the compile");
  return o.format;
}

void picture(const PictureOptions& o) {
  format_of(o) == "svg" ? floorplan(o) : graph(o);
}

}  // namespace

void define_picture(CLI::App& command, int&) {
  auto o = std::make_shared<PictureOptions>();
  command.add_option("source", o->source, "folder of a compile: its floorplan; MODEL.yaml, NETLIST.blif or KERNEL.dag: its graph")
      ->required();
  command.add_option("--kernel", o->kernel, "which kernel (not needed if there is only one)");
  command.add_option("--format", o->format, "svg (of a folder) or dot (of a source); default: by the source");
  command.add_option("-o,--output", o->out, "SVG or Graphviz file")->required();
  add_common(command, o->common);
  command.callback([o] { picture(*o); });
}

}  // namespace bitgrid::cli
