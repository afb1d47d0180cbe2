// The hash that the build makes of the code: of a small tree in place of this one.
#include "ir/code_version.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "ir/file.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid {
namespace {

namespace fs = std::filesystem;

class CodeVersion : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* folder : {"ir", "report/deeper", "cli", "arch"}) fs::create_directories(dir_ / folder);
    for (const char* file : {"ir/a.h", "report/deeper/b.cc", "cli/c.cc", "arch/d.yaml"}) write_file(dir_ / file, "1");
  }
  std::string version(const std::string& tools = "g++ 12") const {
    const std::string out = (dir_ / "out.h").string();
    const std::string command = "cmake -D SOURCE=" + dir_.string() + " -D 'TOOLS=" + tools + "' -D OUT=" + out + " -P " +
                                BITGRID_SOURCE_DIR + "/cmake/code_version.cmake";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return read_file(out);
  }

  const test::ScratchFolder scratch_;
  const fs::path dir_ = scratch_.path();
};

TEST_F(CodeVersion, ChangesWithEveryFileThatDecidesAResultAndWithTheTools) {
  std::set<std::string> versions = {version(), version("g++ 13")};
  for (const char* file : {"ir/a.h", "report/deeper/b.cc", "arch/d.yaml"}) {
    write_file(dir_ / file, "2");
    versions.insert(version());
  }
  fs::rename(dir_ / "ir/a.h", dir_ / "ir/e.h");
  versions.insert(version());
  EXPECT_EQ(versions.size(), 6U);
}

TEST_F(CodeVersion, StaysWhereNothingThatDecidesAResultChanges) {
  const std::string before = version();
  write_file(dir_ / "cli/c.cc", "2");
  EXPECT_EQ(version(), before);
}

TEST(CodeVersionOfTheProgram, IsAHash) {
  EXPECT_EQ(code_version().size(), 64U);
}

}  // namespace
}  // namespace bitgrid
