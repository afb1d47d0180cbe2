// What compile and verilog start from: a model, a netlist or a kernel, as a program of kernels.
#pragma once

#include <cstdint>
#include <string>

#include "lowering/lower.h"
#include "lowering/map.h"

namespace bitgrid::cli {

struct Source {
  Lowered lowered;  // a netlist or kernel file: one kernel, no steps
  uint64_t hash = 0;
  bool is_model = false;
  std::string blif;  // the text of a netlist, else empty
};

/// Throws Error as the readers do.
Source read_source(const std::string& path, const LowerParams& params = {});

}  // namespace bitgrid::cli
