// Runs every file of every corpus through its target, without libFuzzer: what once was found stays mended.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "ir/file.h"
#include "tests/fuzz/targets.h"

namespace bitgrid {
namespace {

struct Target {
  std::string name;
  void (*run)(std::string_view);
  friend void PrintTo(const Target& t, std::ostream* out) { *out << t.name; }
};

const std::vector<Target>& targets() {
  static const std::vector<Target> all = {
#define TARGET(source, name) {#name, fuzz::name},
#include "tests/fuzz/targets.inc"
#undef TARGET
  };
  return all;
}

class Corpus : public testing::TestWithParam<Target> {};

TEST_P(Corpus, HoldsNoFault) {
  const std::filesystem::path folder = std::filesystem::path(BITGRID_SOURCE_DIR) / "tests/fuzz/corpus" / GetParam().name;
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) files.push_back(file.path());
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty()) << folder;
  for (const auto& file : files) {
    SCOPED_TRACE(file.string());
    EXPECT_NO_THROW(GetParam().run(read_file(file.string())));
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, testing::ValuesIn(targets()), testing::PrintToStringParamName());

}  // namespace
}  // namespace bitgrid
