// Networks of ONNX files in the commands run, check and inspect.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/common.h"

namespace bitgrid::cli {

struct NetworkOptions {
  std::string input, output, grid;
};

/// --input and --input-grid; with `output` also --output.
void add_network_options(CLI::App& command, NetworkOptions& options, bool output);
/// Throws Error if one of them is given: for models that have no use for them.
void refuse_network_options(const NetworkOptions& options);

struct NetworkCommand {
  Common common;
  std::string model, engine, optimize = "area";  // engine: of run; a list of check
  NetworkOptions options;
  int threads = 1;
};

void run_network_model(const NetworkCommand& o);
/// The exit status.
int check_network_model(const NetworkCommand& o);
void inspect_network_model(const NetworkCommand& o);

}  // namespace bitgrid::cli
