// The structure of the source: arrows between folders, circles, names.
#include <gmock/gmock.h>

#include <filesystem>
#include <regex>

#include "engines/engines.h"
#include "ir/file.h"
#include "tests/structure/source_scan.h"

namespace bitgrid::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Sources& product() {
  static const Sources sources = product_sources(BITGRID_SOURCE_DIR);
  return sources;
}

/// What docs/architecture.md draws. Every folder may include itself.
const Arrows kArrows = {
    {"ir", {}},
    {"frontend", {"ir"}},
    {"reference_cpu", {"ir"}},
    {"rtl", {"ir"}},
    {"bitgrid_sim", {"ir", "frontend"}},
    {"bitgrid_sim/systemc", {"ir", "bitgrid_sim"}},
    {"lowering/synthesis", {"ir"}},
    {"lowering/mapping", {"ir", "lowering/synthesis"}},
    {"lowering/numerics", {"ir", "lowering/mapping"}},
    {"lowering/scales", {"ir", "lowering/mapping", "lowering/numerics"}},
    {"lowering/networks", {"ir", "lowering/mapping", "lowering/numerics"}},
    {"engines",
     {"ir", "frontend", "bitgrid_sim", "bitgrid_sim/systemc", "rtl", "reference_cpu", "lowering/synthesis", "lowering/mapping",
      "lowering/numerics", "lowering/scales", "lowering/networks"}},
    {"check",
     {"ir", "frontend", "bitgrid_sim", "rtl", "reference_cpu", "lowering/synthesis", "lowering/mapping", "lowering/numerics", "engines"}},
    {"estimate", {"ir", "frontend", "lowering/mapping", "lowering/numerics", "lowering/networks"}},
    {"report", {"ir", "estimate"}},
    {"python",
     {"ir", "frontend", "bitgrid_sim", "lowering/mapping", "lowering/numerics", "lowering/networks", "engines", "check", "estimate",
      "report"}},
    {"cli",
     {"ir", "frontend", "bitgrid_sim", "bitgrid_sim/systemc", "rtl", "reference_cpu", "lowering/synthesis", "lowering/mapping",
      "lowering/numerics", "lowering/networks", "engines", "check", "estimate", "report"}},
};

TEST(Structure, IncludesFollowTheArrows) {
  EXPECT_THAT(includes_against(kArrows, product()), IsEmpty());
}

TEST(Structure, ThereIsNoCircleOfIncludes) {
  EXPECT_THAT(include_circle(product()), IsEmpty());
}

TEST(Structure, NoTwoTypesHaveOneName) {
  EXPECT_THAT(types_defined_twice(product()), IsEmpty());
}

/// "ir/a.h cites docs/b.md" for every page that is not there.
std::vector<std::string> missing_pages(const Sources& sources) {
  std::vector<std::string> missing;
  const std::regex page(R"(([A-Za-z_-]+)\.md\b|\bDESIGN section)");
  for (const auto& [path, text] : sources) {
    for (std::sregex_iterator it(text.begin(), text.end(), page), end; it != end; ++it) {
      const std::string name = (*it)[1].matched ? it->str() : "DESIGN.md";
      const std::filesystem::path root = BITGRID_SOURCE_DIR;
      if (!std::filesystem::exists(root / "docs" / name) && !std::filesystem::exists(root / name))
        missing.push_back(path + " cites " + name);
    }
  }
  return missing;
}

TEST(Structure, CommentsCitePagesOfTheRepository) {
  EXPECT_THAT(missing_pages(product()), IsEmpty());
}

TEST(StructureCheck, AMissingPageIsFound) {
  EXPECT_THAT(missing_pages({{"a.h", "// see docs/dag.md, docs/none.md and DESIGN section 3\n"}}),
              ElementsAre("a.h cites none.md", "a.h cites DESIGN.md"));
}

/// "docs/a.md cites ir/b.h" for every file of the sources that is not there: paths in backticks that begin with a folder of the product.
std::vector<std::string> missing_files(const std::string& page, const std::string& text) {
  std::vector<std::string> missing;
  const std::regex path("`([a-z_]+/[a-z0-9_/]*\\.(?:h|cc|py|cmake))`");
  for (std::sregex_iterator it(text.begin(), text.end(), path), end; it != end; ++it) {
    const std::filesystem::path cited = std::filesystem::path(BITGRID_SOURCE_DIR) / (*it)[1].str();
    if (std::filesystem::exists(std::filesystem::path(BITGRID_SOURCE_DIR) / (*it)[1].str().substr(0, (*it)[1].str().find('/'))) &&
        !std::filesystem::exists(cited))
      missing.push_back(page + " cites " + (*it)[1].str());
  }
  return missing;
}

