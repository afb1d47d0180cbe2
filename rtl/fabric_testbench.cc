#include "rtl/fabric_testbench.h"

#include <algorithm>

#include <fmt/format.h>

#include "ir/error.h"

namespace bitgrid::rtl {
namespace {

constexpr const char* kText = R"(// Written by bitgrid: kernel {0} on the fabric, {1} invocations. For example
//   iverilog -g2005 -o {2}_tb {2}_tb.v bitgrid_*.v && vvp {2}_tb             every cell an instance
//   iverilog -g2005 -DVECTOR -o {2}_tb {2}_tb.v bitgrid_*.v && vvp {2}_tb    rows as vectors: faster
`timescale 1ns / 1ps
module bitgrid_tb;
  localparam W = {3}, H = {4}, PHASES = {5}, PORTS = 2 * W + 2 * H;
  reg clk = 0, rst = 1, run = 0;
  reg [W-1:0] load = 0, config_in = 0;
  reg [PORTS-1:0] in = 0;
  wire [W-1:0] config_out;
  wire [PORTS-1:0] out;
  wire phase;
`ifdef VECTOR
  bitgrid_grid_vector #(.W(W), .H(H)) grid (
`else
  bitgrid_grid #(.W(W), .H(H)) grid (
`endif
      .clk(clk), .rst(rst), .run(run), .phase(phase), .load(load), .config_in(config_in), .config_out(config_out),
      .n_in(in[0+:W]), .e_in(in[W+:H]), .s_in(in[W+H+:W]), .w_in(in[2*W+H+:H]),
      .n_out(out[0+:W]), .e_out(out[W+:H]), .s_out(out[W+H+:W]), .w_out(out[2*W+H+:H])
  );

