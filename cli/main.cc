// The bitgrid program: one command line over the folders' functions.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "cli/common.h"

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
  bitgrid::cli::add_verilog(app, status);
  bitgrid::cli::add_picture(app, status);
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
