// A grid of SIDE x SIDE cells behind eight inputs, eight outputs and eight bidirectional pins. README.md has the protocol.
module tt_um_bitgrid #(
    parameter SIDE = 3,    // 1 .. 4
    parameter LATCHES = 0  // 1: configuration in latches
) (
    input  wire [7:0] ui_in,
    output wire [7:0] uo_out,
    input  wire [7:0] uio_in,
    output wire [7:0] uio_out,
    output wire [7:0] uio_oe,
    input  wire       ena,
    input  wire       clk,
    input  wire       rst_n
);
  localparam LOAD = 3'd1, RUN = 3'd2, NORTH_EAST = 3'd3, SOUTH_WEST = 3'd4;
  wire [2:0] command = ena ? uio_in[2:0] : 3'd0;

  // Border inputs, held until they are written again: {w, s, e, n}, four bits a side.
  /* verilator lint_off UNUSED */  // a smaller grid does not have all bits
  reg [15:0] border;
  /* verilator lint_on UNUSED */
  always @(posedge clk) begin
    if (!rst_n) border <= 16'b0;
    else if (command == NORTH_EAST) border[7:0] <= ui_in;
    else if (command == SOUTH_WEST) border[15:8] <= ui_in;
  end

  wire [SIDE-1:0] n, e, s, w, fallen;
  wire phase;
  bitgrid_grid #(
      .W(SIDE),
      .H(SIDE),
      .C(1),
      .LATCHES(LATCHES)
  ) grid (
      .clk(clk),
      .rst(!rst_n),
      .run(command == RUN),
      .phase(phase),
      .load({SIDE{command == LOAD}}),
      .config_in(ui_in[SIDE-1:0]),
      .config_out(fallen),
      .n_in(border[SIDE-1:0]),
      .e_in(border[4+:SIDE]),
      .s_in(border[8+:SIDE]),
      .w_in(border[12+:SIDE]),
      .n_out(n),
      .e_out(e),
      .s_out(s),
      .w_out(w)
  );

  wire [3:0] north, east, south, west, chain;
  generate
    if (SIDE == 4) begin : whole
      assign {north, east, south, west, chain} = {n, e, s, w, fallen};
    end else begin : padded
      localparam PAD = 4 - SIDE;
      assign north = {{PAD{1'b0}}, n};
      assign east = {{PAD{1'b0}}, e};
      assign south = {{PAD{1'b0}}, s};
      assign west = {{PAD{1'b0}}, w};
      assign chain = {{PAD{1'b0}}, fallen};
    end
  endgenerate
  assign uo_out = uio_in[3] ? {west, south} : {east, north};
  assign uio_out = {phase, chain[2:0], 4'b0};
  assign uio_oe = 8'hF0;

  /* verilator lint_off UNUSED */
  wire unused = &{uio_in[7:4], chain[3]};
  /* verilator lint_on UNUSED */
endmodule
