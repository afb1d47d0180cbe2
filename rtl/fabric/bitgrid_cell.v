// One cell of the fabric: four outputs, each any function of the four inputs, latched in the cell's phase.
// Bits 0..3 of `in` and `out` are N, E, S, W. Nibble i of the 64-bit word holds the outputs for in == i.
// The word is in flip-flops, which are themselves the configuration chain: C bits a clock, from cell to cell down the column.
module bitgrid_cell #(
    parameter C = 1  // 1, 2, 4 ... 64
) (
    input  wire         clk,
    input  wire         rst,         // synchronous: outputs 0; the word stays
    input  wire         enable,      // latch the outputs at this edge
    input  wire         load,        // shift the word at this edge
    input  wire [C-1:0] config_in,
    output wire [C-1:0] config_out,
    input  wire [3:0]   in,
    output reg  [3:0]   out
);
  reg [63:0] word;
  assign config_out = word[63-:C];

  /* verilator lint_off UNUSED */  // what leaves the word
  wire [63+C:0] shifted = {word, config_in};
  /* verilator lint_on UNUSED */
  always @(posedge clk) if (load) word <= shifted[63:0];

  always @(posedge clk) begin
    if (rst) out <= 4'b0;
    else if (enable) out <= word[{in, 2'b0}+:4];
  end
endmodule
