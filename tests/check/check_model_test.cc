// The checker, and the checker of the checker: every corruption must be named.
#include "check/check_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "engines/artefacts.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/mapping/map.h"
#include "lowering/numerics/lower.h"
#include "rtl/command.h"
#include "tests/support/errors.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::check {
namespace {

using testing::HasSubstr;

CheckParams params_for(const Model& model, const std::string& engines, const std::string& from = "") {
  CheckParams params;
  params.engines = engines::find_engines(engines);
  params.tokens = positions_to_check(model, "abc", 12);
  params.from = from;
  return params;
}

/// A folder with the tiny model's mapped kernels, removed at the end.
class CheckFrom : public testing::Test {
 protected:
  void SetUp() override {
    model_.content_hash = 77;
    program_ = numerics::lower(model_);
    mapped_ = mapping::map_kernels(program_, {});
    OutputFolder folder(dir_);
    engines::write_compiled(folder, {model_.name, model_.content_hash, 1}, mapped_);
  }
  /// Flips a bit of the cells in the file, as a hand would.
  void flip(const std::string& kernel, size_t byte, unsigned bit) {
    const std::string path = dir_ + "/kernels/" + kernel + ".bgbs";
    std::string bytes = read_file(path);
    bytes[24 + byte] = static_cast<char>(bytes[24 + byte] ^ (1 << bit));
    write_file(path, bytes);
  }

  Model model_ = tiny_model();
  Program program_;
  std::vector<MappedKernel> mapped_;
  const test::ScratchFolder scratch_;
  const std::string dir_ = scratch_.file("compiled");
};

TEST(CheckModel, AllEnginesAgree) {
  const Model model = tiny_model();
  const CheckReport report = check_model(model, params_for(model, "cpu,dag,grid"));
  EXPECT_TRUE(report.ok());
  ASSERT_EQ(report.engines.size(), 3u);
  for (const EngineCheck& e : report.engines) EXPECT_GT(e.compared, 500u) << e.engine;
  EXPECT_GT(report.engines[2].stats.cell_updates, 0u);
}

/// Fabrics of the tiny model's kernels are built once, for all tests.
CheckParams fabric_params(const Model& model, const std::string& from = "") {
  CheckParams params = params_for(model, "fabric", from);
  params.rtl.cache_dir = (std::filesystem::path(testing::TempDir()) / ("bitgrid_rtl_test_cache_" + std::to_string(getuid()))).string();
  return params;
}

#define NEEDS_VERILATOR() \
  if (rtl::run_command({"verilator", "--version"}, "/dev/null") != 0) GTEST_SKIP() << "Verilator is not installed (apt install verilator)"

TEST(CheckModel, TheVerilatedFabricAgrees) {
  NEEDS_VERILATOR();
  const Model model = tiny_model();
  const CheckReport report = check_model(model, fabric_params(model));
  EXPECT_TRUE(report.ok());
  ASSERT_EQ(report.engines.size(), 1u);
  EXPECT_GT(report.engines[0].compared, 500u);
  EXPECT_GT(report.engines[0].stats.reconfigured_cells, 0u);
  EXPECT_GT(report.engines[0].stats.configuration_clocks, 0u);
}

TEST_F(CheckFrom, AFlippedBitShowsOnTheVerilatedFabric) {
  NEEDS_VERILATOR();
  const MappedKernel& kernel = mapped_[1];
  flip(kernel.name, kernel.grid.index(0, 1) * 8 + 2 + 1, 0);
  const CheckReport report = check_model(model_, fabric_params(model_, dir_));
  EXPECT_FALSE(report.ok());
  ASSERT_TRUE(report.first_mismatch);
  EXPECT_EQ(report.first_mismatch->engine, "fabric");
  EXPECT_EQ(report.first_mismatch->kernel, kernel.name);
  EXPECT_TRUE(report.first_mismatch->position.has_value());
  EXPECT_GT(report.engines[0].mismatches, 1u);
}

std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> names;
  for (const engines::Engine* engine : engines::find_engines(list)) names.push_back(engine->name);
  return names;
}

TEST(Engines, RtlInAListIsDatapathAndFabric) {
  EXPECT_EQ(names_in("cpu,rtl"), (std::vector<std::string>{"cpu", "rtl", "fabric"}));
  EXPECT_EQ(names_in("datapath"), (std::vector<std::string>{"rtl"}));
}

/// An engine that no folder of the program knows: evaluates Dags, and turns output bit 0 of the head's kernel if it is to be wrong.
engines::Engine toy(bool wrong) {
  engines::Engine engine;
  engine.name = wrong ? "toy, wrong" : "toy";
  const auto right = [](const engines::EngineInputs& in) -> engines::KernelEngine {
    return {[&program = in.program](int step, const StepBatch& batch) {
              return evaluate(program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)].dag, batch);
            },
            [] { return engines::EngineStats{}; }};
  };
  const auto turned = [](const engines::EngineInputs& in) -> engines::KernelEngine {
    return {[&program = in.program](int step, const StepBatch& batch) {
              const Kernel& kernel = program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)];
              BitMatrix out = evaluate(kernel.dag, batch);
              if (kernel.name == "head") out.set(0, 0, !out.get(0, 0));
              return out;
            },
            [] { return engines::EngineStats{}; }};
  };
  if (wrong)
    engine.of_kernels = turned;
  else
    engine.of_kernels = right;
  return engine;
}

TEST(Engines, OneFromOutsideIsCheckedLikeTheOthers) {
  const Model model = tiny_model();
  const engines::Engine right = toy(false), wrong = toy(true);
  CheckParams params = params_for(model, "cpu");
  params.engines = {&right};
  EXPECT_TRUE(check_model(model, params).ok());
  params.engines = {&right, &wrong};
  const CheckReport report = check_model(model, params);
  ASSERT_TRUE(report.first_mismatch);
  EXPECT_EQ(report.first_mismatch->engine, "toy, wrong");
  EXPECT_EQ(report.first_mismatch->kernel, "head");
}

