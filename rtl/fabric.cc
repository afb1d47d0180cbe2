#include "rtl/fabric.h"

#include <fmt/format.h>

#include "fabric_texts.h"
#include "ir/error.h"

namespace bitgrid::rtl {
namespace {

std::string fabric_text(const std::string& module) {
  for (const FabricText& t : kFabricTexts) {
    if (t.module == module) return t.text;
  }
  throw Error("fabric", "there is no module " + module);
}

}  // namespace

void verify(const FabricShape& shape) {
  if (shape.width < 1 || shape.height < 1)
    throw Error("fabric", fmt::format("{} x {} cells do not make a grid", shape.width, shape.height), "give sides of at least 1");
  if (shape.chain_bits < 1 || shape.chain_bits > 64 || 64 % shape.chain_bits != 0)
    throw Error("fabric", fmt::format("a chain of {} bits does not divide a word of 64", shape.chain_bits),
                "give 1, 2, 4, 8, 16, 32 or 64 bits");
}

std::vector<VerilogFile> fabric_files(bool vector) {
  std::vector<VerilogFile> files;
  for (const FabricText& t : kFabricTexts) {
    if (vector || std::string(t.module) != "bitgrid_grid_vector") files.push_back({std::string(t.module) + ".v", t.text});
  }
  return files;
}

RtlSource fabric_source(const FabricShape& shape, const FabricForm& form) {
  verify(shape);
  const auto w = static_cast<uint32_t>(shape.width), h = static_cast<uint32_t>(shape.height), c = static_cast<uint32_t>(shape.chain_bits);
  RtlInterface interface;
  interface.module = "bitgrid_fabric";
  interface.latency_cycles = 1;
  interface.inputs = {{"i_load", w}, {"i_config", w * c}, {"i_n", w}, {"i_e", h}, {"i_s", w}, {"i_w", h}};
  interface.outputs = {{"o_config", w * c}, {"o_n", w}, {"o_e", h}, {"o_s", w}, {"o_w", h}};
  std::string text = interface_comment(interface);
  const bool cells = form.cells || form.latches;
  text += cells ? fabric_text("bitgrid_cell") + fabric_text("bitgrid_cell_latch") + fabric_text("bitgrid_grid")
                : fabric_text("bitgrid_grid_vector");
  text += "module bitgrid_fabric (\n  input wire clk,\n  input wire rst,\n  input wire in_valid,\n  output wire out_valid";
  for (const RtlPort& p : interface.inputs) text += fmt::format(",\n  input wire [{}:0] {}", p.width - 1, p.name);
  for (const RtlPort& p : interface.outputs) text += fmt::format(",\n  output wire [{}:0] {}", p.width - 1, p.name);
  text += fmt::format(
      "\n);\n  {} #(.W({}), .H({}), .C({}){}) grid (\n    .clk(clk), .rst(rst), .run(in_valid), .phase(out_valid),\n"
      "    .load(i_load), .config_in(i_config), .config_out(o_config),\n"
      "    .n_in(i_n), .e_in(i_e), .s_in(i_s), .w_in(i_w), .n_out(o_n), .e_out(o_e), .s_out(o_s), .w_out(o_w));\nendmodule\n",
      cells ? "bitgrid_grid" : "bitgrid_grid_vector", w, h, c, form.latches ? ", .LATCHES(1)" : "");
  return {fmt::format("fabric of {} x {} cells", w, h), text, interface};
}

uint64_t chain_group(const GridConfig& grid, const FabricShape& shape, int x, uint64_t clock) {
  const uint64_t groups = 64u / static_cast<unsigned>(shape.chain_bits);
  const int y = shape.height - 1 - static_cast<int>(clock / groups);
  const auto low = static_cast<unsigned>((groups - 1 - clock % groups) * static_cast<unsigned>(shape.chain_bits));
  const uint64_t mask = shape.chain_bits == 64 ? ~uint64_t{0} : (uint64_t{1} << shape.chain_bits) - 1;
  return (grid.at(x, y) >> low) & mask;
}

}  // namespace bitgrid::rtl
