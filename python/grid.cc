// bitgrid.Grid: cells, and the grid phase by phase.
#include <fmt/format.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <filesystem>

#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/sliced.h"
#include "frontend/grids/grid_io.h"
#include "frontend/grids/lut_expression.h"
#include "ir/error.h"
#include "ir/index.h"
#include "ir/number.h"
#include "ir/output_file.h"
#include "python/arrays.h"
#include "python/define.h"
#include "python/long_work.h"

namespace bitgrid::python {
namespace {

constexpr int kMostGridSide = 1 << 16;
constexpr int64_t kMostGridCells = int64_t{1} << 28;
constexpr int64_t kMostPortBits = int64_t{1} << 31;  // of a run: phases times ports

struct Cell {
  CellWord word = 0;
};

/// A table, or its expression.
Lut lut_of(const py::object& value, const std::string& place) {
  if (value.is_none()) return 0;
  if (py::isinstance<py::str>(value)) return frontend::parse_lut_expression(value.cast<std::string>(), place);
  if (py::isinstance<py::int_>(value)) {
    int overflow = 0;
    const long long table = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow == 0 && table >= 0 && table <= 0xFFFF) return static_cast<Lut>(table);
  }
  throw Error(place, py::cast<std::string>(py::repr(value)) + " is not a table", "give an expression such as \"w & ~e\", or 0 .. 0xFFFF");
}

Cell luts(const py::object& n, const py::object& e, const py::object& s, const py::object& w) {
  return {cell_word({lut_of(n, "output n"), lut_of(e, "output e"), lut_of(s, "output s"), lut_of(w, "output w")})};
}

std::string cell_text(const Cell& cell) {
  std::string text;
  const std::array<Lut, 4> tables = cell_luts(cell.word);
  for (size_t side = 0; side < 4; ++side)
    if (tables[side] != 0)
      text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ", ", "nesw"[side], frontend::print_lut_expression(tables[side]));
  return "luts(" + text + ")";
}

/// Border ports and latches of a run.
struct GridRun {
  int64_t phases = 0;
  int width = 0, height = 0;
  std::array<py::array_t<uint8_t>, 4> outputs;  // [phases, ports]
  sim::GridState latches;
};

struct PortRef {
  Side side = Side::N;
  int position = -1;  // -1: all of the side
};

PortRef port_of(const std::string& name, const GridConfig& grid) {
  constexpr std::string_view kNames = "nesw";
  const size_t side = name.empty() ? std::string_view::npos : kNames.find(name[0]);
  if (side != std::string_view::npos) {
    PortRef port{kSides[side]};
    if (name.size() == 1) return port;
    const int ports = sim::ports_of(port.side, grid.width, grid.height);
    if (const auto position = parse_whole(std::string_view(name).substr(1), 0, ports - 1)) return {port.side, *position};
    throw Error("port " + name, fmt::format("the grid has {}0 .. {}{} on that side", name[0], name[0], ports - 1), "choose one of them");
  }
  throw Error("port " + name, "this is not the name of a port", "write a side, n, e, s or w, or a port of it such as w3");
}

/// The bits of a stimulus: [phase][port] of a side, or [phase] of a port.
struct Drive {
  PortRef port;
  size_t phases = 0, ports = 1;
  std::vector<int64_t> bits;
};

std::vector<Drive> drives_of(const GridConfig& grid, const py::dict& stimulus) {
  std::vector<Drive> drives;
  for (const auto& [key, value] : stimulus) {
    const std::string name = py::str(key), place = "port " + name;
    Drive drive{port_of(name, grid), 0, 1, {}};
    const frontend::NpyArray array = numbers_of(py::reinterpret_borrow<py::object>(value), place);
    const size_t ports = drive.port.position >= 0 ? 1 : index_of(sim::ports_of(drive.port.side, grid.width, grid.height));
    const bool fits = drive.port.position >= 0 ? array.shape.size() == 1 : array.shape.size() == 2 && array.shape[1] == ports;
    if (!fits)
      throw Error(place, fmt::format("the array has {} dimensions and {} numbers", array.shape.size(), array.values.size()),
                  drive.port.position >= 0 ? "give one bit for each phase: [phases]" : fmt::format("give bits [phases, {}]", ports));
    drive.phases = array.shape[0];
    drive.ports = ports;
    for (const double v : array.values) {
      if (v != 0.0 && v != 1.0) throw Error(place, fmt::format("{} is not a bit", v), "give 0 and 1");
      drive.bits.push_back(v != 0.0);
    }
    drives.push_back(std::move(drive));
  }
  return drives;
}

