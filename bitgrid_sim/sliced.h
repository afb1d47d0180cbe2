// Bit-sliced simulator of one grid: 512 cells of one colour are evaluated together, one bit of each in a 512-bit word.
//
// Layout. The grid with a frame of one virtual cell stands row by row on a line with an odd pitch R >= W + 1, so that the colour of a cell
// is the parity of its place on the line and its neighbours are at distances 1 and R, the same for all cells. The even and the odd places
// are separate planes of bits: for each colour and side one plane of latched outputs. Virtual cells stand for the outside: driving a port
// means setting an output bit of one.
//
// Function. An output is the polynomial over GF(2) (algebraic normal form) of its truth table in the inputs n, e, s, w: 16 coefficient
// planes, evaluated by 15 steps a ^ (b & v), each one ternary-logic instruction. Outputs without products (wires, exclusive or) take 4
// steps, and blocks of 512 cells that are all zero take none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bitgrid_sim/aligned.h"
#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/target.h"
#include "ir/grid_config.h"

namespace bitgrid {

class SlicedGrid {
 public:
  /// A port is the place of its bit in the planes.
  using Port = size_t;

  /// Throws Error if this machine lacks the instructions asked for.
  explicit SlicedGrid(const GridConfig& config, SimdTarget target = SimdTarget::kAuto);

  int width() const { return width_; }
  int height() const { return height_; }

  Port input_port(Side side, int position) const;
  Port output_port(Side side, int position) const;

  /// The port carries 1 in the next phase; a port that is not driven carries 0.
  void drive(Port port) {
    planes_[port / 64] |= uint64_t{1} << (port % 64);
    driven_.push_back(port);
  }
  bool driving(Port port) const { return sample(port); }
  /// The bit that the border cell drives outward since it last latched.
  bool sample(Port port) const { return (planes_[port / 64] >> (port % 64)) & 1u; }

  /// One phase: the cells of the phase's colour latch. Clears what was driven.
  void step(int phase);

  /// Replaces one cell's configuration; its latches stay.
  void set_cell(int x, int y, CellWord word);
  CellWord cell(int x, int y) const { return cells_[config_index(x, y)]; }

  GridState state() const;
  void set_state(const GridState& state);

  /// "avx512", "avx2" or "portable".
  std::string target() const;
  /// Blocks of 512 cells that are evaluated, and all of them.
  size_t active_blocks() const { return active_[0].size() + active_[1].size(); }
  size_t blocks() const { return 2 * blocks_; }

  // Shared with the functions of sliced.cc that evaluate blocks.
  static constexpr size_t kBlockWords = 8;
  static constexpr size_t kBlockCells = 64 * kBlockWords;

  /// How much of an output's polynomial a block needs.
  enum Degree : uint8_t { kZero = 0, kLinear = 1, kFull = 2 };
  struct alignas(64) Block {
    uint64_t planes[4][16][kBlockWords] = {};  // side, coefficient (in the order of kOrder), cells
  };
  struct Active {
    uint32_t block = 0;
    uint8_t degree[4] = {};
  };
  /// What a phase reads and writes.
  struct Phase {
    const Active* active = nullptr;
    size_t count = 0;
    const Block* blocks = nullptr;
    const uint64_t* in[4] = {};  // plane that each input reads, moved by whole words
    unsigned shift[4] = {};      // and then by bits
    uint64_t* out[4] = {};
  };

 private:
  struct Place {
    size_t colour = 0;
    size_t index = 0;
  };

  size_t config_index(int x, int y) const { return static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x); }
  /// x from -1 to width, y from -1 to height.
  Place place(int x, int y) const;
  size_t plane_word(size_t colour, size_t side) const { return (colour * 4 + side) * plane_stride_ + margin_; }
  Port bit_of(const Place& p, Side side) const { return plane_word(p.colour, static_cast<size_t>(side)) * 64 + p.index; }
  void toggle_polynomials(const Place& p, CellWord difference);
  Active& activate(size_t colour, size_t block);
  void note_coefficients(size_t colour, size_t block, uint64_t coefficients);

  int width_ = 0;
  int height_ = 0;
  size_t pitch_ = 0;   // R, odd
  size_t blocks_ = 0;  // of each colour
  size_t margin_ = 0;  // words before and behind each plane, so that every shifted read stays inside
  size_t plane_stride_ = 0;
  std::vector<CellWord> cells_;  // row by row
  std::vector<Block> polynomials_[2];
  std::vector<uint64_t> used_[2];  // per block: which (coefficient, side) planes may be non-zero
  std::vector<Active> active_[2];  // ascending blocks
  AlignedVector<uint64_t> planes_;
  std::vector<Port> driven_;
  void (*step_blocks_)(const Phase&) = nullptr;
  SimdTarget target_ = SimdTarget::kAuto;
};

}  // namespace bitgrid
