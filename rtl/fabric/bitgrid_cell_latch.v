// The cell with its word in latches, written from the column's 64 bit lines while `write` is high: half the area of a flip-flop a bit.
module bitgrid_cell_latch (
    input  wire        clk,
    input  wire        rst,
    input  wire        enable,
    input  wire        write,      // free of glitches; the bit lines are stable while it is high and when it falls
    input  wire [63:0] bit_lines,
    input  wire [3:0]  in,
    output reg  [3:0]  out
);
  reg [63:0] word;
  /* verilator lint_off LATCH */
  always @* if (write) word = bit_lines;
  /* verilator lint_on LATCH */

  always @(posedge clk) begin
    if (rst) out <= 4'b0;
    else if (enable) out <= word[{in, 2'b0}+:4];
  end
endmodule
