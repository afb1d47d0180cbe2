// The table of commands. A new command is a file with its define function, and a row here.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace bitgrid::cli {

struct Command {
  std::string name;
  std::string purpose;  // a line of help
  std::string example;  // shown below its help
  /// Gives the command its options, and its action in CLI11's callback, which sets `status` if the exit status is not 0.
  void (*define)(CLI::App& command, int& status);
};
const std::vector<Command>& commands();

void define_run(CLI::App& command, int& status);
void define_evaluate(CLI::App& command, int& status);
void define_inspect(CLI::App& command, int& status);
void define_import(CLI::App& command, int& status);
void define_random_model(CLI::App& command, int& status);
void define_check(CLI::App& command, int& status);
void define_compile(CLI::App& command, int& status);
void define_simulate(CLI::App& command, int& status);
void define_faults(CLI::App& command, int& status);
void define_verilog(CLI::App& command, int& status);
void define_picture(CLI::App& command, int& status);
void define_estimate(CLI::App& command, int& status);
void define_sweep(CLI::App& command, int& status);
void define_report(CLI::App& command, int& status);
void define_reduce(CLI::App& command, int& status);
void define_completion(CLI::App& command, int& status);

}  // namespace bitgrid::cli
