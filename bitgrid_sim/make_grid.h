// Makes engines from a stream of rows.
#pragma once

#include <type_traits>

#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/single_lane.h"
#include "bitgrid_sim/sliced.h"
#include "frontend/grids/grid_source.h"

namespace bitgrid::sim {

/// The sliced engine takes rows as they come. The others need the whole configuration.
template <typename Grid>
Grid make_grid(const frontend::GridSource& source) {
  if constexpr (std::is_same_v<Grid, SlicedGrid>) {
    return SlicedGrid(source);
  } else {
    return Grid(frontend::read_rows(source));
  }
}

}  // namespace bitgrid::sim
