// Model -> Program: every layer as kernels (Dags), with the structure that the systolic mapper uses.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/defects.h"
#include "ir/model.h"
#include "ir/program.h"
#include "lowering/dense_popcount.h"
#include "lowering/systolic.h"

namespace bitgrid {

/// What is chosen where a matrix has several forms: the fewest cells, the smallest II, or the least cells times II.
enum class Optimize : uint8_t { kArea, kThroughput, kDensity };
/// What is to be least.
int64_t cost(Optimize optimize, int64_t cells, int ii);

/// Cells of a tile. 0: as many as a kernel needs.
struct Tile {
  int width = 0;
  int height = 0;
  bool bounded() const { return width > 0 || height > 0; }
};

struct LowerParams {
  Tile tile;                            // layers that are larger are cut over several
  Optimize optimize = Optimize::kArea;  // the form of those that are cut
  Defects defects = {};                 // of each tile: cut layers are word-serial then, and leave room for ways around them
};

/// Inputs of a parallel form that the kernel adds to running counts, and which of the forms.
struct CountPart {
  InputPart inputs;
  bool interleaved = false;
};

/// What is known of a kernel beyond its Dag: the forms that a matrix can take on the grid. Neither: tables and glue.
struct KernelForm {
  std::optional<SystolicForm> serial;
  std::optional<DenseBinaryForm> parallel;
  std::optional<CountPart> part = {};  // a part of `parallel`, whose form is settled
};

struct Lowered {
  Program program;
  std::vector<KernelForm> forms;  // one for each kernel
};

/// Throws Error (layer, what has no mapping, cure). Needs a verified model.
Lowered lower(const Model& model, const LowerParams& params = {});

}  // namespace bitgrid
