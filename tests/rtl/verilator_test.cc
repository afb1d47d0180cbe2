#include "rtl/verilator.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "rtl/cache_folder.h"
#include "rtl/command.h"
#include "rtl/datapath.h"
#include "tests/rtl/rtl_support.h"
#include "tests/support/errors.h"
#include "tests/support/random_dag.h"

namespace bitgrid::rtl {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

/// Shared by the tests and kept from run to run: entries are found by content, so an old one is never wrong.

class Verilator : public testing::Test {
 protected:
  void SetUp() override {
    if (run_command({"verilator", "--version"}, "/dev/null") != 0) GTEST_SKIP() << "Verilator is not installed";
  }
};

Dag adder() {
  return parse_dag("dag adder\ninput a 40\ninput b 40\ns:41 = add a b\noutput y s\n");
}

std::string replace(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) throw Error("", from + " is not in the text");
  return text.replace(at, from.size(), to);
}

RtlModel build(const std::string& text) {
  return *build_rtl({make_rtl_source("kernel.v", text)}, test_params())[0];
}

std::string build_error(const std::string& text, const RtlParams& params = test_params()) {
  return test::error_of([&] { build_rtl({make_rtl_source("kernel.v", text)}, params); });
}

TEST_F(Verilator, RandomDagsGiveTheBitsOfTheEvaluator) {
  std::mt19937_64 rng(1);
  std::vector<Dag> dags;
  std::vector<RtlSource> sources;
  for (const uint32_t levels : {1u, 6u, 1000u}) {
    test::RandomDagParams params;
    params.nodes = 90;
    params.outputs = 40;
    params.max_width = levels == 1000 ? 10 : 140;
    dags.push_back(test::random_dag(rng, params));
    sources.push_back(make_rtl_source("random" + std::to_string(levels), datapath_verilog(dags.back(), {.levels_per_stage = levels})));
  }
  const auto models = build_rtl(sources, test_params());
  for (size_t i = 0; i < dags.size(); ++i) {
    const BitMatrix rows = test::random_rows(rng, 150, input_bits(dags[i]));
    RtlRunStats stats;
    EXPECT_EQ(models[i]->run(rows, &stats), evaluate(dags[i], rows)) << sources[i].name;
    EXPECT_EQ(stats.clocks, 150 + sources[i].interface.latency_cycles + 2);
  }
}

TEST_F(Verilator, OperatorChangedInTheTextIsSeen) {
  const std::string text = datapath_verilog(adder());
  std::mt19937_64 rng(2);
  const BitMatrix rows = test::random_rows(rng, 20, 80);
  EXPECT_EQ(build(text).run(rows), evaluate(adder(), rows));
  EXPECT_NE(build(replace(text, " + ", " | ")).run(rows), evaluate(adder(), rows));
}

TEST_F(Verilator, OtherLatencyThanPromisedIsSeen) {
  const std::string text = datapath_verilog(adder());
  const RtlModel late = build(replace(text, "@latency 1", "@latency 2"));
  try {
    late.run(BitMatrix(3, 80));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "kernel.v: out_valid is 1 in clock 1, where no result is due; its comment states a latency of 2 clocks: make module and "
                 "comment agree");
  }
}

TEST_F(Verilator, WrongNumberOfColumnsIsRefused) {
  const RtlModel model = build(datapath_verilog(adder()));
  EXPECT_THROW(model.run(BitMatrix(1, 79)), Error);
  EXPECT_EQ(model.run(BitMatrix(0, 80)).rows, 0u);
}

TEST_F(Verilator, PortsOtherThanTheCommentSaysAreRefused) {
  const std::string text = datapath_verilog(adder());
  EXPECT_EQ(build_error(replace(text, "@input i_a 40", "@input i_a 39")),
            "kernel.v: port i_a of module bitgrid_adder is input 40 bits, but input 39 bits are expected; make the \"// @input\" and \"// "
            "@output\" "
            "lines and the module's ports agree");
  EXPECT_THAT(build_error(replace(text, "@input i_a ", "@input i_c ")), HasSubstr("module bitgrid_adder has no port i_c (input 40 bits)"));
  EXPECT_THAT(build_error(replace(text, "// @input i_a 40\n", "")), HasSubstr("the comment does not name port i_a (input 40 bits)"));
}

TEST_F(Verilator, VerilogErrorNamesLineAndLog) {
  const std::string problem = build_error(replace(datapath_verilog(adder()), "endmodule", "endmodul"));
  EXPECT_THAT(problem, StartsWith("kernel.v: Verilator does not accept the Verilog: %Error: "));
  std::smatch log;
  ASSERT_TRUE(std::regex_search(problem, log, std::regex("the whole log is in (.*)"))) << problem;
  EXPECT_GT(fs::file_size(log[1].str()), 0u);
  fs::remove(log[1].str());
}

TEST_F(Verilator, MissingCompilerSaysWhatToInstall) {
  RtlParams params = test_params();
  params.compiler = "false";
  EXPECT_THAT(build_error(datapath_verilog(adder()), params), StartsWith("false: the C++ compiler does not start; apt-get install g++"));
}

TEST(VerilatorMissing, SaysWhatToInstall) {
  RtlParams params = test_params();
  params.verilator = "no-such-verilator";
  EXPECT_EQ(build_error(datapath_verilog(adder()), params), "no-such-verilator: Verilator does not start; apt-get install verilator");
}

/// A folder with the runtime in it, which takes the longest to build.
std::string prepared_cache(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / name;
  fs::remove_all(folder);
  make_private_folder(folder);
  build(datapath_verilog(adder()));  // the runtime is there
  for (const auto& entry : fs::directory_iterator(test_params().cache_dir)) {
    if (entry.path().filename().string().starts_with("runtime-")) fs::copy(entry.path(), folder / entry.path().filename());
  }
  return folder.string();
}

