// Drives the chip's pins only. Reads what `bitgrid verilog --style fabric` wrote for a kernel of SIDE x SIDE cells:
//   +stem=KERNEL: KERNEL_chain.hex, KERNEL_in.hex, KERNEL_out.hex, KERNEL_care.hex in the current folder; +phases=N: lines of the last three.
`timescale 1ns / 1ps
module testbench #(
    parameter SIDE = 3,
    parameter LATCHES = 0
);
  localparam NOTHING = 4'd0, LOAD = 4'd1, RUN = 4'd2, NORTH_EAST = 4'd3, SOUTH_WEST = 4'd4, SHOW_SOUTH_WEST = 4'd8, MOST = 4096;
  reg clk = 0, rst_n = 0;
  reg [3:0] command = NOTHING;
  reg [7:0] data = 0;
  wire [7:0] shown, uio_out, uio_oe;
  tt_um_bitgrid #(
      .SIDE(SIDE),
      .LATCHES(LATCHES)
  ) chip (
      .ui_in(data),
      .uo_out(shown),
      .uio_in({4'b0, command}),
      .uio_out(uio_out),
      .uio_oe(uio_oe),
      .ena(1'b1),
      .clk(clk),
      .rst_n(rst_n)
  );

  reg [SIDE-1:0] chain[0:64*SIDE-1];
  reg [4*SIDE-1:0] in[0:MOST-1], expected[0:MOST-1], care[0:MOST-1];
  reg [4*SIDE-1:0] got;
  reg [8*256-1:0] stem;
  integer phases, t, wrong;

  always #5 clk = !clk;

  // One clock with a command; afterwards the outputs are those of the clock.
  task send(input [3:0] what, input [7:0] bits);
    begin
      command = what;
      data = bits;
      @(negedge clk);
      command = NOTHING;
    end
  endtask

  function [7:0] nibbles(input [SIDE-1:0] low, input [SIDE-1:0] high);
    begin
      nibbles = 8'b0;
      nibbles[0+:SIDE] = low;
      nibbles[4+:SIDE] = high;
    end
  endfunction

  initial begin
    if ($value$plusargs("stem=%s", stem) == 0 || $value$plusargs("phases=%d", phases) == 0) begin
      $display("FAIL: +stem=KERNEL and +phases=N are missing");
      $finish;
    end
    $readmemh({stem, "_chain.hex"}, chain);
    $readmemh({stem, "_in.hex"}, in, 0, phases - 1);
    $readmemh({stem, "_out.hex"}, expected, 0, phases - 1);
    $readmemh({stem, "_care.hex"}, care, 0, phases - 1);
    wrong = 0;
    @(negedge clk);
    @(negedge clk) rst_n = 1;
    for (t = 0; t < 64 * SIDE; t = t + 1) send(LOAD, nibbles(chain[t], 0));
    send(NOTHING, 0);
    for (t = 0; t < phases; t = t + 1) begin
      send(NORTH_EAST, nibbles(in[t][0+:SIDE], in[t][SIDE+:SIDE]));
      send(SOUTH_WEST, nibbles(in[t][2*SIDE+:SIDE], in[t][3*SIDE+:SIDE]));
      send(RUN, 0);
      got[0+:SIDE] = shown[0+:SIDE];
      got[SIDE+:SIDE] = shown[4+:SIDE];
      send(SHOW_SOUTH_WEST, 0);
      command = SHOW_SOUTH_WEST;
      #1 got[2*SIDE+:SIDE] = shown[0+:SIDE];
      got[3*SIDE+:SIDE] = shown[4+:SIDE];
      command = NOTHING;
      if (((got ^ expected[t]) & care[t]) !== 0) begin
        if (wrong == 0) $display("FAIL: phase %0d, outputs (w, s, e, n) differ in %h", t, (got ^ expected[t]) & care[t]);
        wrong = wrong + 1;
      end
    end
    if (wrong == 0) $display("PASS: %0d phases", phases);
    $finish;
  end
endmodule