template <typename Simulator>
void run_phases(Simulator& grid, const std::vector<Drive>& drives, GridRun& run, const std::array<uint8_t*, 4>& out,
                const engines::Say& say) {
  for (int64_t phase = 0; phase < run.phases; ++phase) {
    if (phase % 64 == 0) say(fmt::format("phase {} of {}", phase, run.phases));
    for (const Drive& d : drives) {
      if (index_of(phase) >= d.phases) continue;
      for (size_t p = 0; p < d.ports; ++p)
        if (d.bits[index_of(phase) * d.ports + p] != 0)
          grid.drive(grid.input_port(d.port.side, d.port.position >= 0 ? d.port.position : static_cast<int>(p)));
    }
    grid.step(static_cast<int>(phase % 2));
    for (size_t side = 0; side < 4; ++side) {
      const int ports = sim::ports_of(kSides[side], run.width, run.height);
      for (int p = 0; p < ports; ++p) out[side][phase * ports + p] = grid.sample(grid.output_port(kSides[side], p));
    }
  }
  run.latches = grid.state();
}

template <typename Simulator>
void simulate(const GridConfig& config, const sim::GridState* start, const std::vector<Drive>& drives, GridRun& run,
              const std::array<uint8_t*, 4>& out, const engines::Say& say) {
  Simulator grid(config);
  if (start != nullptr) grid.set_state(*start);
  run_phases(grid, drives, run, out, say);
}

GridRun run_grid(const GridConfig& config, const py::object& stimulus, std::optional<int64_t> phases, const std::string& engine,
                 const std::optional<GridRun>& start, const py::object& progress) {
  if (engine != "sliced" && engine != "scalar")
    throw Error("engine", "'" + engine + "' does not run grids", "choose sliced, or scalar, the definition");
  if (start && (start->width != config.width || start->height != config.height))
    throw Error("start", "it is of a grid of another size", "give a run of this grid");
  if (start && start->phases % 2 != 0) throw Error("start", "it ended after an odd number of phases", "let runs end with whole cycles");
  const auto drives = stimulus.is_none() ? std::vector<Drive>{} : drives_of(config, stimulus.cast<py::dict>());
  size_t longest = 0;
  for (const Drive& d : drives) longest = std::max(longest, d.phases);
  GridRun run;
  run.phases = phases.value_or(static_cast<int64_t>(longest));
  if (run.phases < static_cast<int64_t>(longest))
    throw Error("phases", fmt::format("the stimulus has {} phases, and {} are to run", longest, run.phases), "run at least as many");
  run.width = config.width;
  run.height = config.height;
  if (run.phases > kMostPortBits / (2 * (config.width + config.height)))
    throw Error("phases", fmt::format("{} phases of all ports do not fit memory", run.phases), "run fewer at a time, with start=");
  std::array<uint8_t*, 4> out{};
  for (size_t side = 0; side < 4; ++side) {
    run.outputs[side] = py::array_t<uint8_t>({run.phases, int64_t{sim::ports_of(kSides[side], run.width, run.height)}});
    out[side] = run.outputs[side].mutable_data();
  }
  const sim::GridState* latches = start ? &start->latches : nullptr;
  run_long(progress, [&, grid = config](const engines::Say& say) {
    engine == "scalar" ? simulate<sim::ScalarGrid>(grid, latches, drives, run, out, say)
                       : simulate<sim::SlicedGrid>(grid, latches, drives, run, out, say);
  });
  return run;
}

