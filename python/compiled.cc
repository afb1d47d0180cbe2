#include "python/compiled.h"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "check/verify_kernel.h"
#include "engines/artefacts.h"
#include "engines/progress_lines.h"
#include "estimate/estimate.h"
#include "frontend/arch_file.h"
#include "frontend/defects_file.h"
#include "ir/error.h"
#include "ir/index.h"
#include "ir/output_file.h"
#include "ir/parallel.h"
#include "python/define.h"
#include "report/page.h"
#include "report/picture.h"

namespace bitgrid::python {
namespace {

constexpr int kMostTileSide = kMaxTileSide;

/// A kernel of a compiled program, which it keeps.
struct KernelRef {
  std::shared_ptr<const std::vector<MappedKernel>> all;
  size_t index = 0;
  const MappedKernel& kernel() const { return (*all)[index]; }
};

/// Text that a notebook shows: SVG or HTML.
struct Document {
  std::string text;
  void save(const std::string& path) const {
    OutputFile file(path);
    file.write(text);
    file.finish();
  }
};
struct Picture : Document {};
struct Page : Document {};

Page report_page(const Compiled& c) {
  report::PageData page;
  page.title = c.program->name;
  page.kernels = *c.mapped;
  page.defects = c.read.map.defects;
  page.configuration = {{"source", c.program->name},         {"seed", c.options.seed},
                        {"optimize", c.options.optimize},    {"mode", c.options.mode},
                        {"effort", c.options.effort},        {"tile", {c.read.lower.tile.width, c.read.lower.tile.height}},
                        {"bitgrid_version", BITGRID_VERSION}};
  page.program = c.program.get();
  page.params = estimate::load_estimate_params(c.options.arch, "");
  page.params.arch = c.read.arch;  // with the tile of this compile
  if (c.is_model) page.figures = estimate::estimate(estimate::mapped_kernels(*c.program, *c.mapped), page.params);
  return {{report::report_page(page)}};
}

void save_compiled(const Compiled& c, const std::string& dir) {
  OutputFolder folder(dir);
  std::vector<engines::KernelRecord> records;
  for (const Kernel& kernel : c.program->kernels)
    records.push_back({c.options.verify ? mapping::mapping_key(kernel, c.read.map) : 0, 0, std::nullopt, std::nullopt});
  engines::write_compiled(folder,
                          {c.program->name, c.source_hash, c.options.seed, c.options.optimize, c.options.mode, c.options.effort,
                           c.options.strategy, c.read.map.defects, c.read.lower.tile.width, c.read.lower.tile.height},
                          *c.mapped, records);
}

std::vector<KernelRef> kernels_of(const Compiled& c) {
  std::vector<KernelRef> refs;
  for (size_t k = 0; k < c.mapped->size(); ++k) refs.push_back({c.mapped, k});
  return refs;
}

int64_t total_cells(const Compiled& c) {
  int64_t cells = 0;
  for (const MappedKernel& kernel : *c.mapped) cells += cells_of(kernel);
  return cells;
}

}  // namespace

int threads_of(int threads) {
  const int all = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 1024u));
  if (threads < 0 || threads > 1024) throw Error("threads", fmt::format("{} is no number of threads", threads), "give 0, for all, to 1024");
  return threads == 0 ? all : threads;
}

CompileOptions::Read CompileOptions::read() const {
  Read read;
  if (!arch.empty()) read.arch = frontend::load_arch(arch);
  if (tile) {
    if (tile->first < 0 || tile->second < 0 || tile->first > kMostTileSide || tile->second > kMostTileSide)
      throw Error("tile", fmt::format("{} x {} cells are no tile", tile->first, tile->second),
                  fmt::format("give sides 0, for any, to {}", kMostTileSide));
    std::tie(read.arch.tile_width, read.arch.tile_height) = *tile;
  }
  read.map.seed = seed;
  read.map.mode = mapping::parse_mode(mode);
  read.map.optimize = mapping::parse_optimize(optimize);
  read.map.effort = mapping::parse_effort(effort);
  read.map.strategy = strategy;
  if (!strategy.empty()) mapping::find_strategy(strategy);
  if (!defects.empty()) read.map.defects = frontend::load_defects(defects);
  read.lower = {{read.arch.tile_width, read.arch.tile_height}, read.map.optimize, read.map.defects};
  return read;
}

