#include "check/artefacts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <set>

namespace bitgrid {
namespace {

TEST(FileNames, AreTheKernelsWhereThatIsPossible) {
  const std::vector<std::string> names = {"head", "layers.0.mix.head0", "a..b", "Up"};
  EXPECT_EQ(file_names(names), names);
}

TEST(FileNames, AreShortPlainAndDifferentOnEveryFileSystem) {
  const std::string longest(300, 'm');
  const std::vector<std::string> kernels = {"up", "Up", "UP", "a/b", "a_b", "a b", "", ".", "..", longest + "1", longest + "2", "up", "up"};
  const std::vector<std::string> names = file_names(kernels);
  EXPECT_EQ(names[0], "up");
  std::set<std::string> small;
  for (std::string name : names) {
    EXPECT_THAT(name, testing::MatchesRegex("[A-Za-z0-9_-][A-Za-z0-9._-]{0,220}"));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_TRUE(small.insert(name).second) << name;
  }
  EXPECT_EQ(file_names(kernels), names);
}

}  // namespace
}  // namespace bitgrid
