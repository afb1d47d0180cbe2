// `bitgrid check --against`: arrays of somebody else's kernel beside exact integers.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/common.h"
#include "cli/network.h"

namespace bitgrid::cli {

struct AgainstCommand {
  Common common;
  std::string model, file;
  NetworkOptions network;           // of an ONNX file
  int threads = 1;                  // likewise
  std::string prompt, temperature;  // of a model
  int tokens = 16;
};

/// The exit status: 1 where an array differs.
int check_against(const AgainstCommand& o);

}  // namespace bitgrid::cli
