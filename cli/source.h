// The input of compile and verilog, by the options of a command: a model, a netlist or a kernel, as a program of kernels.
#pragma once

#include <string>

#include "cli/model_options.h"
#include "engines/kernel_source.h"
#include "ir/model.h"
#include "lowering/numerics/lower.h"

namespace bitgrid::cli {

/// Reads a model. Anything unusual in it is reported on stderr.
Model read_model(const std::string& path);

inline constexpr const char* kInputGridHelp = "ONNX files whose input no quantiser reads: FIRST:STEP:POINTS, the values that it takes";

struct SourceParams {
  numerics::LowerParams lowering = {};
  std::string grid = {};     // of an ONNX file's input that no quantiser reads, as --input-grid states it
  ModelOptions scales = {};  // of models with scales
};

/// Throws Error as the readers do.
engines::KernelSource read_source(const std::string& path, const SourceParams& params = {});

}  // namespace bitgrid::cli
