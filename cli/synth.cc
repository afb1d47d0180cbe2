#include "cli/synth.h"
#include "cli/source.h"

#include <fmt/format.h>

#include <iostream>

#include "check/check_model.h"
#include "cli/numbers.h"
#include "estimate/technology.h"
#include "ir/error.h"
#include "rtl/synth.h"

namespace bitgrid::cli {
namespace {

/// What a row of the table is about, beside Verilog.
struct Row {
  rtl::SynthTarget target;
  bool latches = false;   // an FPGA would build them out of LUTs
  bool place = true;      // a single cell's paths begin and end at pins: no rate
  bool datapath = false;  // one invocation enters per clock
};

std::vector<Row> fabric_rows(int side) {
  std::vector<Row> rows;
  for (const bool latches : {false, true}) {
    rows.push_back({rtl::cell_target(latches), latches, false, false});
    rows.push_back({rtl::grid_target({side, side, 1}, latches), latches, true, false});
  }
  return rows;
}

void add_datapaths(const SynthOptions& o, const std::string& path, std::vector<Row>& rows) {
  const engines::KernelSource source = read_source(path);
  std::string names;
  for (const rtl::RtlSource& k : engines::verilog_sources(source.program)) {
    names += (names.empty() ? "" : ", ") + k.name;
    if (o.kernel.empty() || k.name == o.kernel) rows.push_back({rtl::datapath_target(k), false, true, true});
  }
  if (!o.kernel.empty() && !rows.back().datapath) throw Error("--kernel", "there is no kernel " + o.kernel, "the kernels are " + names);
}

template <typename Number>
std::string text(const std::optional<Number>& n, const char* format = "{}") {
  return n ? fmt::format(fmt::runtime(format), *n) : std::string("-");
}

Json row_json(const rtl::SynthResult& r, const Row& row, const estimate::GateTechnology& t) {
  Json json = {{"name", r.name}, {"seconds", r.seconds}};
  if (!r.problem.empty()) {
    json["problem"] = r.problem;
    return json;
  }
  json["gates"] = r.gates;
  json["levels"] = r.levels;
  json["flip_flops"] = r.flip_flops;
  json["latches"] = r.latches;
  json["cells"] = r.cells;
  json["standard_cells"] = r.mapped;
  json["area_um2"] = r.area_um2 ? Json(*r.area_um2) : Json(nullptr);
  json["clock_mhz_without_wires"] = estimate::clock_mhz(t, r.levels);
  if (row.datapath) json["pj_per_invocation"] = static_cast<double>(r.gates) * t.gate_fj * 1e-3;
  if (r.lut4s) json["lut4s"] = *r.lut4s;
  if (r.ice40_flip_flops) json["ice40_flip_flops"] = *r.ice40_flip_flops;
  if (r.fmax_mhz) json["fmax_mhz"] = *r.fmax_mhz;
  if (!r.fmax_mhz) json["not_placed"] = r.not_placed;
  return json;
}

void print_row(const rtl::SynthResult& r, const Row& row, const estimate::GateTechnology& t, bool placed) {
  if (!r.problem.empty()) {
    std::cout << fmt::format("{:30} {}\n", r.name, r.problem) << std::flush;
    return;
  }
  std::cout << fmt::format("{:30} {:>8} {:>6} {:>10} {:>8} {:>7} {:>9} {:>9} {:>10} {:>8.0f} {:>9} {:>8.1f}{}\n", r.name, r.gates, r.levels,
                           r.flip_flops, r.latches, text(r.lut4s), text(r.ice40_flip_flops), text(r.fmax_mhz, "{:.1f}"),
                           text(r.area_um2, "{:.1f}"), estimate::clock_mhz(t, r.levels),
                           row.datapath ? fmt::format("{:.2f}", static_cast<double>(r.gates) * t.gate_fj * 1e-3) : "-", r.seconds,
                           placed && !r.fmax_mhz ? "  (not placed: " + r.not_placed + ")" : "")
            << std::flush;
}

/// The cell in the technology, with each way to hold its word. A cycle is two phases.
Json print_cell(const estimate::GateTechnology& t, uint64_t levels) {
  Json variants = Json::array();
  std::cout << fmt::format("\na cell in {}\n{:12} {:>8} {:>14} {:>11} {:>14}\n", t.technology.name, "word in", "um2", "of it the word",
                           "cells/mm2", "word bits/mm2");
  for (const auto& [storage, bit] : t.configuration_bit_um2) {
    const double area = estimate::cell_area(t.cell_logic_um2, bit);
    std::cout << fmt::format("{:12} {:>8.1f} {:>12.0f} % {:>11.0f} {:>14.0f}{}\n", storage, area, 100 * 64 * bit / area, 1e6 / area,
                             64e6 / area, storage == t.configuration ? "  <- configuration" : "");
    variants.push_back({{"configuration", storage}, {"cell_area_um2", area}, {"word_area_um2", 64 * bit}});
  }
  const double cycles_mhz = estimate::clock_mhz(t, levels) / 2;
  std::cout << fmt::format(
      "estimates use {:.1f} um2 per cell, {} MHz and {} fJ per update; {} levels of gates and a register twice a cycle "
      "would allow {:.0f} MHz without wires\n",
      t.technology.cell_area_um2, t.technology.clock_mhz, t.technology.update_fj, levels, cycles_mhz);
  return {{"name", t.technology.name},
          {"configuration", t.configuration},
          {"cell_area_um2", t.technology.cell_area_um2},
          {"cell_logic_um2", t.cell_logic_um2},
          {"variants", variants},
          {"clock_mhz", t.technology.clock_mhz},
          {"clock_mhz_without_wires", cycles_mhz},
          {"update_fj", t.technology.update_fj},
          {"memory_pj_per_bit", t.technology.memory_pj_per_bit},
          {"configuration_pj_per_bit", t.technology.configuration_pj_per_bit},
          {"leakage_nw_per_cell", t.technology.leakage_nw_per_cell},
          {"gate_delay_ps", t.gate_delay_ps},
          {"register_delay_ps", t.register_delay_ps},
          {"gate_fj", t.gate_fj},
          {"configuration_bit_um2", t.configuration_bit_um2},
          {"standard_cells_um2", t.standard_cells_um2}};
}

/// "500", or "BUF 0.798, INV 0.532" of a map.
std::string value_text(const Json& value) {
  if (value.is_number()) return fmt::format("{}", value.get<double>());
  std::string list;
  for (const auto& [key, number] : value.items()) list += fmt::format("{}{} {}", list.empty() ? "" : ", ", key, number.get<double>());
  return list;
}

void print_sources(const estimate::GateTechnology& t, Json& technology) {
  std::cout << "\nconstants\n";
  Json sources = Json::object();
  for (const auto& [constant, source] : t.sources) {
    sources[constant] = source;
    std::cout << fmt::format("  {} = {}: {}\n", constant, value_text(technology.at(constant)), source.empty() ? "no source given" : source);
  }
  technology["sources"] = sources;
}

}  // namespace

void report_synthesis(const SynthOptions& o, const std::string& source, const std::string& technology, const Common& common) {
  const estimate::GateTechnology t = estimate::load_gate_technology(technology);
  std::vector<Row> rows = fabric_rows(o.side);
  if (!source.empty()) add_datapaths(o, source, rows);
  if (source.empty() && !o.kernel.empty()) throw Error("--kernel", "there is no source", "name the model, netlist or kernel");
  Json json = {{"device", "iCE40 HX8K, package ct256"}, {"results", Json::array()}};
  std::cout << fmt::format("{:30} {:>8} {:>6} {:>10} {:>8} {:>7} {:>9} {:>9} {:>10} {:>8} {:>9} {:>8}\n", "", "gates", "levels",
                           "flip-flops", "latches", "LUT4s", "iCE40 FFs", "fmax MHz", "um2", "gate MHz", "pJ", "seconds");
  uint64_t levels = 0;
  for (const Row& row : rows) {
    rtl::SynthParams p;
    p.timeout_seconds = o.timeout;
    p.ice40 = !row.latches;
    p.place = row.place && !o.no_place;
    p.cells = t.standard_cells_um2;
    const rtl::SynthResult r = rtl::synthesize(row.target, p);
    if (!row.datapath) levels = std::max(levels, r.levels);
    print_row(r, row, t, p.ice40 && p.place);
    json["results"].push_back(row_json(r, row, t));
  }
  std::cout << "gates: two-input gates and inverters after `synth -flatten; abc -g gates`, levels: on the longest path; LUT4s: Yosys "
               "`synth_ice40`;\nfmax: nextpnr-ice40, HX8K, between registers (a datapath's ports are registers of shift chains); um2: "
               "standard cells after `dfflibmap; abc -liberty`, without "
               "wires; gate MHz: by levels,\nwithout wires; pJ: of an invocation, gates x gate_fj\n";
  json["technology"] = print_cell(t, levels);
  print_sources(t, json["technology"]);
  write_json(common, json);
}

void add_synth_options(CLI::App& command, SynthOptions& o) {
  command.add_flag("--synth", o.synth,
                   "instead of a page: gates, area and clock rate by Yosys and nextpnr-ice40 of a cell, a small grid and, of a MODEL.yaml, "
                   "NETLIST.blif or KERNEL.dag in place of the folder, its datapath modules");
  command.add_option("--kernel", o.kernel, "--synth: only this kernel of the source");
  add_number<int>(command, "--side", o.side, {1, 64}, "--synth: side of the square grid");
  command.add_flag("--no-place", o.no_place, "--synth: no placement, no clock rates of the FPGA");
  add_number<int>(command, "--timeout", o.timeout, {1, 1000000}, "--synth: seconds for each program and each module");
}

}  // namespace bitgrid::cli
