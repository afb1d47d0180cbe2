// What compile and verilog start from: a model, a netlist or a kernel, as a program of kernels.
#pragma once

#include <cstdint>
#include <string>

#include "ir/model.h"
#include "lowering/mapping/map.h"
#include "lowering/numerics/lower.h"

namespace bitgrid::cli {

struct Source {
  Program program;  // a netlist or kernel file: one kernel, no steps
  uint64_t hash = 0;
  bool is_model = false;
  std::string blif;  // the text of a netlist that every reader of BLIF understands, else empty
};

/// Reads a model; what is odd in it is said on stderr.
Model read_model(const std::string& path);

/// Throws Error as the readers do.
Source read_source(const std::string& path, const numerics::LowerParams& params = {});

}  // namespace bitgrid::cli
