// Models on tiles that are smaller than their layers.
#include "lowering/numerics/tiling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "check/check_model.h"
#include "check/verify_kernel.h"
#include "ir/error.h"
#include "ir/kernel_defects.h"
#include "lowering/mapping/map.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::mapping {
namespace {

using Block = TinyParams::Block;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Fully connected layers of neurons with a threshold each, between an embedding of -1 and 1 and a head.
Model binary_network(const std::vector<int>& sizes, const std::string& vocabulary, WeightValues values = WeightValues::kBinary) {
  std::mt19937 random(3);
  const auto weight = [&] {
    return static_cast<int8_t>(values == WeightValues::kTernary && random() % 3 == 0 ? 0 : random() % 2 ? 1 : -1);
  };
  const auto matrix = [&](int outputs, int inputs) {
    Matrix m{"weights", values, outputs, inputs, {}};
    for (int i = 0; i < outputs * inputs; ++i) m.data.push_back(weight());
    return m;
  };
  Model model;
  model.name = "network";
  model.vocabulary = vocabulary;
  model.width = sizes[0];
  model.embedding = {{{}}, -1, 1};
  for (size_t i = 0; i < vocabulary.size() * static_cast<size_t>(sizes[0]); ++i)
    model.embedding.tables[0].push_back(static_cast<int8_t>(random() % 2 ? 1 : -1));
  for (size_t l = 1; l < sizes.size(); ++l) {
    Dense layer{l == 1 ? Activation(Sign{}) : Activation(), {matrix(sizes[l], sizes[l - 1]), {}, std::nullopt}};
    Sign sign;
    for (int r = 0; r < sizes[l]; ++r) sign.bias.push_back(static_cast<int>(random() % 21) - 10);
    layer.linear.activation = sign;
    model.layers.emplace_back(std::move(layer));
  }
  model.head = {{}, matrix(static_cast<int>(vocabulary.size()), sizes.back()), {}};
  verify(model);
  return model;
}

std::vector<MappedKernel> expect_right(const Model& model, const Tile& tile, Optimize optimize) {
  const Program program = numerics::lower(model, {tile, optimize});
  auto mapped = map_kernels(program, {1, optimize});
  EXPECT_NO_THROW(require_fit(mapped, tile));
  for (size_t k = 0; k < mapped.size(); ++k) {
    verify(mapped[k]);
    const auto wrong = check::verify_mapping(program.kernels[k], mapped[k]);
    EXPECT_FALSE(wrong) << mapped[k].name << " invocation " << wrong->invocation << " bit " << wrong->bit;
  }
  check::CheckParams params;
  params.arch.tile_width = tile.width;
  params.arch.tile_height = tile.height;
  params.optimize = optimize;
  params.tokens = check::positions_to_check(model, model.vocabulary.substr(0, 3), 9);
  const check::CheckReport report = check::check_model(model, params);
  EXPECT_TRUE(report.ok()) << (report.first_mismatch ? report.first_mismatch->detail : "");
  return mapped;
}

const Optimize kTargets[] = {Optimize::kArea, Optimize::kThroughput, Optimize::kDensity};

// Parts that would share rows go around defects in their word-serial form, on a tile that has little more room than they take.
TEST(WideLayer, PartsOnATileWithDefects) {
  const Model model = binary_network({52, 40, 16}, "\n abcdefghijklmno");
  std::mt19937_64 random(5);
  const Tile tile{60, 40};
  const Defects defects = random_defects(tile.width, tile.height, 0.01, 0.002, random);
  const Program flawless = numerics::lower(model, {tile, Optimize::kDensity}),
                program = numerics::lower(model, {tile, Optimize::kDensity, defects});
  EXPECT_TRUE(std::any_of(flawless.kernels.begin(), flawless.kernels.end(), [](const Kernel& k) { return k.form.part.has_value(); }));
  MapParams params;
  params.optimize = Optimize::kDensity;
  params.defects = defects;
  EXPECT_THAT([&] { map_kernels(flawless, params); },
              ThrowsMessage<Error>(HasSubstr("lower the layer with these defects, so that its parts are word-serial")));
  const auto mapped = map_kernels(program, params);
  EXPECT_NO_THROW(require_fit(mapped, tile));
  check::VerifyParams fabric;
  fabric.defects = defects;
  for (size_t k = 0; k < mapped.size(); ++k) {
    EXPECT_FALSE(first_defect_used(mapped[k], defects)) << mapped[k].name;
    EXPECT_FALSE(check::verify_mapping(program.kernels[k], mapped[k], fabric)) << mapped[k].name;
  }
}

TEST(WideLayer, BinaryNetworkOnSmallTiles) {
  for (const WeightValues values : {WeightValues::kBinary, WeightValues::kTernary}) {
    const Model model = binary_network({52, 64, 64, 64, 16}, "\n abcdefghijklmno", values);
    for (const Optimize optimize : kTargets) {
      for (const Tile& tile : {Tile{}, Tile{24, 40}, Tile{17, 0}, Tile{0, 33}}) expect_right(model, tile, optimize);
    }
  }
}

TEST(WideLayer, ShapesOfModelsOnSmallTiles) {
  const auto shape = [](auto change) {
    TinyParams p;
    p.width = 24;
    p.d_ff = 40;
    p.layers = {Block::kFeedForward, Block::kLinear, Block::kLinearSign, Block::kLinearExact, Block::kFeedForward};
    change(p);
    return tiny_model(p);
  };
  const std::vector<Model> models = {shape([](TinyParams&) {}), shape([](TinyParams& p) { p.values = WeightValues::kInt2; }),
                                     shape([](TinyParams& p) { p.values = WeightValues::kBinary, p.input_bits = p.hidden_bits = 1; }),
                                     shape([](TinyParams& p) {
                                       p.multiplier = true, p.layers = {Block::kLinear, Block::kLinear};
                                     })};
  for (const Model& model : models) {
    for (const Optimize optimize : kTargets) {
      const auto mapped = expect_right(model, {30, 60}, optimize);
      EXPECT_GT(mapped.size(), map_kernels(numerics::lower(model), {}).size());
    }
  }
}

TEST(WideLayer, AttentionOnATileThatHoldsItsHeads) {
  TinyParams params;
  params.width = 24;
  const Model model = tiny_model(params);
  const auto mapped = expect_right(model, {40, 60}, Optimize::kArea);
  EXPECT_GT(mapped.size(), map_kernels(numerics::lower(model), {}).size());
}

TEST(WideLayer, PartsAreConsecutiveStages) {
  const Program program = numerics::lower(binary_network({64, 32, 8}, "ab"), {{10, 0}, Optimize::kDensity});
  std::vector<int> stages;
  for (const Step& step : program.steps) {
    if (step.name.starts_with("layers.0.linear")) stages.push_back(step.stage);
  }
  ASSERT_EQ(stages.size(), 4u);  // 64 inputs, 20 to a tile
  for (size_t i = 1; i < stages.size(); ++i) EXPECT_EQ(stages[i], stages[i - 1] + 1);
}

TEST(WideLayer, AWrongWeightInAPartIsSeen) {
  const Model model = binary_network({40, 12, 8}, "ab");
  for (const Optimize optimize : kTargets) {
    Program program = numerics::lower(model, {{12, 0}, optimize});
    size_t parts = 0;
    for (size_t k = 0; k < program.kernels.size(); ++k) {
      Kernel wrong = program.kernels[k];
      KernelForm& form = wrong.form;
      if (!program.kernels[k].name.starts_with("layers.0.linear.")) continue;
      ++parts;
      for (size_t r = 0; r < 6; ++r) {  // of several rows: a threshold may hide one
        if (form.part) {
          int8_t& w = form.parallel->rows[r].weights[form.part->inputs.first];
          w = static_cast<int8_t>(-w);
        } else {
          form.serial->groups[r].planes[0].weights[0] = 0;
        }
      }
      EXPECT_TRUE(check::verify_mapping(program.kernels[k], map_kernel(wrong, {}))) << k;
    }
    EXPECT_GT(parts, 1u);
  }
}

TEST(WideLayer, SaysWhatDoesNotFit) {
  EXPECT_THAT(
      [] {
        numerics::lower(binary_network({8, 8}, "ab"), {{2, 3}, Optimize::kArea});
      },
      ThrowsMessage<Error>(HasSubstr("cells, and a tile has 2 x 3; give a larger tile in the architecture file")));
  const auto mapped = map_kernels(numerics::lower(tiny_model()), {});
  EXPECT_THAT([&] { require_fit(mapped, {5, 0}); }, ThrowsMessage<Error>(HasSubstr("do not fit a tile of 5 x any")));
}

TEST(WideLayer, LeastCellsTimesIi) {
  const Program program = numerics::lower(binary_network({64, 64, 8}, "ab"));
  const auto density = map_kernels(program, {1, Optimize::kDensity})[1];
  EXPECT_EQ(density.strategy, "popcount-ii2");
  EXPECT_EQ(map_kernels(program, {1, Optimize::kThroughput})[1].strategy, "popcount-wave");
}

}  // namespace
}  // namespace bitgrid::mapping
