// All commands and options of the program.
#pragma once

#include <CLI/CLI.hpp>

namespace bitgrid::cli {

/// Adds description, version and every command. `status` is the program's exit status, set once `app` has parsed its arguments.
void define(CLI::App& app, int& status);

}  // namespace bitgrid::cli
