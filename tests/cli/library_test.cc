// cmake --install, and a program outside of the repository on the installed package.
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

class Installed : public Cli {
 protected:
  Result run(const std::string& command) const {
    const int status = std::system((command + " > " + path("log") + " 2>&1").c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(path("log"))};
  }
};

TEST_F(Installed, LibraryExampleBuildsAndRuns) {
  const std::string prefix = path("prefix"), build = path("example");
  Result r = run("cmake --install " + std::string(BITGRID_BUILD_DIR) + " --prefix " + prefix);
  ASSERT_EQ(r.status, 0) << r.output;
  r = run("cmake -S " + std::string(BITGRID_SOURCE_DIR) + "/examples/library -B " + build + " -DCMAKE_PREFIX_PATH=" + prefix);
  ASSERT_EQ(r.status, 0) << r.output;
  r = run("cmake --build " + build);
  ASSERT_EQ(r.status, 0) << r.output;
  r = run(build + "/neuron");
  ASSERT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("latency"));
  EXPECT_THAT(r.output, HasSubstr("; as the Dag says"));
  r = run(prefix + "/bin/bitgrid --version");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(r.output, HasSubstr("optional parts:\n  SystemC platform "));
  const std::string man = read_file(prefix + "/share/man/man1/bitgrid.1");
  EXPECT_THAT(man, HasSubstr(".SH COMPILE\n"));
  EXPECT_THAT(man, HasSubstr("\\-\\-optimize"));
  EXPECT_EQ(read_file(prefix + "/share/bash-completion/completions/bitgrid"), bitgrid("completion bash").output);
  // Headers come from the prefix alone: the package names no folder of this repository.
  for (const auto& entry : fs::recursive_directory_iterator(prefix)) {
    if (entry.path().extension() != ".cmake") continue;
    EXPECT_THAT(read_file(entry.path().string()), testing::Not(HasSubstr(BITGRID_SOURCE_DIR)));
  }
}

}  // namespace
}  // namespace bitgrid
