#include "bitgrid_sim/single_lane.h"

#include "ir/error.h"

namespace bitgrid::sim {

SingleLaneGrid::SingleLaneGrid(const GridConfig& config) : config_(config) {
  compile();
}

/// Every output has a net, constant or not, because it may be set.
void SingleLaneGrid::compile() {
  LaneProgramParams params;
  for (const Side side : kSides) {
    for (int p = 0; p < ports_of(side, config_.width, config_.height); ++p) params.driven.push_back({side, p});
  }
  params.all_cells = params.faults = true;
  grid_ = std::make_unique<LaneGrid>(compile_lanes(config_, params), 64);
}

SingleLaneGrid::Port SingleLaneGrid::input_port(Side side, int position) const {
  size_t first = 0;
  for (const Side before : kSides) {
    if (before < side) first += static_cast<size_t>(ports_of(before, config_.width, config_.height));
  }
  return grid_->program().driven[first + static_cast<size_t>(position)];
}

SingleLaneGrid::Port SingleLaneGrid::output_port(Side side, int position) const {
  const CellPosition cell = border_cell(side, position, config_.width, config_.height);
  return edge(cell.x, cell.y, side);
}

void SingleLaneGrid::set_output(int x, int y, Side side, bool value) {
  uint64_t& word = grid_->net(edge(x, y, side))[0];
  word = (word & ~uint64_t{1}) | static_cast<uint64_t>(value);
}

bool SingleLaneGrid::input(int x, int y, Side side) const {
  const int nx = x + dx(side), ny = y + dy(side);
  if (nx >= 0 && ny >= 0 && nx < config_.width && ny < config_.height) return output(nx, ny, opposite(side));
  return sample(input_port(side, side == Side::N || side == Side::S ? x : y));
}

void SingleLaneGrid::set_cell(int x, int y, CellWord word) {
  if (config_.at(x, y) == word) return;
  const GridState before = state();
  config_.at(x, y) = word;
  compile();
  set_state(before);
}

void SingleLaneGrid::set_state(const GridState& state) {
  if (state.width != width() || state.height != height())
    throw Error("lanes simulator", "the state belongs to another grid", "use the same size");
  for (int y = 0; y < height(); ++y) {
    for (int x = 0; x < width(); ++x) {
      for (const Side side : kSides) set_output(x, y, side, state.output(x, y, side));
    }
  }
}

}  // namespace bitgrid::sim
