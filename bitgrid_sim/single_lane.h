// Runs one stimulus on the lanes engine, with the interface of ScalarGrid and SlicedGrid. It wastes 63 of 64 lanes, but it lets every
// engine run everything, so that all are compared on everything.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bitgrid_sim/lanes.h"
#include "bitgrid_sim/scalar.h"
#include "ir/grid_config.h"

namespace bitgrid::sim {

class SingleLaneGrid {
 public:
  using Port = size_t;

  explicit SingleLaneGrid(const GridConfig& config);

  int width() const { return config_.width; }
  int height() const { return config_.height; }
  Port input_port(Side side, int position) const;
  Port output_port(Side side, int position) const;
  void drive(Port port) { grid_->net(static_cast<uint32_t>(port))[0] |= 1u; }
  bool driving(Port port) const { return sample(port); }
  bool sample(Port port) const { return (grid()->net(static_cast<uint32_t>(port))[0] & 1u) != 0; }
  void step(int phase) { grid_->step(phase); }
  bool output(int x, int y, Side side) const { return sample(edge(x, y, side)); }
  void set_output(int x, int y, Side side, bool value);
  bool input(int x, int y, Side side) const;
  CellWord cell(int x, int y) const { return config_.at(x, y); }
  /// Recompiles the grid.
  void set_cell(int x, int y, CellWord word);
  GridState state() const { return grid_->state(0); }
  void set_state(const GridState& state);

 private:
  const LaneGrid* grid() const { return grid_.get(); }
  uint32_t edge(int x, int y, Side side) const { return grid_->program().edges[4 * config_.index(x, y) + static_cast<size_t>(side)]; }
  void compile();

  GridConfig config_;
  std::unique_ptr<LaneGrid> grid_;
};

}  // namespace bitgrid::sim
