#include "rtl/synth.h"

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <regex>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/file.h"
#include "ir/number.h"
#include "ir/temporary_folder.h"
#include "rtl/command.h"

namespace bitgrid::rtl {
namespace {

namespace fs = std::filesystem;

std::string last_line(std::string text) {
  text.erase(text.find_last_not_of("\r\n ") + 1);
  return text.substr(text.rfind('\n') + 1);
}

/// A number in the output of Yosys.
uint64_t count(const std::string& digits) {
  const auto number = parse_whole(digits, uint64_t{0}, UINT64_MAX);
  if (!number) throw Error("yosys", "its output has the number " + digits, "this is not a version of Yosys known here");
  return *number;
}

/// Yosys' `stat`: the cell counts of the last table, which is that of the flattened top module.
std::map<std::string, uint64_t> read_stat(const std::string& text) {
  std::map<std::string, uint64_t> cells;
  static const std::regex line(R"(\n +(\$?\w+) +(\d+)(?=\n))");
  const size_t from = text.rfind("Number of cells:");
  const std::string table = from == std::string::npos ? "" : text.substr(from);
  for (std::sregex_iterator match(table.begin(), table.end(), line), end; match != end; ++match) cells[(*match)[1]] += count((*match)[2]);
  return cells;
}

/// Returns whether Yosys came to an end in time.
bool run_yosys(const SynthParams& params, const std::string& script, const std::string& log, SynthResult& result) {
  const int status = run_command({"timeout", "-k", "5", std::to_string(params.timeout_seconds), params.yosys, "-q", "-p", script}, log);
  if (status == 127) throw Error(params.yosys, "Yosys does not start", "apt-get install yosys");
  if (status == 124 || status == 137) {
    result.problem = fmt::format("Yosys did not finish within {} seconds", params.timeout_seconds);
    return false;
  }
  if (status != 0) throw Error(result.name, "Yosys does not synthesize it: " + last_line(read_file(log)), "correct the Verilog");
  return true;
}

std::string read_script(const SynthTarget& target, const TemporaryFolder& folder) {
  std::string script;
  for (const VerilogFile& f : target.files) {
    write_file(folder.file(f.name), f.text);
    script += "read_verilog " + folder.file(f.name) + "; ";
  }
  script += "hierarchy -check -top " + target.top;
  for (const auto& [name, value] : target.parameters) script += fmt::format(" -chparam {} {}", name, value);
  return script + "; ";
}

void add_areas(const StandardCells& cells, const std::map<std::string, uint64_t>& counts, SynthResult& result) {
  double area = 0;
  bool known = true;
  for (const auto& [type, count] : counts) {
    const std::string kind = type.starts_with("$_DLATCH") ? "DLATCH" : type;
    result.mapped[kind] += count;
    const auto cell = cells.find(kind);
    known = known && cell != cells.end();
    if (known) area += static_cast<double>(count) * cell->second;
  }
  if (known) result.area_um2 = area;
}

/// Generic gates, and the same design in standard cells.
bool count_gates(const SynthParams& params, const TemporaryFolder& folder, const std::string& synth, SynthResult& result) {
  std::string script = synth + fmt::format("design -save synthesized; abc -g gates; opt_clean; tee -o {} stat; tee -o {} ltp -noff",
                                           folder.file("stat"), folder.file("ltp"));
  if (!params.cells.empty()) {
    write_file(folder.file("cells.lib"), liberty(params.cells));
    script += fmt::format("; design -load synthesized; dfflibmap -liberty {0}; abc -liberty {0}; opt_clean; tee -o {1} stat",
                          folder.file("cells.lib"), folder.file("mapped"));
  }
  if (!run_yosys(params, script, folder.file("log"), result)) return false;
  result.cells = read_stat(read_file(folder.file("stat")));
  for (const auto& [type, count] : result.cells) {
    uint64_t& kind = type.find("DLATCH") != std::string::npos ? result.latches
                     : type.find("DFF") != std::string::npos  ? result.flip_flops
                                                              : result.gates;
    kind += count;
  }
  static const std::regex length(R"(\(length=(\d+)\))");
  std::smatch match;
  const std::string path = read_file(folder.file("ltp"));
  if (std::regex_search(path, match, length)) result.levels = count(match[1]);
  if (!params.cells.empty()) add_areas(params.cells, read_stat(read_file(folder.file("mapped"))), result);
  return true;
}

bool map_to_ice40(const SynthParams& params, const TemporaryFolder& folder, const std::string& read, const SynthTarget& target,
                  SynthResult& result) {
  std::string script =
      read + fmt::format("synth_ice40 -top {} -json {}; tee -o {} stat", target.top, folder.file("ice40.json"), folder.file("ice40"));
  if (target.placed && params.place) {
    write_file(folder.file(target.placed->name), target.placed->text);
    script +=
        fmt::format("; design -reset; {}read_verilog {}; hierarchy -check -top bitgrid_placed; synth_ice40 -top bitgrid_placed -json {}",
                    read, folder.file(target.placed->name), folder.file("ice40.json"));
  }
  if (!run_yosys(params, script, folder.file("log"), result)) return false;
  result.lut4s = result.ice40_flip_flops = 0;
  for (const auto& [type, count] : read_stat(read_file(folder.file("ice40")))) {
    if (type == "SB_LUT4") *result.lut4s += count;
    if (type.starts_with("SB_DFF")) *result.ice40_flip_flops += count;
  }
  return true;
}

void place(const SynthParams& params, const TemporaryFolder& folder, SynthResult& result) {
  const std::string log = folder.file("nextpnr.log");
  const int status = run_command({"timeout", "-k", "5", std::to_string(params.timeout_seconds), params.nextpnr, "--hx8k", "--package",
                                  "ct256", "--pcf-allow-unconstrained", "--seed", "1", "--json", folder.file("ice40.json")},
                                 log);
  if (status == 127) {
    result.not_placed = params.nextpnr + " does not start; apt-get install nextpnr-ice40";
    return;
  }
  const std::string text = read_file(log);
  static const std::regex rate(R"(Max frequency for clock[^:]*: ([0-9.]+) MHz)");
  for (std::sregex_iterator match(text.begin(), text.end(), rate), end; match != end; ++match)
    result.fmax_mhz = parse_real((*match)[1].str(), 0, 1e9);
  if (status == 0 && result.fmax_mhz) return;
  result.fmax_mhz.reset();
  static const std::regex error(R"(ERROR: ([^\n]*))");
  std::smatch match;
  if (status == 124 || status == 137) {
    result.not_placed = fmt::format("nextpnr did not finish within {} seconds", params.timeout_seconds);
  } else {
    result.not_placed = std::regex_search(text, match, error) ? match[1].str() : "nextpnr reports no clock rate";
  }
}

}  // namespace

SynthTarget cell_target(bool latches) {
  return {latches ? "cell, word in latches" : "cell, word in flip-flops",
          fabric_files(false),
          latches ? "bitgrid_cell_latch" : "bitgrid_cell",
          {}};
}

SynthTarget grid_target(const FabricShape& shape, bool latches) {
  verify(shape);
  return {fmt::format("grid {} x {}, {}", shape.width, shape.height, latches ? "latches" : "flip-flops"),
          fabric_files(false),
          "bitgrid_grid",
          {{"W", shape.width}, {"H", shape.height}, {"C", shape.chain_bits}, {"LATCHES", latches ? 1 : 0}}};
}

SynthTarget datapath_target(const RtlSource& source) {
  const RtlInterface& interface = source.interface;
  std::string ports;
  uint32_t in = 0, out = 0;
  for (const RtlPort& p : interface.inputs) {
    ports += fmt::format(", .{}(in[{} +: {}])", p.name, in, p.width);
    in += p.width;
  }
  for (const RtlPort& p : interface.outputs) {
    ports += fmt::format(", .{}(y[{} +: {}])", p.name, out, p.width);
    out += p.width;
  }
  const std::string text = fmt::format(R"(module bitgrid_placed (input wire clk, input wire pin_in, input wire load, output wire pin_out);
  reg [{0}:0] in;
  reg [{1}:0] out;
  reg load_now;
  wire [{2}:0] y;
  {3} kernel (.clk(clk), .rst(1'b0), .in_valid(1'b1), .out_valid(){4});
  always @(posedge clk) begin
    in <= {{in, pin_in}};
    load_now <= load;
    out <= load_now ? {{1'b0, y}} : out >> 1;
  end
  assign pin_out = out[0];
endmodule
)",
                                       in, out, out - 1, interface.module, ports);
  return {"datapath " + source.name, {{interface.module + ".v", source.text}}, interface.module, {}, VerilogFile{"placed.v", text}};
}

SynthResult synthesize(const SynthTarget& target, const SynthParams& params) {
  const auto begin = std::chrono::steady_clock::now();
  const TemporaryFolder folder;
  SynthResult result;
  result.name = target.name;
  const std::string read = read_script(target, folder);
  const bool done = count_gates(params, folder, read + "synth -flatten -top " + target.top + "; ", result);
  if (done && params.ice40 && map_to_ice40(params, folder, read, target, result) && params.place) place(params, folder, result);
  if (!params.ice40 || !params.place) result.not_placed = "not asked for";
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace bitgrid::rtl
