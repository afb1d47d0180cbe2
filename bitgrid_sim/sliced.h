// Bit-sliced simulator of one grid: 512 cells of one colour are evaluated together, one bit of each in a 512-bit word.
//
// Layout. The grid, with a frame of virtual cells one wide, is laid out row by row on a line with an odd pitch R >= W + 1. The colour of a
// cell is then the parity of its place on the line, and its neighbours are at distances 1 and R, the same for all cells. The even and the
// odd places are separate planes of bits: one plane of latched outputs for each colour and side. Virtual cells represent the outside:
// driving a port means setting an output bit of one.
//
// Function. An output is its truth table's polynomial over GF(2) (algebraic normal form) in the inputs n, e, s, w. For each of its 16
// monomials, a plane says which cells have it. Only planes that are not all 0 within a block are stored and evaluated, each by one
// ternary-logic instruction: 16 for any function, 4 for wires and exclusive or, none for idle cells.
//
// Time. Cells depend on places at most (R + 1) / 2 further on in the other colour's planes. `run` can therefore take several phases through
// the grid in one sweep, each phase some blocks behind the previous one (a wavefront), so that planes are loaded once for all of them.
// Threads take different phases of the sweep.
//
// Stimuli. A grid may have several sets of latches, each with its own ports, that step together. A block's coefficients are then loaded
// once for all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "bitgrid_sim/aligned.h"
#include "bitgrid_sim/plane_pool.h"
#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/target.h"
#include "frontend/grids/grid_source.h"
#include "ir/grid_config.h"

namespace bitgrid::sim {

class SlicedGrid {
 public:
  /// A port is the place of its bit in the planes.
  using Port = size_t;

  /// Fills in one row of configuration words. Called once per row, from y = 0 on.
  using RowSource = std::function<void(int y, std::span<CellWord> row)>;

  /// Throws Error if this machine lacks the requested instructions.
  explicit SlicedGrid(const GridConfig& config, SimdTarget target = SimdTarget::kAuto);
  /// Needs no GridConfig in memory. Takes little more than 8.5 bytes per cell, and less if functions are simple.
  explicit SlicedGrid(const frontend::GridSource& source, SimdTarget target = SimdTarget::kAuto);
  SlicedGrid(int width, int height, const RowSource& rows, SimdTarget target = SimdTarget::kAuto, size_t stimuli = 1);

  int width() const { return width_; }
  int height() const { return height_; }

  size_t stimuli() const { return stimuli_; }

  Port input_port(Side side, int position, size_t stimulus = 0) const;
  Port output_port(Side side, int position, size_t stimulus = 0) const;

  /// The port carries 1 in the next phase. A port that is not driven carries 0.
  void drive(Port port) {
    planes_[port / 64] |= uint64_t{1} << (port % 64);
    driven_.push_back(port);
  }
  bool driving(Port port) const { return sample(port); }
  /// Returns the bit that the border cell has driven outward since it last latched.
  bool sample(Port port) const { return (planes_[port / 64] >> (port % 64)) & 1u; }

  /// Runs one phase: the cells of the phase's colour latch. Clears what was driven.
  void step(int phase);

  /// A port in a phase of a run.
  struct Event {
    int64_t phase = 0;
    Port port = 0;
    bool bit = false;
  };
  struct RunParams {
    size_t threads = 1;
    int64_t sweep = 0;        // phases taken through the grid at a time; 0: set by the size of the second-level cache
    size_t chunk_blocks = 0;  // blocks that a phase advances at a time; 0: as many as fit
  };
  /// Runs phases first .. first + count - 1. `drives`: ports that carry 1 (bit is ignored); all other input ports carry 0. `samples`:
  /// output ports to read after their phase; the function fills in their bits.
  void run(int64_t first, int64_t count, std::span<const Event> drives, std::span<Event> samples, const RunParams& params);

  /// Replaces one cell's configuration. Its latches keep their values.
  void set_cell(int x, int y, CellWord word);
  CellWord cell(int x, int y) const;

  /// These read and set the latched output of a cell, and read the bit on a side of a cell.
  bool output(int x, int y, Side side, size_t stimulus = 0) const { return sample(bit_of(place(x, y), side, stimulus)); }
  void set_output(int x, int y, Side side, bool value, size_t stimulus = 0);
  bool input(int x, int y, Side side) const { return sample(bit_of(place(x + dx(side), y + dy(side)), opposite(side))); }

