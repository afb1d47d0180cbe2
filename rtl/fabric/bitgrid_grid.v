// A grid of W x H cells, one instance a cell: the form for synthesis. Cell (0, 0) is the north-western one, y grows southward.
//
// A clock with `run` is one phase: the cells with (x + y) % 2 == phase latch their outputs, and the phase changes. `rst` sets all outputs to
// 0 and the phase to 0. Bit x of n_in is what cell (x, 0) reads from the north, bit y of w_in what cell (0, y) reads from the west, and so on.
//
// Configuration: a shift chain in each column, from north to south, C bits in each clock in which load[x] is set (run should be 0 then: cells
// that are being loaded compute nonsense). After 64 * H / C such clocks a column is full. First come the highest C bits of the word of the
// southernmost cell, last the lowest C bits of the word of the northernmost. Bit c of column x is config_in[c * W + x]. A column of which
// load is 0 keeps its words. config_out is the end of the chains: what falls out while new words come in.
module bitgrid_grid #(
    parameter W = 8,
    parameter H = 8,
    parameter C = 1,       // 1, 2, 4 ... 64
    parameter LATCHES = 0  // 1: words in latches instead of flip-flops; then load must not change from the first to the last of the
                           // 64 * H / C clocks, config_out is 64 * H / C clocks' worth of zeros, and one clock without load follows
) (
    input  wire           clk,
    input  wire           rst,
    input  wire           run,
    output reg            phase,
    input  wire [W-1:0]   load,
    input  wire [W*C-1:0] config_in,
    output wire [W*C-1:0] config_out,
    input  wire [W-1:0]   n_in,
    input  wire [H-1:0]   e_in,
    input  wire [W-1:0]   s_in,
    input  wire [H-1:0]   w_in,
    output wire [W-1:0]   n_out,
    output wire [H-1:0]   e_out,
    output wire [W-1:0]   s_out,
    output wire [H-1:0]   w_out
);
  always @(posedge clk) phase <= rst ? 1'b0 : phase ^ run;

  // Outputs of all cells by side; a margin of one cell around them carries the border inputs. Bit (y + 1) * (W + 2) + x + 1 is cell (x, y).
  localparam P = W + 2;
  /* verilator lint_off UNUSED */   // the corners of the margin, and what it has on its outward sides
  /* verilator lint_off UNDRIVEN */
  /* verilator lint_off UNOPTFLAT */
  wire [P*(H+2)-1:0] n, e, s, w;
  /* verilator lint_on UNOPTFLAT */
  /* verilator lint_on UNDRIVEN */
  /* verilator lint_on UNUSED */
  assign s[1+:W] = n_in;
  assign n[(H+1)*P+1+:W] = s_in;
  assign n_out = n[P+1+:W];
  assign s_out = s[H*P+1+:W];

  genvar x, y, c;
  generate
    for (y = 0; y < H; y = y + 1) begin : border
      assign e[(y+1)*P] = w_in[y];
      assign w[(y+1)*P+W+1] = e_in[y];
      assign e_out[y] = e[(y+1)*P+W];
      assign w_out[y] = w[(y+1)*P+1];
    end

    if (LATCHES == 0) begin : flip_flops
      for (x = 0; x < W; x = x + 1) begin : column
        wire [C*(H+1)-1:0] chain;
        for (c = 0; c < C; c = c + 1) begin : port
          assign chain[c] = config_in[c*W+x];
          assign config_out[c*W+x] = chain[C*H+c];
        end
        for (y = 0; y < H; y = y + 1) begin : row
          localparam I = (y + 1) * P + x + 1;
          bitgrid_cell #(.C(C)) cell_xy (
              .clk(clk),
              .rst(rst),
              .enable(run && phase == ((x + y) % 2 == 1)),
              .load(load[x]),
              .config_in(chain[C*y+:C]),
              .config_out(chain[C*(y+1)+:C]),
              .in({e[I-1], n[I+P], w[I+1], s[I-P]}),
              .out({w[I], s[I], e[I], n[I]})
          );
        end
      end
    end else begin : latches
      // Words come in the chain's order, so each is written to its row as soon as it is complete: the row is `rows` clocks behind.
      reg [63:0] arrived;  // one-hot: groups of C bits of the current word
      reg [H-1:0] row_now, row_write;
      reg [W-1:0] column_write;
      wire last = arrived[64/C-1];
      always @(posedge clk) begin
        if (rst || load == 0) begin
          arrived <= 64'b1;
          row_now <= {1'b1, {(H - 1) {1'b0}}};
        end else begin
          arrived <= last ? 64'b1 : arrived << 1;
          if (last) row_now <= row_now >> 1;
        end
        row_write <= last && load != 0 ? row_now : {H{1'b0}};
        column_write <= load;
      end
      assign config_out = {W * C{1'b0}};
      for (x = 0; x < W; x = x + 1) begin : column
        reg [63:0] bit_lines;
        wire [C-1:0] next;
        /* verilator lint_off UNUSED */
        wire [63+C:0] shifted = {bit_lines, next};
        /* verilator lint_on UNUSED */
        always @(posedge clk) if (load[x]) bit_lines <= shifted[63:0];
        for (c = 0; c < C; c = c + 1) begin : port
          assign next[c] = config_in[c*W+x];
        end
        for (y = 0; y < H; y = y + 1) begin : row
          localparam I = (y + 1) * P + x + 1;
          bitgrid_cell_latch cell_xy (
              .clk(clk),
              .rst(rst),
              .enable(run && phase == ((x + y) % 2 == 1)),
              .write(row_write[y] && column_write[x] && !clk),
              .bit_lines(bit_lines),
              .in({e[I-1], n[I+P], w[I+1], s[I-P]}),
              .out({w[I], s[I], e[I], n[I]})
          );
        end
      end
    end
  endgenerate
endmodule