  reg [W-1:0] chain[0:64*H-1];
  reg [PORTS-1:0] stimulus[0:PHASES-1], expected[0:PHASES-1], care[0:PHASES-1];
  integer t, wrong;
  always #5 clk = !clk;
  initial begin
    $readmemh("{2}_chain.hex", chain);
    $readmemh("{2}_in.hex", stimulus);
    $readmemh("{2}_out.hex", expected);
    $readmemh("{2}_care.hex", care);
    wrong = 0;
    @(negedge clk) rst = 0;
    load = {{W{{1'b1}}}};
    for (t = 0; t < 64 * H; t = t + 1) begin
      config_in = chain[t];
      @(negedge clk);
    end
    load = 0;
    @(negedge clk) run = 1;
    for (t = 0; t < PHASES; t = t + 1) begin
      in = stimulus[t];
      @(negedge clk);
      if (((out ^ expected[t]) & care[t]) !== 0) begin
        if (wrong == 0) $display("FAIL: phase %0d, outputs (w, s, e, n) differ in %h", t, (out ^ expected[t]) & care[t]);
        wrong = wrong + 1;
      end
    end
    if (wrong == 0) $display("PASS: {6} output bits of {1} invocations in %0d phases", PHASES);
    $finish;
  end
endmodule
)";

class Testbench {
 public:
  Testbench(const MappedKernel& kernel, const BitMatrix& inputs, const BitMatrix& expected)
      : kernel_(kernel), inputs_(inputs), expected_(expected), period_(2 * int64_t{kernel.ii}) {
    int64_t first = 0, last = 0;
    for (const InputSlot& in : kernel.inputs) {
      first = std::min<int64_t>(first, in.slot.phase);
      last = std::max<int64_t>(last, in.slot.phase + 2 * (in.hold - 1));
    }
    for (const BitSlot& out : kernel.outputs) {
      first = std::min<int64_t>(first, out.phase);
      last = std::max<int64_t>(last, out.phase);
    }
    start_ = std::max<int64_t>(2 * int64_t{kernel.lead_cycles}, -first);
    start_ = (start_ + period_ - 1) / period_ * period_;
    const int64_t phases = start_ + (static_cast<int64_t>(inputs.rows) - 1) * period_ + last + 1;
    const BitVector none(static_cast<uint32_t>(2 * kernel.grid.width + 2 * kernel.grid.height));
    in_.assign(static_cast<size_t>(phases), none);
    out_ = care_ = in_;
  }

  void fill() {
    for (const ConstantStream& stream : kernel_.constants) {
      for (size_t k = 0; k < stream.bits.size(); ++k) {
        const int64_t phase = stream.slot.phase + 2 * static_cast<int64_t>(k);
        for (auto t = static_cast<size_t>((phase % period_ + period_) % period_); t < in_.size(); t += static_cast<size_t>(period_))
          if (stream.bits[k]) in_[t].set(port(stream.slot), true);
      }
    }
    for (const InputSlot& in : kernel_.inputs) {
      if (std::find(kernel_.resting_ones.begin(), kernel_.resting_ones.end(), in.bit) == kernel_.resting_ones.end()) continue;
      for (int k = 0; k < in.hold; ++k) rest(in.slot, start_ + in.slot.phase + 2 * k);
    }
    for (size_t row = 0; row < inputs_.rows; ++row) {
      const int64_t zero = start_ + static_cast<int64_t>(row) * period_;
      for (const InputSlot& in : kernel_.inputs) {
        for (int k = 0; k < in.hold && inputs_.get(row, in.bit); ++k) at(in_, zero + in.slot.phase + 2 * k).set(port(in.slot), true);
      }
      for (size_t bit = 0; bit < kernel_.outputs.size(); ++bit) {
        const BitSlot& slot = kernel_.outputs[bit];
        at(care_, zero + slot.phase).set(port(slot), true);
        at(out_, zero + slot.phase).set(port(slot), expected_.get(row, bit));
      }
    }
  }

  /// A port carries 1 in the phases of the invocations before the first, which has it in phase `first`, and after the last.
  void rest(const BitSlot& slot, int64_t first) {
    const auto rows = static_cast<int64_t>(inputs_.rows);
    for (int64_t t = (first % period_ + period_) % period_; t < static_cast<int64_t>(in_.size()); t += period_)
      if (t < first || t >= first + rows * period_) at(in_, t).set(port(slot), true);
  }

  static std::string hex(const std::vector<BitVector>& lines) {
    std::string text;
    for (const BitVector& line : lines) text += to_hex(line) + "\n";
    return text;
  }

  std::vector<BitVector> in_, out_, care_;  // by phase; ports n, e, s, w from bit 0 on

 private:
  uint32_t port(const BitSlot& slot) const {
    const int w = kernel_.grid.width, h = kernel_.grid.height;
    const int first[] = {0, w, w + h, 2 * w + h};
    return static_cast<uint32_t>(first[static_cast<size_t>(slot.side)] + slot.position);
  }
  static BitVector& at(std::vector<BitVector>& lines, int64_t phase) { return lines[static_cast<size_t>(phase)]; }

  const MappedKernel& kernel_;
  const BitMatrix &inputs_, &expected_;
  int64_t period_, start_ = 0;
};

/// The grid with the resident words of row 0.
GridConfig configured(const MappedKernel& kernel, const BitMatrix& inputs) {
  GridConfig grid = kernel.grid;
  for (const ResidentSlot& r : kernel.residents) {
    if (inputs.get(0, r.bit)) grid.at(r.x, r.y) ^= r.flip();
    for (size_t row = 1; row < inputs.rows; ++row) {
      if (inputs.get(row, r.bit) != inputs.get(0, r.bit))
        throw Error("kernel " + kernel.name, fmt::format("invocation {} differs from the first in resident bits", row),
                    "give invocations with equal resident bits");
    }
  }
  return grid;
}

}  // namespace

std::string chain_hex(const GridConfig& grid, const FabricShape& shape) {
  std::string text;
  const auto width = static_cast<uint32_t>(shape.width);
  for (uint64_t t = 0; t < load_clocks(shape); ++t) {
    BitVector line(width * static_cast<uint32_t>(shape.chain_bits));
    for (uint32_t x = 0; x < width; ++x) {
      const uint64_t group = chain_group(grid, shape, static_cast<int>(x), t);
      for (uint32_t c = 0; c < static_cast<uint32_t>(shape.chain_bits); ++c) line.set(c * width + x, (group >> c) & 1u);
    }
    text += to_hex(line) + "\n";
  }
  return text;
}

std::vector<VerilogFile> fabric_testbench(const MappedKernel& kernel, const std::string& stem, const BitMatrix& inputs,
                                          const BitMatrix& expected, FabricTestbenchStats* stats) {
  verify(kernel);
  if (inputs.rows == 0 || inputs.cols != kernel.input_bits || expected.rows != inputs.rows || expected.cols != kernel.output_bits)
    throw Error("kernel " + kernel.name, "the invocations do not fit the kernel", "give one row per invocation and one column per bit");
  const FabricShape shape{kernel.grid.width, kernel.grid.height, 1};
  const GridConfig grid = configured(kernel, inputs);
  Testbench bench(kernel, inputs, expected);
  bench.fill();
  const uint64_t compared = uint64_t{inputs.rows} * kernel.output_bits;
  if (stats != nullptr) *stats = {load_clocks(shape), bench.in_.size(), compared};
  return {{stem + "_tb.v", fmt::format(kText, kernel.name, inputs.rows, stem, shape.width, shape.height, bench.in_.size(), compared)},
          {stem + "_chain.hex", chain_hex(grid, shape)},
          {stem + "_in.hex", Testbench::hex(bench.in_)},
          {stem + "_out.hex", Testbench::hex(bench.out_)},
          {stem + "_care.hex", Testbench::hex(bench.care_)}};
}

}  // namespace bitgrid::rtl
