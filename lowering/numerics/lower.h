// Turns a Model into a Program: every layer becomes kernels (Dags), with the structure that the mappers of matrices use.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/defects.h"
#include "ir/model.h"
#include "ir/program.h"
#include "lowering/mapping/objective.h"
#include "lowering/mapping/tile.h"

namespace bitgrid::numerics {

struct LowerParams {
  mapping::Tile tile;                                     // larger layers are cut for several tiles
  mapping::Optimize optimize = mapping::Optimize::kArea;  // chooses the form of layers that are cut
  Defects defects = {};                                   // of each tile: cut layers are then word-serial, and leave room for detours
};

/// Throws Error (layer, what has no mapping, cure). The model must be verified.
Program lower(const Model& model, const LowerParams& params = {});

}  // namespace bitgrid::numerics
