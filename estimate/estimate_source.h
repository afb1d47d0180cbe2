// From a file to the kernels of an estimate: a model or a network with weights (exact), or shapes (worst weights).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "estimate/shape_kernels.h"
#include "ir/integer_network.h"
#include "ir/model.h"

namespace bitgrid::estimate {

/// A model with weights, a network or a shapes file, read once for however many estimates.
struct EstimateModel {
  std::string path;
  std::string yaml;
  std::optional<Model> model = {};
  std::optional<IntegerNetwork> network = {};  // neither: shapes
  uint64_t hash = 0;                           // of what was read, weights too
  std::vector<std::string> warnings = {};      // what is odd in it
};
/// Throws Error as read_file, load_model and frontend::onnx::convert do. A shapes file is parsed later: what a sweep replaces may not be
/// right as it stands. `input_grid`: of an ONNX file's input that no quantiser reads (FIRST:STEP:POINTS).
EstimateModel read_estimate_model(const std::string& path, const std::string& input_grid = "");

struct EstimateSource {
  int context = 0;                                                  // > 0: replaces the attention window of the file; implies shapes_only
  bool shapes_only = false;                                         // weights are ignored
  std::vector<std::pair<std::string, std::string>> overrides = {};  // keys of a shapes file and the values that replace its own
  numerics::LowerParams lower = {};                                 // tile and forms, as `compile` takes them
  double defect_rate = 0;                                           // bad cells of a tile, placed at random; needs weights
  uint64_t seed = 1;                                                // for their places
};

struct SourceKernels {
  std::string name;
  bool exact = false;  // sizes and times are those of `compile`
  int context = 0;     // largest attention window; 0: no attention
  std::vector<std::string> assumptions;
  std::vector<KernelFigures> kernels;
  std::vector<std::string> warnings = {};  // anything unusual in the model
};

/// Throws Error as parse_shapes does, if the numbers have no mapping, or if a kernel of a model with weights does not fit the tile. `plans`
/// keeps what later calls may share; its parameters must be those of `source`.
SourceKernels read_kernels(const EstimateModel& model, const EstimateSource& source, ShapePlans* plans = nullptr);

}  // namespace bitgrid::estimate
