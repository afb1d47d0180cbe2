// The definition of the fabric in time: one cell after the other, phase by phase. Everything faster is compared with
// this.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ir/grid_config.h"

namespace bitgrid::sim {

/// What lies beyond the border: ports that are driven from outside, or the opposite border.
enum class Borders : uint8_t { kOpen, kTorus };

/// Latched outputs of all cells, row by row: N, E, S, W = bits 0..3. All latches start at 0.
struct GridState {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> outputs;

  GridState() = default;
  GridState(int w, int h) : width(w), height(h), outputs(static_cast<size_t>(w) * static_cast<size_t>(h)) {}

  size_t index(int x, int y) const { return static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x); }
  bool output(int x, int y, Side side) const { return (outputs[index(x, y)] >> static_cast<unsigned>(side)) & 1u; }
  bool operator==(const GridState&) const = default;
};

/// One bit for each border port: ports[side][position], position = x for N and S, y for E and W.
struct BorderBits {
  std::array<std::vector<uint8_t>, 4> ports;

  BorderBits() = default;
  BorderBits(int width, int height);
  uint8_t& at(Side side, int position) { return ports[static_cast<size_t>(side)][static_cast<size_t>(position)]; }
  uint8_t at(Side side, int position) const { return ports[static_cast<size_t>(side)][static_cast<size_t>(position)]; }
  bool operator==(const BorderBits&) const = default;
};

/// Number of border ports of a side.
constexpr int ports_of(Side side, int width, int height) {
  return side == Side::N || side == Side::S ? width : height;
}

struct CellPosition {
  int x = 0;
  int y = 0;
};

/// The cell at a border port.
constexpr CellPosition border_cell(Side side, int position, int width, int height) {
  switch (side) {
    case Side::N:
      return {position, 0};
    case Side::S:
      return {position, height - 1};
    case Side::W:
      return {0, position};
    default:
      return {width - 1, position};
  }
}

/// The four inputs of a cell (N, E, S, W = bits 0..3): its neighbours' latched outputs toward it; at an open border the driven bits.
unsigned cell_inputs(const GridState& state, int x, int y, const BorderBits& in, Borders borders = Borders::kOpen);

/// One phase: every cell with (x + y) % 2 == phase % 2 latches its outputs. A torus needs even sides (else neighbours share a colour).
void step(const GridConfig& config, GridState& state, int phase, const BorderBits& in, Borders borders = Borders::kOpen);

/// Latched outputs of the border cells toward the outside.
BorderBits border_outputs(const GridState& state);

/// A configured grid with open borders whose ports are driven and sampled by number: the interface that it shares with SlicedGrid.
class ScalarGrid {
 public:
  using Port = size_t;

  explicit ScalarGrid(const GridConfig& config);

  int width() const { return config_.width; }
  int height() const { return config_.height; }

  Port input_port(Side side, int position) const { return static_cast<Port>(position) * 4 + static_cast<Port>(side); }
  Port output_port(Side side, int position) const { return input_port(side, position); }

  /// The port carries 1 in the next phase; a port that is not driven carries 0.
  void drive(Port port);
  bool driving(Port port) const { return in_.ports[port % 4][port / 4]; }
  /// The bit that the border cell drives outward since it last latched.
  bool sample(Port port) const;
  /// One phase: the cells of the phase's colour latch. Clears what was driven.
  void step(int phase);
  /// Replaces one cell's configuration; its latches stay.
  void set_cell(int x, int y, CellWord word) { config_.at(x, y) = word; }
  CellWord cell(int x, int y) const { return config_.at(x, y); }

  /// Latched output of a cell, setting it, and the bit that the cell reads on a side.
  bool output(int x, int y, Side side) const { return state_.output(x, y, side); }
  void set_output(int x, int y, Side side, bool value);
  bool input(int x, int y, Side side) const { return (cell_inputs(state_, x, y, in_) >> static_cast<unsigned>(side)) & 1u; }

  GridState state() const { return state_; }
  void set_state(const GridState& state) { state_ = state; }

 private:
  GridConfig config_;
  GridState state_;
  BorderBits in_;
  std::vector<Port> driven_;
};

}  // namespace bitgrid::sim
