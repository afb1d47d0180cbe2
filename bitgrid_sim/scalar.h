// Defines how the fabric behaves in time: one cell after the other, phase by phase. All faster engines are compared with this one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ir/grid_config.h"

namespace bitgrid::sim {

/// What lies beyond the border: ports that are driven from outside, or the opposite border.
enum class Borders : uint8_t { kOpen, kTorus };

/// The latched outputs of all cells, row by row: N, E, S, W = bits 0..3. All latches start at 0.
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

/// One bit per border port: ports[side][position], position = x for N and S, y for E and W.
struct BorderBits {
  std::array<std::vector<uint8_t>, 4> ports;

  BorderBits() = default;
  BorderBits(int width, int height);
  uint8_t& at(Side side, int position) { return ports[static_cast<size_t>(side)][static_cast<size_t>(position)]; }
  uint8_t at(Side side, int position) const { return ports[static_cast<size_t>(side)][static_cast<size_t>(position)]; }
  bool operator==(const BorderBits&) const = default;
};

/// Returns the number of border ports of a side.
constexpr int ports_of(Side side, int width, int height) {
  return side == Side::N || side == Side::S ? width : height;
}

struct CellPosition {
  int x = 0;
  int y = 0;
};

/// Returns the cell at a border port.
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

/// Returns the four inputs of a cell (N, E, S, W = bits 0..3): the outputs that its neighbours latched toward it, or the driven bits at an
/// open border.
unsigned cell_inputs(const GridState& state, int x, int y, const BorderBits& in, Borders borders = Borders::kOpen);

/// Runs one phase: every cell with (x + y) % 2 == phase % 2 latches its outputs. A torus needs even sides (otherwise neighbours share a
/// colour).
void step(const GridConfig& config, GridState& state, int phase, const BorderBits& in, Borders borders = Borders::kOpen);

/// Returns the latched outputs of the border cells toward the outside.
BorderBits border_outputs(const GridState& state);

/// A configured grid with open borders whose ports are driven and sampled by number. SlicedGrid has the same interface.
class ScalarGrid {
 public:
  using Port = size_t;

  explicit ScalarGrid(const GridConfig& config);

  int width() const { return config_.width; }
  int height() const { return config_.height; }

  Port input_port(Side side, int position) const { return static_cast<Port>(position) * 4 + static_cast<Port>(side); }
  Port output_port(Side side, int position) const { return input_port(side, position); }

  /// The port carries 1 in the next phase. A port that is not driven carries 0.
  void drive(Port port);
  bool driving(Port port) const { return in_.ports[port % 4][port / 4]; }
  /// Returns the bit that the border cell has driven outward since it last latched.
  bool sample(Port port) const;
  /// Runs one phase: the cells of the phase's colour latch. Clears what was driven.
  void step(int phase);
  /// Replaces one cell's configuration. Its latches keep their values.
  void set_cell(int x, int y, CellWord word) { config_.at(x, y) = word; }
  CellWord cell(int x, int y) const { return config_.at(x, y); }

  /// These read and set the latched output of a cell, and read the bit on a side of a cell.
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
