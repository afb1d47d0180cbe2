// bitgrid picture: the floorplan of a mapped kernel as SVG.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "check/artefacts.h"
#include "cli/common.h"
#include "ir/error.h"
#include "ir/file.h"
#include "report/picture.h"

namespace bitgrid::cli {
namespace {

struct Options {
  Common common;
  std::string dir, kernel, out;
};

void picture(const Options& o) {
  const auto folder = read_compiled(o.dir);
  if (!folder) throw Error(o.dir, "there is no compile.json in this folder", "give the -o folder of `bitgrid compile`");
  const MappedKernel& kernel = find_kernel(*folder, o.dir, o.kernel);
  const std::string svg = kernel_svg(kernel, {});
  write_file(o.out, svg);
  std::cout << fmt::format("{}: {} x {} cells, {} bytes\n", o.out, kernel.grid.width, kernel.grid.height, svg.size());
  write_json(o.common, {{"kernel", kernel.name}, {"file", o.out}, {"bytes", svg.size()}});
}

}  // namespace

void add_picture(CLI::App& app, int&) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("picture", "draw the floorplan of a mapped kernel");
  command->add_option("dir", o->dir, "folder of a compile")->required();
  command->add_option("--kernel", o->kernel, "kernel of the folder (not needed where there is one)");
  command->add_option("-o,--output", o->out, "SVG file")->required();
  add_common(*command, o->common);
  command->callback([o] { picture(*o); });
}

}  // namespace bitgrid::cli