py::array_t<uint8_t> port_array(const GridRun& run, const std::string& name) {
  const PortRef port = port_of(name, GridConfig(run.width, run.height));
  const py::array_t<uint8_t>& side = run.outputs[static_cast<size_t>(port.side)];
  if (port.position < 0) return side;
  return side[py::make_tuple(py::slice(std::nullopt, std::nullopt, std::nullopt), port.position)].cast<py::array_t<uint8_t>>();
}

py::array_t<uint8_t> latch_array(const GridRun& run) {
  py::array_t<uint8_t> array({run.height, run.width, 4});
  uint8_t* at = array.mutable_data();
  for (const uint8_t nibble : run.latches.outputs)
    for (unsigned side = 0; side < 4; ++side) *at++ = nibble >> side & 1u;
  return array;
}

GridConfig new_grid(int width, int height) {
  if (width < 1 || height < 1 || width > kMostGridSide || height > kMostGridSide || int64_t{width} * height > kMostGridCells)
    throw Error("Grid", fmt::format("{} x {} cells are not a grid", width, height),
                fmt::format("give sides 1 .. {} and at most {} cells", kMostGridSide, kMostGridCells));
  return {width, height};
}

CellWord& cell_at(GridConfig& grid, std::pair<int, int> at) {
  const auto [x, y] = at;
  if (x < 0 || y < 0 || x >= grid.width || y >= grid.height)
    throw py::index_error(fmt::format("cell ({}, {}) is outside of the grid of {} x {}", x, y, grid.width, grid.height));
  return grid.at(x, y);
}

py::array_t<uint64_t> words_of(const GridConfig& grid) {
  py::array_t<uint64_t> array({grid.height, grid.width});
  std::copy(grid.cells.begin(), grid.cells.end(), array.mutable_data());
  return array;
}

void set_words(GridConfig& grid, const py::array_t<uint64_t, py::array::c_style | py::array::forcecast>& words) {
  if (words.ndim() != 2 || words.shape(0) != grid.height || words.shape(1) != grid.width)
    throw Error("words", "the array has another shape than the grid", fmt::format("give [{}, {}]", grid.height, grid.width));
  std::copy(words.data(), words.data() + words.size(), grid.cells.begin());
}

void save_grid(const GridConfig& grid, const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension != ".json" && extension != ".bgbs") throw Error(path, "the name says no format", "end it in .json (lutgrid-v1) or .bgbs");
  OutputFile file(path);
  file.write(extension == ".json" ? frontend::print_lutgrid(grid) : frontend::print_bgbs(grid));
  file.finish();
}

}  // namespace

