// The commands that the README shows print what it shows, but for times. "..." stands for any lines.
#include <regex>
#include <sstream>

#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

struct Shown {
  std::string command;             // without the program's name
  std::vector<std::string> lines;  // of its output
};

/// Times vary from run to run.
std::string without_times(const std::string& line) {
  return std::regex_replace(line, std::regex("[0-9.]+ s\\b"), "T s");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(without_times(line));
  return lines;
}

/// The commands of the README that start with "$ bitgrid", in order.
std::vector<Shown> shown_commands(const std::string& text) {
  const std::string prompt = "$ bitgrid ";
  std::vector<Shown> commands;
  bool inside = false;
  for (const std::string& line : lines_of(text)) {
    if (line.rfind(prompt, 0) == 0) {
      commands.push_back({line.substr(prompt.size()), {}});
      inside = true;
    } else if (line.rfind("```", 0) == 0) {
      inside = false;
    } else if (inside) {
      commands.back().lines.push_back(line);
    }
  }
  return commands;
}

/// The first shown line that the output does not have in its place; empty if there is none.
std::string first_missing(const std::vector<std::string>& shown, const std::vector<std::string>& output) {
  size_t at = 0;
  bool skip = false;
  for (const std::string& line : shown) {
    if (line == "...") {
      skip = true;
      continue;
    }
    while (skip && at < output.size() && output[at] != line) ++at;
    if (at == output.size() || output[at] != line) return line;
    ++at;
    skip = false;
  }
  return at == output.size() || skip ? "" : "(more lines: " + output[at] + ")";
}

class Readme : public Cli {
 protected:
  /// Runs the commands for which `wanted` holds from the root of the sources.
  void expect_shown_output(const std::function<bool(const std::string&)>& wanted) {
    for (const Shown& shown : shown_commands(read_file(std::string(BITGRID_SOURCE_DIR) + "/README.md"))) {
      if (!wanted(shown.command)) continue;
      // What a command writes goes into a folder of the test.
      const std::string command = std::regex_replace(shown.command, std::regex("build/demo"), path("demo"));
      const Result r =
          shell("cd " + std::string(BITGRID_SOURCE_DIR) + " && " + std::string(BITGRID_BINARY) + " " + command + " 2>/dev/null");
      const std::string output = std::regex_replace(r.output, std::regex(path("demo")), "build/demo");
      EXPECT_EQ(first_missing(shown.lines, lines_of(output)), "") << shown.command << "\nprints\n" << output;
    }
  }
};

bool uses_verilator(const std::string& command) {
  return command.find("rtl") != std::string::npos;
}

TEST_F(Readme, CommandsPrintWhatItShows) {
  expect_shown_output([](const std::string& command) { return !uses_verilator(command); });
}

TEST_F(Readme, VerilatorsCommandsPrintWhatItShows) {
  expect_shown_output(uses_verilator);
}

TEST(ReadmeCheck, ALineThatIsNotPrintedIsFound) {
  EXPECT_EQ(first_missing({"a", "...", "c"}, {"a", "b", "c"}), "");
  EXPECT_EQ(first_missing({"a", "c"}, {"a", "b", "c"}), "c");
  EXPECT_EQ(first_missing({"a", "...", "d"}, {"a", "b", "c"}), "d");
  EXPECT_EQ(first_missing({"a"}, {"a", "b"}), "(more lines: b)");
  EXPECT_EQ(without_times("lowered in 0.25 s, 3 steps"), "lowered in T s, 3 steps");
}

}  // namespace
}  // namespace bitgrid
