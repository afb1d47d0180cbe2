// The kernels that lowering a model of given shapes would make, with their sizes and times, from nothing but shapes and numerics.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "estimate/shape_model.h"
#include "estimate/shape_plans.h"
#include "ir/checked.h"
#include "lowering/mapping/map.h"

namespace bitgrid::estimate {

/// What a stage of a token asks of a tile: invocations one after another.
struct StageUse {
  int stage = 0;
  int64_t repeat = 1;
};

/// Kernels of equal size that do the same for different rows, heads or experts.
struct KernelFigures {
  std::string name;
  std::string strategy;
  int layer = -1;  // -1: embedding or head
  int width = 0;   // cells of one tile
  int height = 0;
  int ii = 0;
  int latency_cycles = 0;
  int64_t tiles = 1;        // that hold it: one for each kernel, for each step where inputs are resident
  int64_t invocations = 1;  // for a token, on all tiles
  std::vector<StageUse> uses = std::vector<StageUse>(1);
  int64_t resident_cells = 0;  // of a tile
  int window = 0;              // tokens over which its resident cells are written once; 0: nothing is resident
  int64_t port_bits = 0;       // in and out, per invocation
  int64_t bit_macs = 0;        // per invocation
  bool modelled = false;       // from sizes of proven stamps, because `compile` has no such kernel yet

  int64_t cells() const { return int64_t{width} * height; }
  int64_t cells_total() const { return checked_product({width, height, tiles}, "cells of " + name); }
  /// Bits of a token in and out of its ports.
  int64_t port_bits_total() const { return checked_product({port_bits, invocations}, "bits of " + name); }
  /// Cycles that a token keeps each tile busy.
  int64_t busy_cycles() const {
    int64_t repeat = 0;
    for (const StageUse& use : uses) repeat += use.repeat;
    return repeat * ii;
  }
  /// Cycles of a stage from the first input to the last output.
  int64_t length_cycles(const StageUse& use) const { return latency_cycles + (use.repeat - 1) * ii; }
  /// Cell updates of a token: cells that hold no invocation are clock-gated.
  double updates() const { return static_cast<double>(cells()) * ii * static_cast<double>(invocations); }
};

/// Estimates from shapes, with the word lengths of the worst possible weights. Throws Error if the numbers have no mapping. `plans` keeps
/// what the next model may share.
std::vector<KernelFigures> shape_kernels(const ShapeModel& model, ShapePlans& plans);
std::vector<KernelFigures> shape_kernels(const ShapeModel& model, const numerics::LowerParams& params = {});

/// Exact: the kernels of a lowered model, with the number, sizes and times of those that `compile` makes with the same options. With
/// defects they are mapped (which takes seconds); otherwise most sizes follow without mapping. Throws Error as map_kernel does.
std::vector<KernelFigures> lowered_kernels(const Program& program, const mapping::MapParams& params = {});

/// For a program's mapped kernels, in its order.
std::vector<KernelFigures> mapped_kernels(const Program& program, const std::vector<MappedKernel>& mapped);

}  // namespace bitgrid::estimate