/// Two builders that find the same text missing in one cache: both end with a model, and the cache holds one.
TEST_F(Verilator, TwoBuildersMayShareACache) {
  const std::string folder = prepared_cache("bitgrid_rtl_shared");
  RtlParams params;
  params.cache_dir = folder;
  std::vector<std::string> finished;
  params.progress = [&](size_t done, size_t total, const std::string& name) {
    finished.push_back(name + " " + std::to_string(done) + "/" + std::to_string(total));
  };
  const RtlSource source = make_rtl_source("one", datapath_verilog(adder()));
  Dag renamed = adder();
  renamed.name = "adder.2";
  const RtlSource twin = make_rtl_source("two", datapath_verilog(renamed));
  RtlParams quiet = params;
  quiet.progress = nullptr;
  std::vector<std::shared_ptr<RtlModel>> other;
  RtlStats stats;
  {
    std::jthread second([&] { other = build_rtl({source}, quiet); });
    const auto models = build_rtl({source, twin}, params, &stats);
    EXPECT_EQ(models[1]->name, "two");
    EXPECT_EQ(models[1]->interface.module, "bitgrid_adder_2");
    EXPECT_EQ(models[1]->library, models[0]->library);
  }
  EXPECT_EQ(finished, std::vector<std::string>{"one 1/1"});
  EXPECT_EQ(other[0]->run(BitMatrix(1, 80)), BitMatrix(1, 41));
  build_rtl({source}, params, &stats);
  EXPECT_EQ(stats.built, 0u);
  EXPECT_EQ(stats.cached, 1u);
  size_t folders = 0;
  for (const auto& entry : fs::directory_iterator(folder)) folders += entry.path().filename().string().starts_with("runtime-") ? 0 : 1;
  EXPECT_EQ(folders, 1u) << "something temporary is left in the cache";
  fs::remove_all(folder);
}

// Verilator expands $ in paths, and the loader $LIB; no program may stumble over the rest.
TEST_F(Verilator, CacheFoldersMayHaveAnyName) {
  for (const std::string name : {"bitgrid $HOME $LIB", "bitgrid 'quoted\" & <odd>;\n`name`", "-bitgrid=@%"}) {
    RtlParams params;
    params.cache_dir = prepared_cache(name);
    std::mt19937_64 rng(3);
    const BitMatrix rows = test::random_rows(rng, 20, 80);
    for (const size_t built : {1U, 0U}) {
      RtlStats stats;
      EXPECT_EQ(build_rtl({make_rtl_source("kernel.v", datapath_verilog(adder()))}, params, &stats)[0]->run(rows), evaluate(adder(), rows))
          << name;
      EXPECT_EQ(stats.built, built) << name;
    }
    fs::remove_all(params.cache_dir);
  }
}

std::string key_of(const std::string& text, const RtlParams& params = test_params()) {
  return rtl_cache_key(make_rtl_source("kernel.v", text), params);
}

TEST_F(Verilator, KernelsThatDifferInNameOnlyHaveOneKey) {
  Dag renamed = adder();
  renamed.name = "other";
  EXPECT_EQ(key_of(datapath_verilog(renamed)), key_of(datapath_verilog(adder())));
}

TEST_F(Verilator, TheKeyKnowsAllThatALibraryIsMadeFrom) {
  const std::string text = datapath_verilog(adder());
  // Prints another version than the compiler that it is.
  const fs::path compiler = fs::path(testing::TempDir()) / "bitgrid_other_compiler";
  std::ofstream(compiler) << "#!/bin/sh\n[ \"$1\" = --version ] && { echo 99.1; exit; }\nexec c++ \"$@\"\n";
  fs::permissions(compiler, fs::perms::owner_all);
  RtlParams other_version = test_params(), other_flags = test_params();
  other_version.compiler = compiler.string();
  other_flags.optimise = {"-O2"};
  std::set<std::string> keys = {key_of(text), key_of(text, other_version), key_of(text, other_flags)};
  keys.insert(key_of(replace(text, " + ", " | ")));
  keys.insert(key_of(replace(text, "@latency 1", "@latency 2")));
  keys.insert(key_of(replace(text, "endmodule", "// verilator public_module\nendmodule")));  // Verilator obeys some comments
  EXPECT_EQ(keys.size(), 6U);
  fs::remove(compiler);
}

TEST_F(Verilator, FilesThatTheKeyDoesNotKnowAreRefused) {
  EXPECT_EQ(build_error(replace(datapath_verilog(adder()), "endmodule", "`include \"body.vh\"\nendmodule")),
            "kernel.v: the Verilog includes another file; put all of the module into this one");
}

TEST(RtlSource, ComesBackFromAFile) {
  const std::string path = (fs::path(testing::TempDir()) / "bitgrid_adder.v").string();
  const std::string text = datapath_verilog(adder());
  std::ofstream(path) << text;
  const RtlSource source = load_rtl_source(path);
  EXPECT_EQ(source.text, text);
  EXPECT_EQ(source.name, path);
  EXPECT_EQ(source.interface.module, "bitgrid_adder");
  fs::remove(path);
}

TEST(RtlSource, MissingFileIsNamed) {
  EXPECT_EQ(test::error_of([&] { load_rtl_source("/no/such.v"); }),
            "/no/such.v: this file cannot be read; name a Verilog file that `bitgrid verilog` wrote");
}

}  // namespace
}  // namespace bitgrid::rtl
