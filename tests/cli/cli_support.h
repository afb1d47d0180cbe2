// Runs the program as its user does, in a folder of its own with a small model.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "ir/file.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/tiny_model.h"

namespace bitgrid {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

struct Result {
  int status = 0;
  std::string output;  // of the program: stdout and stderr
};

/// Status and stdout of a command of the shell.
inline Result shell(const std::string& command) {
  Result result;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe)) result.output.append(buffer.data(), n);
  const int raw = pclose(pipe);
  result.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
  return result;
}

inline bool is_installed(const std::string& program) {
  return shell("command -v " + program + " > /dev/null").status == 0;
}

inline Result bitgrid(const std::string& arguments) {
  return shell(std::string(BITGRID_BINARY) + " " + arguments + " 2>&1");
}

/// Sixteen inputs and four that select one: no array, and too many inputs for a table.
inline std::string multiplexer() {
  std::string inputs = "s0 s1 s2 s3", rows;
  for (unsigned d = 0; d < 16; ++d) inputs += " d" + std::to_string(d);
  for (unsigned d = 0; d < 16; ++d) {
    std::string row;
    for (unsigned s = 0; s < 4; ++s) row += (d >> s) & 1 ? '1' : '0';
    for (unsigned i = 0; i < 16; ++i) row += i == d ? '1' : '-';
    rows += row + " 1\n";
  }
  return ".model multiplexer\n.inputs " + inputs + "\n.outputs y\n.names " + inputs + " y\n" + rows + ".end\n";
}

class Cli : public testing::Test {
 protected:
  void SetUp() override { model_ = write_model(tiny_model(), dir_ + "/model"); }

  std::string path(const std::string& name) const { return dir_ + "/" + name; }
  /// A file that settle mode places and routes.
  std::string netlist() const {
    write_file(path("mux.blif"), multiplexer());
    return path("mux.blif");
  }
  json json_of(const std::string& name) const { return json::parse(read_file(path(name))); }

  const test::ScratchFolder scratch_;
  const std::string dir_ = scratch_.path().string();
  std::string model_;
};

}  // namespace bitgrid