TEST_F(CheckFrom, UntouchedArtefactsPass) {
  EXPECT_TRUE(check_model(model_, params_for(model_, "grid", dir_)).ok());
}

TEST_F(CheckFrom, FlippedFunctionalBitNamesKernelPositionAndBit) {
  const MappedKernel& kernel = mapped_[1];
  // Output E of cell (0, 1), the first multiply-accumulate cell, for index 8 (only the partial sum is 1).
  flip(kernel.name, kernel.grid.index(0, 1) * 8 + 2 + 1, 0);
  const CheckReport report = check_model(model_, params_for(model_, "grid", dir_));
  EXPECT_FALSE(report.ok());
  ASSERT_TRUE(report.first_mismatch);
  EXPECT_EQ(report.first_mismatch->kernel, kernel.name);
  EXPECT_TRUE(report.first_mismatch->position.has_value());
  EXPECT_TRUE(report.first_mismatch->bit.has_value());
  EXPECT_NE(report.first_mismatch->expected, report.first_mismatch->got);
  ASSERT_EQ(report.artefact_notes.size(), 2u);
  EXPECT_THAT(report.artefact_notes[0], HasSubstr("kernel " + kernel.name + " is not what compile.json lists"));
  EXPECT_THAT(report.artefact_notes[1], HasSubstr("configuration of cell (0, 1), output E, index 8"));
}

TEST_F(CheckFrom, FlippedIdleBitIsFoundToo) {
  const MappedKernel& kernel = mapped_[1];
  size_t idle = 0;
  while (kernel.grid.cells[idle] != 0) ++idle;
  flip(kernel.name, idle * 8, 3);
  const CheckReport report = check_model(model_, params_for(model_, "grid", dir_));
  EXPECT_FALSE(report.ok());
  ASSERT_TRUE(report.first_mismatch);
  EXPECT_EQ(report.first_mismatch->kernel, kernel.name);
  EXPECT_THAT(report.first_mismatch->detail, HasSubstr("configuration of cell"));
  EXPECT_EQ(report.engines[0].mismatches, 1u);
}

TEST_F(CheckFrom, EveryFlippedBitOfACellIsFound) {
  const MappedKernel& kernel = mapped_[2];
  for (unsigned bit = 0; bit < 64; bit += 9) {
    flip(kernel.name, kernel.grid.index(3, 2) * 8 + bit / 8, bit % 8);
    EXPECT_FALSE(check_model(model_, params_for(model_, "grid", dir_)).ok()) << bit;
    flip(kernel.name, kernel.grid.index(3, 2) * 8 + bit / 8, bit % 8);
  }
}

TEST_F(CheckFrom, ChangedWeightIsSaid) {
  Model changed = model_;
  auto& weights = std::get<FeedForward>(changed.layers[1]).down.weights.data;
  weights[0] = weights[0] == 1 ? int8_t{-1} : int8_t{1};
  changed.content_hash = 78;
  const CheckReport report = check_model(changed, params_for(changed, "dag,grid", dir_));
  EXPECT_FALSE(report.ok());
  ASSERT_FALSE(report.artefact_notes.empty());
  EXPECT_THAT(report.artefact_notes[0], HasSubstr("was made from other weights or another model file"));
  EXPECT_EQ(report.engines[0].mismatches, 0u);
}

TEST_F(CheckFrom, ModelOfAnotherShapeIsRefused) {
  TinyParams other;
  other.d_ff = 16;
  const Model model = tiny_model(other);
  EXPECT_THROW(check_model(model, params_for(model, "grid", dir_)), Error);
}

TEST(CheckModel, WrongDagIsNamed) {
  // A program whose kernel was changed after lowering must differ from the CPU engine: compare through a model with one other bias.
  const Model model = tiny_model();
  Model other = model;
  auto& rq = std::get<Requantise>(std::get<FeedForward>(other.layers[1]).up.activation);
  rq.bias[0] += 1 << rq.shift;
  const test::ScratchFolder scratch;
  const std::string dir = scratch.file("compiled");
  const Program program = numerics::lower(other);
  OutputFolder folder(dir);
  engines::write_compiled(folder, {model.name, model.content_hash, 1}, mapping::map_kernels(program, {}));
  const CheckReport report = check_model(model, params_for(model, "grid", dir));
  ASSERT_TRUE(report.first_mismatch);
  EXPECT_THAT(report.first_mismatch->kernel, HasSubstr("layers.1.up"));
}

TEST(Engines, UnknownNameListsThem) {
  EXPECT_EQ(test::error_of([&] { engines::find_engines("cpu,gird"); }),
            "--engine: unknown engine 'gird'; choose one of cpu, float, dag, grid, rtl, datapath, fabric, systemc");
}

TEST(Artefacts, MissingKernelListsThoseThatAreThere) {
  engines::CompiledFolder folder;
  folder.kernels.emplace_back();
  folder.kernels[0].name = "head";
  EXPECT_EQ(test::error_of([&] { engines::find_kernel(folder, "out", "tail"); }),
            "out: there is no kernel 'tail' in this folder; choose one of head");
  EXPECT_EQ(engines::find_kernel(folder, "out", "").name, "head");
  folder.kernels.emplace_back().name = "tail";
  EXPECT_EQ(test::error_of([&] { engines::find_kernel(folder, "out", ""); }),
            "out: this folder holds 2 kernels; choose one with --kernel: head, tail");
}

}  // namespace
}  // namespace bitgrid::check
