// Options of all commands that run a model with scales.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/common.h"
#include "engines/engines.h"
#include "engines/open_model.h"
#include "ir/scaled_model.h"

namespace bitgrid::cli {

struct ModelOptions {
  std::string kv;  // as parse_cache_forms reads it
  std::string i2s_layout, activation;
  std::string dataflow;  // as parse_dataflow reads it
  int context = 0;       // 0: the model's
  int threads = all_threads();
};

/// Adds --i2s-layout and --activation, which say how to read a checkpoint.
void add_reading_options(CLI::App& command, ModelOptions& options);
/// The same, --kv, --dataflow and --context: what a Program of such a model depends on.
void add_lowering_options(CLI::App& command, ModelOptions& options);
/// The same and --threads.
void add_model_options(CLI::App& command, ModelOptions& options);

/// Why a model with scales takes no architecture file.
inline constexpr const char* kNoTiles = "models with scales are not cut into tiles yet";

/// Throws Error if one of --i2s-layout, --activation and --kv is given. For models that do not use them.
void refuse_model_options(const ModelOptions& options);

/// Returns --dataflow for engines that run a model with scales. Throws Error if it is unknown, or if it is given and none of them runs
/// kernels.
scales::Dataflow dataflow_of(const ModelOptions& options, const std::vector<const engines::Engine*>& engines);

/// Throws Error for an unknown value.
engines::OpenParams open_params(const ModelOptions& options, Progress& progress);

}  // namespace bitgrid::cli
