// All commands and options of the program.
#pragma once

#include <CLI/CLI.hpp>

namespace bitgrid::cli {

/// Description, version and every command. `status`: what the program is to end with, once `app` has parsed its arguments.
void define(CLI::App& app, int& status);

}  // namespace bitgrid::cli
