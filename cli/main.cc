// The bitgrid program: one command line over the folders' functions.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/completion.h"

int main(int argc, char** argv) {
  CLI::App app;
  int status = 0;
  bitgrid::cli::define(app, status);
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
