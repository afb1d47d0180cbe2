#include "bitgrid_sim/scalar.h"

namespace bitgrid::sim {

BorderBits::BorderBits(int width, int height) {
  for (const Side side : kSides) ports[static_cast<size_t>(side)].resize(static_cast<size_t>(ports_of(side, width, height)));
}

unsigned cell_inputs(const GridState& state, int x, int y, const BorderBits& in, Borders borders) {
  unsigned inputs = 0;
  for (const Side side : kSides) {
    int nx = x + dx(side), ny = y + dy(side);
    const bool inside = nx >= 0 && ny >= 0 && nx < state.width && ny < state.height;
    bool bit = false;
    if (inside || borders == Borders::kTorus) {
      nx = (nx + state.width) % state.width;
      ny = (ny + state.height) % state.height;
      bit = state.output(nx, ny, opposite(side));
    } else {
      bit = in.at(side, side == Side::N || side == Side::S ? x : y);
    }
    inputs |= static_cast<unsigned>(bit) << static_cast<unsigned>(side);
  }
  return inputs;
}

void step(const GridConfig& config, GridState& state, int phase, const BorderBits& in, Borders borders) {
  for (int y = 0; y < config.height; ++y) {
    // Latching in place is safe: a cell reads only cells of the other colour.
    for (int x = (phase + y) & 1; x < config.width; x += 2) {
      const unsigned inputs = cell_inputs(state, x, y, in, borders);
      state.outputs[state.index(x, y)] = static_cast<uint8_t>((config.at(x, y) >> (4 * inputs)) & 15u);
    }
  }
}

BorderBits border_outputs(const GridState& state) {
  BorderBits out(state.width, state.height);
  for (const Side side : kSides) {
    for (int p = 0; p < ports_of(side, state.width, state.height); ++p) {
      const CellPosition cell = border_cell(side, p, state.width, state.height);
      out.at(side, p) = state.output(cell.x, cell.y, side);
    }
  }
  return out;
}

ScalarGrid::ScalarGrid(const GridConfig& config) : config_(config), state_(config.width, config.height), in_(config.width, config.height) {}

void ScalarGrid::drive(Port port) {
  in_.ports[port % 4][port / 4] = 1;
  driven_.push_back(port);
}

bool ScalarGrid::sample(Port port) const {
  const Side side = kSides[port % 4];
  const CellPosition cell = border_cell(side, static_cast<int>(port / 4), config_.width, config_.height);
  return state_.output(cell.x, cell.y, side);
}

void ScalarGrid::set_output(int x, int y, Side side, bool value) {
  uint8_t& outputs = state_.outputs[state_.index(x, y)];
  const unsigned mask = 1u << static_cast<unsigned>(side);
  outputs = static_cast<uint8_t>(value ? outputs | mask : outputs & ~mask);
}

void ScalarGrid::step(int phase) {
  sim::step(config_, state_, phase, in_);
  for (const Port port : driven_) in_.ports[port % 4][port / 4] = 0;
  driven_.clear();
}

}  // namespace bitgrid::sim
