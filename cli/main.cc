// The bitgrid program: one command line over the folders' functions.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/completion.h"
#include "ir/text.h"

int main(int argc, char** argv) {
  CLI::App app;
  int status = 0;
  bitgrid::cli::define(app, status);
  const std::vector<std::string> known = bitgrid::cli::command_names(app);
  if (argc > 1 && argv[1][0] != '-' && std::find(known.begin(), known.end(), argv[1]) == known.end()) {
    bitgrid::cli::say_error(std::string("there is no command '") + argv[1] + "'; the commands are " + CLI::detail::join(known, ", "));
    return 1;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::ostringstream out, err;
    const int code = app.exit(e, out, err);
    std::fputs(out.str().c_str(), stdout);
    std::fputs(bitgrid::printable(err.str()).c_str(), stderr);
    return code;
  } catch (const std::exception& e) {
    std::fflush(stdout);
    bitgrid::cli::say_error(e.what());
    return 1;
  }
  return status;
}
