#include "engines/artefacts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <set>

#include "ir/file.h"
#include "tests/support/errors.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::check {
namespace {

TEST(FileNames, AreTheKernelsWhereThatIsPossible) {
  const std::vector<std::string> names = {"head", "layers.0.mix.head0", "a..b", "Up"};
  EXPECT_EQ(engines::file_names(names), names);
}

TEST(FileNames, AreShortPlainAndDifferentOnEveryFileSystem) {
  const std::string longest(300, 'm');
  const std::vector<std::string> kernels = {"up", "Up", "UP", "a/b", "a_b", "a b", "", ".", "..", longest + "1", longest + "2", "up", "up"};
  const std::vector<std::string> names = engines::file_names(kernels);
  EXPECT_EQ(names[0], "up");
  std::set<std::string> small;
  for (std::string name : names) {
    EXPECT_THAT(name, testing::MatchesRegex("[A-Za-z0-9_-][A-Za-z0-9._-]{0,220}"));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_TRUE(small.insert(name).second) << name;
  }
  EXPECT_EQ(engines::file_names(kernels), names);
}

/// What a reader says of a manifest in which `from` became `to`.
std::string objection(const std::string& from, const std::string& to) {
  const test::ScratchFolder folder;
  std::string text =
      R"({"format": "bitgrid-compiled-1", "source": "s", "source_hash": "1", "seed": 7, "optimize": "area", "tile": {"width": 1, "height": 2},
 "kernels": [{"name": "a", "file": "kernels/a", "content": "1", "luts": 3, "depth": 2}, {"name": "b", "file": "kernels/b", "content": "1"}]})";
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  write_file(folder.file("compile.json"), text.replace(at, from.size(), to));
  const std::string message = test::error_of([&] { return engines::read_compiled(folder.path().string()); });
  return message.substr(std::min(message.size(), folder.path().string().size() + 1));
}

TEST(Manifest, IsReadStrictly) {
  const std::string cure = "; make the folder again";
  EXPECT_EQ(objection("7", "7.5"), "compile.json: \"seed\" is not an integer from 0 to 18446744073709551615" + cure);
  EXPECT_EQ(objection("7", "true"), "compile.json: \"seed\" is not an integer from 0 to 18446744073709551615" + cure);
  EXPECT_EQ(objection("\"width\": 1", "\"width\": -1"), "compile.json: \"tile.width\" is not an integer from 0 to 2147483647" + cure);
  EXPECT_EQ(objection("\"luts\": 3", "\"luts\": -3"), "compile.json: \"luts\" is not an integer from 0 to 18446744073709551615" + cure);
  EXPECT_EQ(objection("\"depth\": 2", "\"depth\": 1e9"), "compile.json: \"depth\" is not an integer from 0 to 2147483647" + cure);
  EXPECT_EQ(objection("\"b\"", "\"a\""), "compile.json: kernel a is listed twice" + cure);
  EXPECT_EQ(objection("\"source_hash\": \"1\"", "\"source_hash\": \"x\""), "compile.json: a hash is not a hexadecimal number" + cure);
}

}  // namespace
}  // namespace bitgrid::check
