// From a file to the kernels of an estimate: a model with weights (exact), or shapes (worst weights).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/shape_kernels.h"

namespace bitgrid {

struct EstimateSource {
  std::string path;
  int context = 0;                                                  // > 0: the attention window in place of the file's; implies shapes_only
  bool shapes_only = false;                                         // weights are not looked at
  std::vector<std::pair<std::string, std::string>> overrides = {};  // keys of a shapes file and values that replace its own
};

struct SourceKernels {
  std::string name;
  bool exact = false;  // sizes and times are those of `compile`
  int context = 0;     // largest attention window; 0: no attention
  std::vector<std::string> assumptions;
  std::vector<KernelFigures> kernels;
};

/// Throws Error as the readers do, or if the numerics have no mapping.
SourceKernels read_kernels(const EstimateSource& source);

}  // namespace bitgrid
