// Runs a command that can be stopped by a time limit or because its result is no longer needed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bitgrid::check {

struct CommandResult {
  enum class End : uint8_t { kExit, kSignal, kTimeout, kInterrupted };
  End end = End::kExit;
  int code = 0;        // exit status or number of the signal
  std::string output;  // stdout and stderr in the order they came; at most kMostCommandOutput bytes
};
inline constexpr size_t kMostCommandOutput = size_t{1} << 20;

/// "exit status 1", "signal 11 (Segmentation fault)", "still running after 10 s".
std::string describe(const CommandResult& result, double timeout_seconds);

/// Runs `command` without input, in its own process group. When it ends, when `timeout_seconds` have passed, or when `interrupted` returns
/// true, the rest of the group is killed. Throws Error if there is no such program.
CommandResult run_watched(const std::vector<std::string>& command, double timeout_seconds, const std::function<bool()>& interrupted);

}  // namespace bitgrid::check
