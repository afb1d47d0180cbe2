// The bitgrid program: one command line over the folders' functions.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/common.h"
#include "cli/completion.h"
#include "cli/standard_output.h"
#include "ir/error.h"
#include "ir/text.h"

namespace {

int run(int argc, char** argv) {
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
    std::cout << out.str();
    std::fputs(bitgrid::printable(err.str()).c_str(), stderr);
    return code;
  }
  return status;
}

/// What was printed before an error comes before its message, if it can be printed.
void flush_before_message() {
  try {
    std::cout.flush();
  } catch (const std::exception&) {
  }
}

int fail(const std::string& message) {
  flush_before_message();
  bitgrid::cli::say_error(message);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  bitgrid::cli::StandardOutput output;
  try {
    const int status = run(argc, argv);
    output.finish();
    return status;
  } catch (const bitgrid::cli::ClosedPipe&) {
    bitgrid::cli::end_by_closed_pipe();
  } catch (const std::filesystem::filesystem_error& e) {
    return fail(bitgrid::Error(e.path1().string(), e.code().message(), "check the path and its permissions").what());
  } catch (const std::bad_alloc&) {
    return fail("there is not enough memory; free some, or give a smaller task");
  } catch (const std::exception& e) {
    return fail(e.what());
  }
}