void define_grid(py::module_& m) {
  py::class_<Cell>(m, "Cell", "The four truth tables of a cell: see luts(). Immutable.")
      .def(py::init([](uint64_t word) { return Cell{word}; }), py::arg("word") = 0,
           "A cell of a configuration word of 64 bits: nibble i holds the outputs n, e, s, w (bits 0 .. 3) for the inputs i.")
      .def_property_readonly(
          "word", [](const Cell& c) { return c.word; }, "The configuration word, 64 bits.")
      .def_property_readonly(
          "tables",
          [](const Cell& c) {
            const auto t = cell_luts(c.word);
            return py::make_tuple(t[0], t[1], t[2], t[3]);
          },
          "Truth tables of the outputs (n, e, s, w), 16 bits each: bit i for the inputs i = n + 2e + 4s + 8w.")
      .def("__eq__", [](const Cell& a, const py::object& b) { return py::isinstance<Cell>(b) && a.word == b.cast<Cell>().word; })
      .def("__hash__", [](const Cell& c) { return py::hash(py::int_(c.word)); })
      .def("__repr__", cell_text);

  m.def("luts", luts, py::kw_only(), py::arg("n") = py::none(), py::arg("e") = py::none(), py::arg("s") = py::none(),
        py::arg("w") = py::none(),
        "A cell by what its outputs compute: luts(n=\"w & e\", s=\"n ^ w\"). An output that is left out is 0.\n\n"
        "Each is an expression over the inputs n, e, s, w with ~, &, ^, | and parentheses, or a truth table 0 .. 0xFFFF.\n"
        "Raises Error naming the output and the column.");

  py::class_<GridRun>(m, "GridRun", "What a run of a grid gave.")
      .def_readonly("phases", &GridRun::phases, "Phases that have run.")
      .def_property_readonly(
          "n", [](const GridRun& r) { return r.outputs[0]; }, "Bits that leave in the north: uint8 [phases, width].")
      .def_property_readonly(
          "e", [](const GridRun& r) { return r.outputs[1]; }, "Bits that leave in the east: uint8 [phases, height].")
      .def_property_readonly(
          "s", [](const GridRun& r) { return r.outputs[2]; }, "Bits that leave in the south: uint8 [phases, width].")
      .def_property_readonly(
          "w", [](const GridRun& r) { return r.outputs[3]; }, "Bits that leave in the west: uint8 [phases, height].")
      .def("__getitem__", port_array, py::arg("port"), "A side, \"e\": uint8 [phases, ports]; or a port, \"e3\": uint8 [phases].")
      .def_property_readonly("latches", latch_array, "Outputs of all cells at the end: uint8 [height, width, 4], in the order n, e, s, w.")
      .def("__repr__",
           [](const GridRun& r) { return fmt::format("<bitgrid.GridRun of {} phases, {} x {} cells>", r.phases, r.width, r.height); });

  py::class_<GridConfig>(m, "Grid",
                         "A grid of cells with four one-bit inputs and outputs. Cell (0, 0) is in the north-west, x grows to the east.\n\n"
                         "In phase p the cells with (x + y) % 2 == p % 2 latch what their tables give for the neighbours' outputs.")
      .def(py::init(&new_grid), py::arg("width"), py::arg("height"), "Idle cells, which drive 0 on every side.")
      .def_static(
          "load", [](const std::string& path) { return frontend::read_grid(path).grid; }, py::arg("path"),
          "Reads a grid file: lutgrid-v1 JSON, BGBS, grid.txt and those of other BitGrid programs.")
      .def("save", save_grid, py::arg("path"), "Writes lutgrid-v1 JSON (.json) or a BGBS bitstream (.bgbs).")
      .def_readonly("width", &GridConfig::width, "Cells from west to east.")
      .def_readonly("height", &GridConfig::height, "Cells from north to south.")
      .def_property_readonly(
          "cells_used", [](const GridConfig& g) { return cells_used(g); }, "Cells that are not idle.")
      .def_property("words", words_of, set_words, "Configuration words, uint64 [height, width]; a copy. May be assigned.")
      .def(
          "__getitem__", [](GridConfig& g, std::pair<int, int> at) { return Cell{cell_at(g, at)}; }, py::arg("at"), "The cell (x, y).")
      .def(
          "__setitem__", [](GridConfig& g, std::pair<int, int> at, const Cell& cell) { cell_at(g, at) = cell.word; }, py::arg("at"),
          py::arg("cell"), "Sets the cell (x, y).")
      .def("__eq__", [](const GridConfig& a, const py::object& b) { return py::isinstance<GridConfig>(b) && a == b.cast<GridConfig>(); })
      .def(
          "run", run_grid, py::arg("stimulus") = py::none(), py::arg("phases") = py::none(), py::kw_only(), py::arg("engine") = "sliced",
          py::arg("start") = py::none(), py::arg("progress") = py::none(),
          "Runs the grid and returns a GridRun.\n\n"
          "stimulus: a dict of bits by border port: {\"w3\": [phases]} or a whole side {\"w\": [phases, height]}; what is not given is 0.\n"
          "    Bit p is on the port in phase p; a border cell reads it in the phases of its colour.\n"
          "phases: how many to run; without it as many as the stimulus has. Two are a cycle.\n"
          "engine: \"sliced\", or \"scalar\", the definition.\n"
          "start: an earlier run of the grid, whose latches are taken up; without it all latches are 0.\n"
          "progress: True, or a function that is told lines.")
      .def("__repr__", [](const GridConfig& g) {
        return fmt::format("<bitgrid.Grid of {} x {} cells, {} of them in use>", g.width, g.height, cells_used(g));
      });
}

}  // namespace bitgrid::python
