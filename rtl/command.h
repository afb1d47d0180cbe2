// Runs a program and writes its output to a file.
#pragma once

#include <string>
#include <vector>

namespace bitgrid::rtl {

/// Appends stdout and stderr to `log`. Returns the exit status, 127 if there is no such program, or 128 + n if signal n ended it. It runs
/// in `folder`; empty: in the current one.
int run_command(const std::vector<std::string>& command, const std::string& log, const std::string& folder = "");

}  // namespace bitgrid::rtl
