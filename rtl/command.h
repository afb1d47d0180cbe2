// Runs a program with its output in a file.
#pragma once

#include <string>
#include <vector>

namespace bitgrid::rtl {

/// Appends stdout and stderr to `log`; returns the exit status, 127 if there is no such program, 128 + n if signal n ended it. `folder`:
/// where it runs; empty: here.
int run_command(const std::vector<std::string>& command, const std::string& log, const std::string& folder = "");

}  // namespace bitgrid::rtl
