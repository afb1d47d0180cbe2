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
};

/// Throws Error as the readers do.
Source read_source(const std::string& path);

/// "auto", "wave", "settle". Throws Error listing them.
MapMode parse_mode(const std::string& text);

}  // namespace bitgrid::cli
