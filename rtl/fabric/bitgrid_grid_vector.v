// The same grid for simulation: a row of cells is a vector, so that large grids compile in seconds and run fast. Ports, protocol and timing
// are those of bitgrid_grid (flip-flops); tests prove the two equal.
module bitgrid_grid_vector #(
    parameter W = 8,
    parameter H = 8,
    parameter C = 1
) (
    input  wire           clk,
    input  wire           rst,
    input  wire           run,
    output reg            phase,
    input  wire [W-1:0]   load,
    input  wire [W*C-1:0] config_in,
    output reg  [W*C-1:0] config_out,
    input  wire [W-1:0]   n_in,
    input  wire [H-1:0]   e_in,
    input  wire [W-1:0]   s_in,
    input  wire [H-1:0]   w_in,
    output reg  [W-1:0]   n_out,
    output reg  [H-1:0]   e_out,
    output reg  [W-1:0]   s_out,
    output reg  [H-1:0]   w_out
);
  // Bit x of chain[64 * y + k] is bit k of the word of cell (x, y).
  reg [W-1:0] chain[0:64*H-1];
  reg [W-1:0] n[0:H-1], e[0:H-1], s[0:H-1], w[0:H-1];

  /* verilator lint_off UNUSED */
  localparam [2*(W/2)+1:0] STRIPES = {(W / 2 + 1) {2'b01}};
  /* verilator lint_on UNUSED */
  integer j, y, i;
  reg [W-1:0] colour, from_n, from_e, from_s, from_w, here, to_n, to_e, to_s, to_w;
  reg [W:0] between;
  reg [H-1:0] east, west;

  // Updating in place is right: a cell reads only cells of the other colour, and the chain moves from its end backward.
  /* verilator lint_off BLKSEQ */
  always @(posedge clk) begin
    for (y = 0; y < H; y = y + 1) begin
      if (rst) begin
        n[y] = 0;
        e[y] = 0;
        s[y] = 0;
        w[y] = 0;
      end else if (run) begin
        colour = phase == y[0] ? STRIPES[W-1:0] : STRIPES[W:1];
        from_n = y == 0 ? n_in : s[y==0?0 : y-1];
        from_s = y == H - 1 ? s_in : n[y==H-1?0 : y+1];
        between = {e[y], w_in[y]};
        from_w = between[W-1:0];
        between = {e_in[y], w[y]};
        from_e = between[W:1];
        to_n = 0;
        to_e = 0;
        to_s = 0;
        to_w = 0;
        for (i = 0; i < 16; i = i + 1) begin
          here = (i[0] ? from_n : ~from_n) & (i[1] ? from_e : ~from_e) & (i[2] ? from_s : ~from_s) & (i[3] ? from_w : ~from_w);
          to_n = to_n | (here & chain[64*y+4*i]);
          to_e = to_e | (here & chain[64*y+4*i+1]);
          to_s = to_s | (here & chain[64*y+4*i+2]);
          to_w = to_w | (here & chain[64*y+4*i+3]);
        end
        n[y] = (to_n & colour) | (n[y] & ~colour);
        e[y] = (to_e & colour) | (e[y] & ~colour);
        s[y] = (to_s & colour) | (s[y] & ~colour);
        w[y] = (to_w & colour) | (w[y] & ~colour);
      end
      east[y] = e[y][W-1];
      west[y] = w[y][0];
    end
    n_out <= n[0];
    e_out <= east;
    s_out <= s[H-1];
    w_out <= west;
    phase <= rst ? 1'b0 : phase ^ run;

    if (load != 0) begin
      for (j = 64 * H - 1; j >= C; j = j - 1) chain[j] = (chain[j] & ~load) | (chain[j-C] & load);
      for (j = 0; j < C; j = j + 1) chain[j] = (chain[j] & ~load) | (config_in[j*W+:W] & load);
    end
    for (j = 0; j < C; j = j + 1) config_out[j*W+:W] <= chain[64*H-C+j];
  end
  /* verilator lint_on BLKSEQ */
endmodule
