// Numbers of options, of all commands: found from the definitions, tried as someone would type them.
#include "cli/numbers.h"

#include "cli/app.h"
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

bool is_number(const CLI::Option& option) {
  return option.get_type_name().find(cli::kRangeDots) != std::string::npos;
}

/// Calls body(command, option) for all options of all commands.
template <typename Body>
void for_options(Body body) {
  CLI::App app;
  int status = 0;
  cli::define(app, status);
  for (const CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    for (const CLI::Option* option : command->get_options()) body(command->get_name(), *option);
  }
}

/// What parsing says: the message of an Error, or "".
std::string objection(std::vector<std::string> arguments) {
  CLI::App app;
  int status = 0;
  cli::define(app, status);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(arguments);
  } catch (const Error& e) {
    return e.what();
  } catch (const CLI::ParseError& e) {
    return std::string("CLI11: ") + e.what();
  }
  return "";
}

TEST(Numbers, EveryOptionRefusesWhatIsNoneByNameAndRange) {
  size_t tried = 0;
  for_options([&](const std::string& command, const CLI::Option& option) {
    if (!is_number(option)) return;
    const std::string range = option.get_type_name();
    const size_t dots = range.find(cli::kRangeDots);
    const std::string least = range.substr(0, dots), most = range.substr(dots + cli::kRangeDots.size());
    for (const std::string bad : {"-1", "1e20", "1e0", "010", "0x10", "99999999999999999999", "18446744073709551617", "+1", "1.5", "1k",
                                  "1,2", "abc", " 1", "--1", "inf"}) {
      const std::string message = objection({command, option.get_name() + "=" + bad});
      EXPECT_EQ(message,
                fmt::format("{}: '{}' is not a whole number from {} to {}; write decimal digits without sign, zeros in front or exponent",
                            option.get_name(), bad, least, most))
          << command;
      ++tried;
    }
    if (most != "18446744073709551615") {
      const std::string next = std::to_string(std::stoll(most) + 1);
      EXPECT_THAT(objection({command, option.get_name(), next}), HasSubstr("'" + next + "' is not a whole number")) << command;
    }
    if (least != "0") {
      EXPECT_THAT(objection({command, option.get_name(), "0"}), HasSubstr("'0' is not a whole number")) << command;
    }
    EXPECT_THAT(objection({command, option.get_name(), "-1"}), HasSubstr(option.get_name() + ": '-1' is not a whole number")) << command;
  });
  EXPECT_GE(tried, 25U * 15U);
}

TEST(Numbers, NoOptionIsReadByAnotherParser) {
  for_options([](const std::string& command, const CLI::Option& option) {
    for (const char* theirs : {"INT", "UINT", "FLOAT", "NUMBER"})
      EXPECT_EQ(option.get_type_name().find(theirs), std::string::npos) << command << " " << option.get_name() << ": use add_number";
  });
}

TEST(Numbers, HelpStatesTheRange) {
  EXPECT_THAT(bitgrid("compile --help").output, HasSubstr("--seed 0..18446744073709551615=1 "));
  EXPECT_THAT(bitgrid("run --help").output, HasSubstr("--seed 0..4294967295=1 "));
  EXPECT_THAT(bitgrid("sweep --help").output, HasSubstr("--point 0..999999 "));
}

TEST_F(Cli, NumbersWithinTheRangeAreTakenAsTheyStand) {
  write_file(path("a.dag"), "dag a\ninput x 2\nc:2 = popcount x\noutput y c\n");
  const Result r = bitgrid("compile " + path("a.dag") + " -o " + path("out") + " --seed 18446744073709551615 --json " + path("c.json"));
  ASSERT_EQ(r.status, 0) << r.output;
  EXPECT_EQ(json_of("c.json")["seed"], UINT64_MAX);
}

TEST_F(Cli, SizesAndStreamsOfSeedsAreNumbersToo) {
  for (const char* size : {"1", "x", "1x", "x1", "01x1", "1x1x1", "-1x2", "1x2 ", "0x3", "9999999999x1"})
    EXPECT_THAT(bitgrid("simulate none.bin --size '" + std::string(size) + "'").output,
                HasSubstr("--size: '" + std::string(size) + "' is not a size; give the width and the height"));
  EXPECT_THAT(bitgrid("run " + model_ + " --engine systemc --streams 2 --seed 4294967295 --temperature 0.7").output,
              HasSubstr("--seed: stream 1 would have the seed 4294967296, above 4294967295; give a smaller one"));
}

TEST_F(Cli, RunsEndAtTheLastCycleThatScriptsKnow) {
  write_file(path("g.json"), "{\"width\":1,\"height\":1,\"cells\":[],\"format\":\"lutgrid-v1\"}");
  ASSERT_EQ(bitgrid("simulate " + path("g.json") + " --cycles 1 --save " + path("state")).status, 0);
  const Result r = bitgrid("simulate " + path("g.json") + " --cycles 1125899906842624 --resume " + path("state"));
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("--cycles: the run begins with cycle 1 and would end after 1125899906842624; give fewer cycles"));
}

TEST_F(Cli, NumbersOfTheEnvironmentAreReadAsThoseOfOptions) {
  write_file(path("g.json"), "{\"width\":1,\"height\":1,\"cells\":[],\"format\":\"lutgrid-v1\"}");
  for (const std::string bad : {"2x", "-1", "02", "", "99999999999999999999"}) {
    const Result r = shell("OMPI_COMM_WORLD_SIZE=" + bad + " " + BITGRID_BINARY + " simulate " + path("g.json") + " --cycles 1 --save " +
                           path("state") + " 2>&1");
    EXPECT_EQ(r.status, 1) << bad;
    EXPECT_THAT(r.output, HasSubstr("OMPI_COMM_WORLD_SIZE: '" + bad + "' is not a whole number from 1 to"));
  }
}

}  // namespace
}  // namespace bitgrid