std::vector<MappedKernel> map_program(const Program& program, const CompileOptions& options, const CompileOptions::Read& read,
                                      const engines::Say& say) {
  const int threads = threads_of(options.threads);
  mapping::MapRun run = engines::mapping_run(say);
  run.threads = threads;
  mapping::MapParams params = read.map;
  params.stop_point = [&say] { say(""); };
  std::vector<MappedKernel> mapped = mapping::map_kernels(program, params, run);
  mapping::require_fit(mapped, read.lower.tile);
  if (!options.verify) return mapped;
  std::mutex mutex;
  parallel_for(mapped.size(), threads, [&](size_t k) {
    {
      const std::lock_guard lock(mutex);
      say(fmt::format("verifying kernel {} of {}, {}", k + 1, mapped.size(), mapped[k].name));
    }
    check::VerifyParams verifying;
    verifying.defects = read.map.defects;
    check::require_verified(program.kernels[k], mapped[k], verifying);
  });
  return mapped;
}

engines::EngineInputs engine_inputs(const Compiled& compiled, const engines::Say& say) {
  const auto mapped = [kernels = compiled.mapped] { return *kernels; };
  const auto verilog = [program = compiled.program] { return engines::verilog_sources(*program); };
  engines::EngineInputs inputs{*compiled.program, mapped, verilog, engines::verilating_params(say)};
  inputs.latch_seed = compiled.options.seed;
  return inputs;
}

void define_compiled(py::module_& m) {
  py::class_<Document>(m, "Document", "A text for people, which a notebook shows.")
      .def("__str__", [](const Document& d) { return d.text; })
      .def("save", &Document::save, py::arg("path"), "Writes the text into a file.");
  py::class_<Picture, Document>(m, "Picture", "A drawing as SVG; str() gives its text.").def("_repr_svg_", [](const Picture& p) {
    return p.text;
  });
  py::class_<Page, Document>(m, "Page", "A self-contained HTML page; str() gives its text.").def("_repr_html_", [](const Page& p) {
    return p.text;
  });

  py::class_<KernelRef>(m, "Kernel", "A kernel on the grid.")
      .def_property_readonly("name", [](const KernelRef& k) { return k.kernel().name; })
      .def_property_readonly(
          "strategy", [](const KernelRef& k) { return k.kernel().strategy; }, "What made it of cells.")
      .def_property_readonly(
          "width", [](const KernelRef& k) { return k.kernel().grid.width; }, "Cells from west to east.")
      .def_property_readonly(
          "height", [](const KernelRef& k) { return k.kernel().grid.height; }, "Cells from north to south.")
      .def_property_readonly(
          "cells", [](const KernelRef& k) { return cells_of(k.kernel()); }, "Cells of the rectangle.")
      .def_property_readonly(
          "cells_used", [](const KernelRef& k) { return cells_used(k.kernel().grid); }, "Cells that are not idle.")
      .def_property_readonly(
          "ii", [](const KernelRef& k) { return k.kernel().ii; }, "Cycles from one invocation to the next.")
      .def_property_readonly(
          "latency", [](const KernelRef& k) { return latency_cycles(k.kernel()); }, "Cycles of one invocation.")
      .def_property_readonly(
          "input_bits", [](const KernelRef& k) { return k.kernel().input_bits; }, "Bits that enter for an invocation.")
      .def_property_readonly(
          "output_bits", [](const KernelRef& k) { return k.kernel().output_bits; }, "Bits that leave.")
      .def(
          "grid", [](const KernelRef& k) { return k.kernel().grid; }, "Its configuration as a Grid, a copy.")
      .def(
          "floorplan", [](const KernelRef& k) { return Picture{{report::kernel_svg(k.kernel())}}; }, "Its cells and signals as SVG.")
      .def("__repr__", [](const KernelRef& k) {
        const MappedKernel& kernel = k.kernel();
        return fmt::format("<bitgrid.Kernel {}: {}, {} x {} cells, II {}, latency {}>", kernel.name, kernel.strategy, kernel.grid.width,
                           kernel.grid.height, kernel.ii, latency_cycles(kernel));
      });

  py::class_<Compiled>(m, "Compiled", "Kernels on the grid.")
      .def_property_readonly("kernels", kernels_of, "All kernels, in the order in which they were lowered.")
      .def_property_readonly("cells", total_cells, "Cells of all kernels' rectangles, each once.")
      .def("save", save_compiled, py::arg("folder"), "Writes what `bitgrid compile -o FOLDER` writes.")
      .def("report", report_page, "The page of `bitgrid report`: floorplans to pan and zoom, graph, timeline.")
      .def("__repr__", [](const Compiled& c) {
        return fmt::format("<bitgrid.{} {}: {} kernels, {} cells>", "Compiled", c.program->name, c.mapped->size(), total_cells(c));
      });
}

}  // namespace bitgrid::python