TEST(Structure, PagesCiteFilesOfTheRepository) {
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(BITGRID_SOURCE_DIR) / "docs")) {
    if (entry.path().extension() != ".md") continue;
    EXPECT_THAT(missing_files(entry.path().filename().string(), read_file(entry.path().string())), IsEmpty());
  }
}

TEST(StructureCheck, AMissingFileIsFound) {
  EXPECT_THAT(missing_files("a.md", "see `ir/dag.h`, `ir/none.h` and `other/none.h`"), ElementsAre("a.md cites ir/none.h"));
}

/// An operation that only its meaning knows: what another one would cost.
TEST(Structure, AnOperationIsNamedInThreeFiles) {
  std::vector<std::string> files;
  for (const auto& [path, text] : product())
    if (text.find("kXnor") != std::string::npos) files.push_back(path);
  EXPECT_THAT(files, ElementsAre("ir/dag.cc", "ir/dag.h", "lowering/synthesis/bit_blast.cc"));
}

/// "cli/a.cc: name == \"cpu\"" for every comparison with the name of an engine in the folders above the table of engines.
std::vector<std::string> comparisons_with_engines(const Sources& sources) {
  std::string names;
  for (const engines::Engine& engine : engines::engines()) names += (names.empty() ? "" : "|") + engine.name;
  const std::regex comparison("(?:engine|name)\\)* *[!=]= *\"(?:" + names + ")\"");
  std::vector<std::string> found;
  for (const auto& [path, text] : sources) {
    if (!path.starts_with("cli/") && !path.starts_with("check/")) continue;
    for (std::sregex_iterator it(text.begin(), text.end(), comparison), end; it != end; ++it) found.push_back(path + ": " + it->str());
  }
  return found;
}

TEST(Structure, NoCommandAsksForAnEngineByName) {
  EXPECT_THAT(comparisons_with_engines(product()), IsEmpty());
}

TEST(StructureCheck, AComparisonWithAnEnginesNameIsFound) {
  const Sources sources = {{"cli/a.cc", "if (e->name == \"cpu\" || o.engine != \"systemc\" || style == \"fabric\") f();"},
                           {"engines/b.cc", "name == \"cpu\""}};
  EXPECT_THAT(comparisons_with_engines(sources), ElementsAre("cli/a.cc: name == \"cpu\"", "cli/a.cc: engine != \"systemc\""));
}

TEST(StructureCheck, AnArrowUpIsFound) {
  const Sources sources = {{"ir/a.h", "#include \"cli/b.h\"\n"}, {"cli/b.h", ""}, {"else/c.h", ""}};
  EXPECT_THAT(includes_against(kArrows, sources), ElementsAre("else/c.h lies in no known folder", "ir/a.h includes cli/b.h"));
}

TEST(StructureCheck, ACircleIsFound) {
  const Sources sources = {{"a.h", "#include \"b.h\"\n"}, {"b.h", "#include \"c.h\"\n"}, {"c.h", "#include \"b.h\"\n"}};
  EXPECT_THAT(include_circle(sources), ElementsAre("b.h", "c.h", "b.h"));
}

TEST(StructureCheck, TwoTypesOfOneNameAreFound) {
  const Sources sources = {{"one.h", "namespace bitgrid { template <typename T> struct Live { int a; }; enum class E : int { k }; }"},
                           {"two.cc", "namespace bitgrid {\n// comment {\nclass Live final : Base { };\nstruct Forward; }"}};
  EXPECT_THAT(types_defined_twice(sources), ElementsAre("bitgrid::Live: one.h and two.cc"));
}

TEST(StructureCheck, UnnamedNamespacesFunctionsAndOtherTypesHideTheirTypes) {
  const std::string text =
      "namespace bitgrid::sim { namespace { struct A {}; } struct B { struct C {}; };\n"
      "struct D* f(int x) { struct E {}; const char* s = \"struct F {\"; return 1'000; } }";
  EXPECT_THAT(types_of(text), ElementsAre("bitgrid::sim::B"));
}

}  // namespace
}  // namespace bitgrid::test
