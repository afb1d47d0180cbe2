// The bitgrid program: one command line over the folders' functions.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/common.h"
#include "cli/completion.h"

int main(int argc, char** argv) {
  CLI::App app(
      "bitgrid: compiles 1-bit transformers and any acyclic logic onto a grid of LUT cells that talk only to their neighbours,\n"
      "simulates the grid, writes Verilog, and proves every result bit for bit against a reference CPU engine.");
  app.set_version_flag("--version", BITGRID_VERSION);
  app.require_subcommand(1);
  int status = 0;
  bitgrid::cli::add_run(app, status);
  bitgrid::cli::add_check(app, status);
  bitgrid::cli::add_compile(app, status);
  bitgrid::cli::add_simulate(app, status);
  bitgrid::cli::add_faults(app, status);
  bitgrid::cli::add_verilog(app, status);
  bitgrid::cli::add_picture(app, status);
  bitgrid::cli::add_estimate(app, status);
  bitgrid::cli::add_sweep(app, status);
  bitgrid::cli::add_report(app, status);
  bitgrid::cli::add_completion(app);
  bitgrid::cli::add_examples(app);
  const std::vector<std::string> known = bitgrid::cli::command_names(app);
  if (argc > 1 && argv[1][0] != '-' && std::find(known.begin(), known.end(), argv[1]) == known.end()) {
    std::fprintf(stderr, "bitgrid: there is no command '%s'; the commands are %s\n", argv[1], CLI::detail::join(known, ", ").c_str());
    return 1;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e);
  } catch (const std::exception& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "bitgrid: %s\n", e.what());
    return 1;
  }
  return status;
}
