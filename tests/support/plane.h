// The plain AND/XOR plane, in closed form: a second construction to compare with, and a small mapper for tests of other things. Strategy
// "plane" is lowering/mapping/planes/time_shared_plane.h, whose planes have fewer columns.
#pragma once

#include <string>
#include <vector>

#include "ir/dag.h"
#include "ir/mapped_kernel.h"
#include "lowering/mapping/problem.h"
#include "lowering/synthesis/esop.h"

namespace bitgrid::mapping {

struct PlaneParams {
  synthesis::EsopParams esop;
  uint32_t max_inputs = 12;  // input bits above which map_plane(Dag) refuses
};

struct PlaneStats {
  synthesis::EsopStats esop;
  int width = 0;   // inputs + outputs
  int height = 0;  // cubes, at least 1
};

/// Writes the plane of `esop` into `grid` with its top left cell at (x, y): (inputs + outputs) x max(1, cubes) cells.
/// Input i is read from N in column x + i, output o leaves S in column x + inputs + o. Everything moves south or east: a bit that belongs
/// to the invocation of wavefront f is at cell (i, j) of the plane in phase f + i + j. The inputs leave S too. Nothing is read from W, nor
/// from N above the output columns if `clear_outputs` (the default); otherwise what comes from there is added, so that planes can be
/// stacked. Throws Error if the grid is too small.
void place_plane(GridConfig& grid, int x, int y, const synthesis::Esop& esop, bool clear_outputs = true);

int plane_height(const synthesis::Esop& esop);

/// A kernel of `esop`: inputs enter N at phase = column, outputs leave S.
MappedKernel plane_kernel(const std::string& name, const synthesis::Esop& esop);

/// Maps a table of 2^k words (index = the input bits as a number). Throws Error as minimise_esop.
MappedKernel map_plane(const std::string& name, const std::vector<BitVector>& table, const PlaneParams& params = {},
                       PlaneStats* stats = nullptr);

/// Maps any Dag of at most params.max_inputs input bits through its truth table (resident inputs become ordinary ones).
MappedKernel map_plane(const Dag& dag, const PlaneParams& params = {}, PlaneStats* stats = nullptr);

}  // namespace bitgrid::mapping
