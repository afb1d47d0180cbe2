// --help of every command, and the completion that is made of the same definitions.
#include <set>
#include <sstream>

#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

std::vector<std::string> commands() {
  const std::string help = bitgrid("--help").output;
  std::istringstream lines(help.substr(help.find("Subcommands:")));
  std::vector<std::string> names;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    if (line.size() > 3 && line[2] != ' ') names.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return names;
}

/// Option names that a help text lists.
std::set<std::string> options(const std::string& help) {
  std::istringstream lines(help);
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("  -", 0) != 0) continue;
    std::istringstream list(line.substr(2, line.find(' ', 2) - 2));
    for (std::string name; std::getline(list, name, ',');) names.insert(name);
  }
  return names;
}

/// What bash offers for the last of `words`.
std::string offers(const std::string& script, const std::string& words, int last) {
  const std::string command = "bash -c 'source " + script + "; COMP_WORDS=(" + words + "); COMP_CWORD=" + std::to_string(last) +
                              "; _bitgrid; echo \" ${COMPREPLY[*]} \"'";
  return shell(command).output;
}

TEST(Help, EveryCommandHasAnExampleAndEveryOptionAText) {
  EXPECT_GE(commands().size(), 11U);
  for (const std::string& command : commands()) {
    const Result r = bitgrid(command + " --help");
    EXPECT_EQ(r.status, 0) << command;
    EXPECT_THAT(r.output, testing::ContainsRegex("Examples?: ")) << command;
    EXPECT_THAT(r.output, HasSubstr("bitgrid " + command)) << command;
    std::istringstream lines(r.output);
    std::string before;
    for (std::string line; std::getline(lines, line); before = line) {  // a text stands beside the name, or on the next line
      const bool needs_text = before.rfind("  -", 0) == 0 && before.find("  ", 3) == std::string::npos;
      EXPECT_TRUE(!needs_text || line.rfind("      ", 0) == 0) << command << ": no text for " << before;
    }
  }
}

TEST_F(Cli, CompletionOffersEveryCommandAndOption) {
  const Result script = bitgrid("completion bash");
  ASSERT_EQ(script.status, 0);
  write_file(path("completion"), script.output);
  for (const std::string& command : commands()) {
    EXPECT_THAT(offers(path("completion"), "bitgrid " + command, 1), HasSubstr(" " + command + " "));
    const std::string offered = offers(path("completion"), "bitgrid " + command + " -", 2);
    for (const std::string& option : options(bitgrid(command + " --help").output))
      EXPECT_THAT(offered, HasSubstr(" " + option + " ")) << command;
  }
  EXPECT_EQ(offers(path("completion"), "bitgrid comple", 1), " completion \n");
  EXPECT_THAT(offers(path("completion"), "bitgrid compile " + path("compl"), 2), HasSubstr(path("completion")));
}

TEST(Help, OtherShellsAreRefused) {
  const Result r = bitgrid("completion fish");
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("there is no completion for 'fish'; use bash"));
}

TEST_F(Cli, PictureOfADagIsAGraph) {
  write_file(path("k.dag"), "dag k\ninput x 4\nc:3 = popcount x\noutput y c\n");
  Result r = bitgrid("picture " + path("k.dag") + " -o " + path("k.dot") + " --json " + path("p.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  EXPECT_THAT(read_file(path("k.dot")), HasSubstr("digraph"));
  EXPECT_THAT(read_file(path("k.dot")), HasSubstr("popcount"));
  EXPECT_EQ(json_of("p.json")["format"], "dot");
  r = bitgrid("picture " + path("k.dag") + " --format svg -o " + path("k.svg"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("a floorplan needs a mapped kernel; compile it and give the folder"));
  r = bitgrid("picture " + model_ + " -o " + path("k.dot"));
  EXPECT_THAT(r.output, HasSubstr("there are several kernels; choose one of "));
  EXPECT_EQ(bitgrid("picture " + model_ + " --kernel head -o " + path("head.dot")).status, 0);
}

}  // namespace
}  // namespace bitgrid
