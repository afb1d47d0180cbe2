#include "tests/support/plane.h"

#include <algorithm>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/index.h"
#include "ir/output_cone.h"

namespace bitgrid::mapping {
namespace {

constexpr Lut kZero = 0, kOne = 0xFFFF;

// East output of an input column: the term so far (1 in the first column) and the literal.
Lut term_lut(const synthesis::Cube& cube, uint32_t column) {
  const Lut so_far = column == 0 ? kOne : kFromW;
  if (!((cube.care >> column) & 1)) return so_far;
  const Lut literal = ((cube.value >> column) & 1) ? kFromN : invert(kFromN);
  return static_cast<Lut>(so_far & literal);
}

Lut sum_lut(bool first_row, bool clear, bool used, bool complement) {
  Lut t = first_row && clear ? kZero : kFromN;
  if (used) t = static_cast<Lut>(t ^ kFromW);
  return first_row && complement ? invert(t) : t;
}

uint32_t last_output(const BitVector& outputs) {
  uint32_t last = 0;
  for (uint32_t o = 0; o < outputs.width; ++o)
    if (outputs.get(o)) last = o;
  return last;
}

}  // namespace

int plane_height(const synthesis::Esop& esop) {
  return std::max<int>(1, count_of(esop.cubes));
}

void place_plane(GridConfig& grid, int x, int y, const synthesis::Esop& esop, bool clear_outputs) {
  const int width = int_of(esop.inputs + esop.outputs), height = plane_height(esop);
  if (x < 0 || y < 0 || x + width > grid.width || y + height > grid.height)
    throw Error("plane",
                fmt::format("{} x {} cells at ({}, {}) do not fit a grid of {} x {}", width, height, x, y, grid.width, grid.height),
                "use a larger grid or split the table");
  const synthesis::Cube nothing{0, 0, BitVector(esop.outputs)};
  for (int row = 0; row < height; ++row) {
    const synthesis::Cube& cube = esop.cubes.empty() ? nothing : esop.cubes[index_of(row)];
    const bool term = !esop.cubes.empty();
    for (uint32_t i = 0; i < esop.inputs; ++i)
      grid.at(x + int_of(i), y + row) = cell_word({0, term ? term_lut(cube, i) : kZero, kFromN, 0});
    const uint32_t last = last_output(cube.outputs);
    for (uint32_t o = 0; o < esop.outputs; ++o) {
      Lut sum = sum_lut(row == 0, clear_outputs, cube.outputs.get(o), esop.complement.get(o));
      grid.at(x + int_of(esop.inputs + o), y + row) = cell_word({0, o < last ? kFromW : kZero, sum, 0});
    }
  }
}

MappedKernel plane_kernel(const std::string& name, const synthesis::Esop& esop) {
  MappedKernel kernel;
  kernel.name = name;
  kernel.strategy = "plane";
  kernel.input_bits = esop.inputs;
  kernel.output_bits = esop.outputs;
  kernel.grid = GridConfig(int_of(esop.inputs + esop.outputs), plane_height(esop));
  place_plane(kernel.grid, 0, 0, esop);
  for (uint32_t i = 0; i < esop.inputs; ++i) {
    const int column = int_of(i);
    kernel.inputs.push_back({i, {Side::N, column, column}, 1});
  }
  for (uint32_t o = 0; o < esop.outputs; ++o) {
    const int column = int_of(esop.inputs + o);
    kernel.outputs.push_back({Side::S, column, column + kernel.grid.height - 1});
  }
  raise_lead(kernel);
  return kernel;
}

MappedKernel map_plane(const std::string& name, const std::vector<BitVector>& table, const PlaneParams& params, PlaneStats* stats) {
  synthesis::EsopStats esop_stats;
  const synthesis::Esop esop = synthesis::minimise_esop(table, params.esop, &esop_stats);
  MappedKernel kernel = plane_kernel(name, esop);
  if (stats) *stats = {esop_stats, kernel.grid.width, kernel.grid.height};
  return kernel;
}

MappedKernel map_plane(const Dag& dag, const PlaneParams& params, PlaneStats* stats) {
  return map_plane(dag.name, truth_table(dag, std::min(params.max_inputs, synthesis::kMaxEsopInputs)), params, stats);
}

}  // namespace bitgrid::mapping
