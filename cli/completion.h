// Shell completion, made from the commands' definitions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace bitgrid::cli {

std::vector<std::string> command_names(const CLI::App& app);

/// Returns a script for bash that completes commands, options and file names.
std::string bash_completion(const CLI::App& app);

}  // namespace bitgrid::cli
