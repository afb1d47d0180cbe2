// The input of compile and verilog: a model, a netlist or a kernel, as a program of kernels.
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
  std::string blif;  // the text of a netlist that every BLIF reader understands, otherwise empty
};

/// Reads a model. Anything unusual in it is reported on stderr.
Model read_model(const std::string& path);

inline constexpr const char* kInputGridHelp = "ONNX files whose input no quantiser reads: FIRST:STEP:POINTS, the values that it takes";

/// Throws Error as the readers do. `grid` is for an ONNX file's input that no quantiser reads, as --input-grid states it.
Source read_source(const std::string& path, const numerics::LowerParams& params = {}, const std::string& grid = "");

}  // namespace bitgrid::cli
