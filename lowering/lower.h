// Model -> Program: every layer as kernels (Dags), with the structure that the systolic mapper uses.
#pragma once

#include <variant>
#include <vector>

#include "ir/model.h"
#include "ir/program.h"
#include "lowering/systolic.h"

namespace bitgrid {

/// What a kernel is beyond its Dag: a matrix, or nothing known (tables and glue).
using KernelForm = std::variant<std::monostate, SystolicForm>;

struct Lowered {
  Program program;
  std::vector<KernelForm> forms;  // one for each kernel
};

/// Throws Error (layer, what has no mapping, cure). Needs a verified model.
Lowered lower(const Model& model);

}  // namespace bitgrid
