// Model -> Program: every layer as kernels (Dags), with the structure that the systolic mapper uses.
#pragma once

#include <optional>
#include <vector>

#include "ir/model.h"
#include "ir/program.h"
#include "lowering/dense_popcount.h"
#include "lowering/systolic.h"

namespace bitgrid {

/// What is known of a kernel beyond its Dag: the forms that a matrix can take on the grid. Neither: tables and glue.
struct KernelForm {
  std::optional<SystolicForm> serial;
  std::optional<DenseBinaryForm> parallel;
};

struct Lowered {
  Program program;
  std::vector<KernelForm> forms;  // one for each kernel
};

/// Throws Error (layer, what has no mapping, cure). Needs a verified model.
Lowered lower(const Model& model);

}  // namespace bitgrid
