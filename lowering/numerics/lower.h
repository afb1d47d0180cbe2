// Model -> Program: every layer as kernels (Dags), with the structure that the mappers of matrices use.
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
  mapping::Tile tile;                                     // layers that are larger are cut over several
  mapping::Optimize optimize = mapping::Optimize::kArea;  // the form of those that are cut
  Defects defects = {};  // of each tile: cut layers are word-serial then, and leave room for ways around them
};

/// Throws Error (layer, what has no mapping, cure). Needs a verified model.
Program lower(const Model& model, const LowerParams& params = {});

}  // namespace bitgrid::numerics
