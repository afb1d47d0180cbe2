// Shell completion and the examples under --help, from the commands' definitions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace bitgrid::cli {

std::vector<std::string> command_names(const CLI::App& app);

/// A script for bash that completes commands, options and file names.
std::string bash_completion(const CLI::App& app);

/// `bitgrid completion bash`: prints it.
void add_completion(CLI::App& app);

/// An example under the help text of every command that has none of its own.
void add_examples(CLI::App& app);

}  // namespace bitgrid::cli
