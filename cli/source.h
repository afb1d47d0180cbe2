// The input of compile and verilog: a model, a netlist or a kernel, as a program of kernels.
#pragma once

#include <cstdint>
#include <string>

#include "cli/model_options.h"
#include "ir/model.h"
#include "lowering/mapping/map.h"
#include "lowering/numerics/lower.h"

namespace bitgrid::cli {

struct Source {
  Program program;    // a netlist or kernel file: one kernel, no steps
  uint64_t hash = 0;  // of models with scales: of their kernels, which hold no weights where these stream
  bool is_model = false;
  bool is_scaled = false;
  std::string blif;  // the text of a netlist that every reader of BLIF understands, else empty
};

/// Reads a model. Anything unusual in it is reported on stderr.
Model read_model(const std::string& path);

inline constexpr const char* kInputGridHelp = "ONNX files whose input no quantiser reads: FIRST:STEP:POINTS, the values that it takes";

struct SourceParams {
  numerics::LowerParams lowering = {};
  std::string grid = {};     // of an ONNX file's input that no quantiser reads, as --input-grid states it
  ModelOptions scales = {};  // of models with scales
};

/// Throws Error as the readers do.
Source read_source(const std::string& path, const SourceParams& params = {});

}  // namespace bitgrid::cli
