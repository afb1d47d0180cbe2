// bitgrid check, for models with scales.
#pragma once

#include <string>

#include "cli/common.h"
#include "cli/model_options.h"

namespace bitgrid::cli {

struct ScaledCheckOptions {
  Common common;
  std::string model, engines;      // empty: float,cpu with a text, otherwise cpu
  std::string text;                // file; empty: the prompt and what engine cpu generates
  std::string prompt, prompt_ids;  // one of them, or none
  int tokens = 16;                 // positions without a text
  ModelOptions scales;
};

/// Returns the program's exit status: 1 if integers differ.
int check_scaled_model(const ScaledCheckOptions& options);

}  // namespace bitgrid::cli