  GridState state(size_t stimulus = 0) const;
  void set_state(const GridState& state, size_t stimulus = 0);

  /// Returns "portable", "avx2", "avx512" or "avx512vbmi2".
  std::string target() const;
  /// These return the number of blocks of 512 cells that are evaluated, and of all blocks.
  size_t active_blocks() const { return active_[0].size() + active_[1].size(); }
  size_t blocks() const { return 2 * blocks_; }

  /// The packed latches of a row of the first stimulus. Rows with equal widths and parities of y have equal layouts. set_row takes what
  /// row_latches returned.
  static size_t row_words(int width) { return 8 * ((static_cast<size_t>(width) / 2 + 64) / 64); }
  void row_latches(int y, uint64_t* words) const;
  void set_row(int y, const uint64_t* words);

  /// Returns the bytes of planes and tables.
  size_t memory() const;

  // Shared with the functions of sliced.cc that evaluate blocks.
  static constexpr size_t kBlockWords = 8;
  static constexpr size_t kBlockCells = 64 * kBlockWords;

  /// A block of 512 cells, at least one of which is not idle.
  struct Active {
    uint32_t block = 0;
    uint16_t used[4] = {};  // for each side, the ranks of the monomials that have planes: 1, inputs, products
    size_t planes = 0;      // where they start in the pool, in planes of kBlockWords words; adjacent, ranks ascending
  };
  /// What a phase reads and writes.
  struct Phase {
    const uint64_t* pool = nullptr;
    const uint64_t* in[4] = {};  // the plane that each input reads, shifted by whole words
    unsigned shift[4] = {};      // and then by this many bits
    uint64_t* out[4] = {};
    size_t stride = 0, end = 0;  // words from the planes of one stimulus to those of the next, and of all stimuli
  };

 private:
  struct Place {
    size_t colour = 0;
    size_t index = 0;
  };
  struct Sweep;

  /// x from -1 to width, y from -1 to height.
  Place place(int x, int y) const;
  size_t plane_word(size_t colour, size_t side) const { return (colour * 4 + side) * plane_stride_ + margin_; }
  Port bit_of(const Place& p, Side side, size_t stimulus = 0) const {
    return (stimulus * 8 * plane_stride_ + plane_word(p.colour, static_cast<size_t>(side))) * 64 + p.index;
  }
  struct Columns;
  void build(const RowSource& rows);
  void finish_block(size_t colour, Columns& cells);
  Phase phase_of(size_t colour);
  Active* find_active(size_t colour, size_t block);
  const Active* find_active(size_t colour, size_t block) const;
  Active& activate(size_t colour, size_t block);
  void add_planes(Active& active, uint64_t coefficients);
  uint64_t* plane(size_t index) { return pool_.data() + index * kBlockWords; }
  static size_t plane_of(const Active& active, size_t side, size_t monomial);
  static bool has_plane(const Active& active, size_t side, size_t monomial);
  void index_active();
  void clear_driven();
  void sweep_chunk(const Sweep& sweep, size_t k, ptrdiff_t begin, ptrdiff_t end);
  void sweep_phases(const Sweep& sweep);

  int width_ = 0;
  int height_ = 0;
  size_t pitch_ = 0;   // R, odd
  size_t blocks_ = 0;  // of each colour
  size_t margin_ = 0;  // words before and after each plane, so that every shifted read stays inside
  size_t plane_stride_ = 0;
  size_t stimuli_ = 1;
  std::vector<Active> active_[2];          // ascending blocks
  std::vector<uint32_t> first_active_[2];  // by block, the first active one from it on; empty: not built yet
  PlanePool pool_;                         // coefficient planes
  size_t unused_planes_ = 0;               // in the pool, left behind by blocks that needed more
  AlignedVector<uint64_t> planes_;
  std::vector<Port> driven_;
  void (*step_blocks_)(const Phase&, const Active*, size_t) = nullptr;
  SimdTarget target_ = SimdTarget::kAuto;
};

}  // namespace bitgrid::sim
