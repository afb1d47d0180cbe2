#include "estimate/estimate.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <random>
#include <utility>

#include "estimate/estimate_source.h"
#include "frontend/load_model.h"
#include "frontend/onnx/network.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/mapping/map.h"
#include "lowering/mapping/matrix/bit_serial.h"
#include "lowering/mapping/matrix/sum_difference.h"
#include "lowering/mapping/matrix/trailing_zero_bits.h"
#include "lowering/networks/lower_network.h"
#include "tests/support/errors.h"
#include "tests/support/onnx_file.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::estimate {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const std::string kExamples = std::string(BITGRID_SOURCE_DIR) + "/examples/";

std::vector<Model> models() {
  using B = TinyParams::Block;
  std::vector<Model> all = {frontend::load_model(kExamples + "kjv-ternary/model.yaml"),
                            frontend::load_model(kExamples + "kjv-binary/model.yaml")};
  for (uint32_t seed = 1; seed <= 24; ++seed) {
    TinyParams p;
    p.seed = seed;
    p.layers = std::vector<std::vector<B>>{
        {B::kAttention, B::kFeedForward}, {B::kFeedForward, B::kLinearSign}, {B::kLinear, B::kAttention}, {B::kLinearExact}}[seed % 4];
    p.values = std::array{WeightValues::kBinary, WeightValues::kTernary, WeightValues::kInt2}[seed % 3];
    p.embedding_tables = seed % 5 == 0 ? 3 : 1;
    p.input_bits = seed % 7 == 0 ? 1 : 4;
    p.query_bits = seed % 6 == 0 ? 1 : 4;
    p.key_bits = p.value_bits = seed % 8 == 0 ? 1 : 3;
    p.multiplier = seed % 9 == 0;
    p.table = seed % 10 == 0;
    if (seed % 4 == 1) p.shift = static_cast<int>(seed % 7) - 4;
    p.zero_weights = seed == 11 || seed == 12;
    if (seed == 13) p.embedding_lo = 2;
    all.push_back(tiny_model(p));
  }
  return all;
}

TEST(BitSerialSize, IsThatOfTheMapping) {
  int sizes = 0;
  for (const Model& model : models()) {
    const Program program = numerics::lower(model);
    for (size_t i = 0; i < program.kernels.size(); ++i) {
      if (!program.kernels[i].form.serial) continue;
      const Kernel& kernel = program.kernels[i];
      const BitSerialForm form = mapping::drop_trailing_zero_bits(*program.kernels[i].form.serial);
      const MappedKernel m = mapping::map_bit_serial(kernel.name, form, input_bits(kernel.dag));
      const mapping::BitSerialSize s = mapping::bit_serial_size(form);
      ASSERT_EQ(std::tuple(s.width, s.height, s.ii, s.latency_cycles), std::tuple(m.grid.width, m.grid.height, m.ii, latency_cycles(m)))
          << model.name << " " << kernel.name;
      ++sizes;
      const auto paired = mapping::map_sum_difference(kernel.name, form, input_bits(kernel.dag));
      const auto p = mapping::sum_difference_size(form);
      ASSERT_EQ(paired.has_value(), p.has_value());
      if (!p) continue;
      ASSERT_EQ(std::tuple(p->width, p->height, p->ii, p->latency_cycles),
                std::tuple(paired->grid.width, paired->grid.height, paired->ii, latency_cycles(*paired)));
    }
  }
  EXPECT_GT(sizes, 100);
}

void expect_same(const std::vector<KernelFigures>& figures, const std::vector<MappedKernel>& mapped) {
  ASSERT_EQ(figures.size(), mapped.size());
  for (size_t i = 0; i < mapped.size(); ++i) {
    const KernelFigures& k = figures[i];
    EXPECT_EQ(k.cells(), static_cast<int64_t>(mapped[i].grid.cells.size())) << k.name;
    EXPECT_EQ(k.ii, mapped[i].ii) << k.name;
    EXPECT_EQ(k.latency_cycles, latency_cycles(mapped[i])) << k.name;
    EXPECT_EQ(k.strategy, mapped[i].strategy) << k.name;
  }
}

/// Cells and cycles as `compile` counts them with the same tile and target.
void expect_compile(const Program& program, const numerics::LowerParams& params) {
  mapping::MapParams map;
  map.optimize = params.optimize;
  const std::vector<MappedKernel> mapped = mapping::map_kernels(program, map);
  const Estimate e = estimate(lowered_kernels(program, map), {});
  const mapping::TokenCycles cycles = mapping::cycles_per_token(program, mapped, 64);
  EXPECT_EQ(e.kernel_cycles, cycles.kernels) << program.name;
  EXPECT_EQ(e.configuration_cycles, cycles.configuration);
  expect_same(e.kernels, mapped);
  int64_t cells = 0;
  for (size_t i = 0; i < mapped.size(); ++i) {
    EXPECT_EQ(e.kernels[i].invocations, invocations_per_token(program, static_cast<int>(i)));
    cells += e.kernels[i].cells_total();
  }
  EXPECT_EQ(e.cells_total, cells);
}

void expect_compile(const Model& model, const numerics::LowerParams& params) {
  expect_compile(numerics::lower(model, params), params);
}

TEST(Estimate, EqualsCompile) {
  for (const Model& model : models()) expect_compile(model, {});
}

TEST(Estimate, EqualsCompileForOtherTargetsAndTiles) {
  for (const char* name : {"kjv-ternary", "kjv-binary"}) {
    const Model model = frontend::load_model(kExamples + name + "/model.yaml");
    expect_compile(model, {{}, mapping::Optimize::kThroughput});
    expect_compile(model, {{}, mapping::Optimize::kDensity});
    expect_compile(model, {{257, 90}, mapping::Optimize::kArea});
    expect_compile(model, {{300, 60}, mapping::Optimize::kDensity});
  }
}

/// Kernels of convolutions run at many places of one stage, shared ones in several stages.
TEST(Estimate, EqualsCompileOfNetworks) {
  for (const auto& graph : {test::small_dense_graph(1), test::small_conv_graph(1)})
    expect_compile(networks::lower_network(frontend::onnx::convert(graph, "made.onnx")).program, {});
}

TEST(Estimate, ReadsNetworks) {
  const test::ScratchFolder folder;
  const std::string path = folder.file("n.onnx");
  write_file(path, test::onnx_bytes(test::small_conv_graph(1)));
  const SourceKernels source = read_kernels(read_estimate_model(path), {});
  EXPECT_TRUE(source.exact);
  EXPECT_EQ(source.kernels[0].invocations, 16);  // a map of 4 x 4
  EXPECT_EQ(source.kernels[0].busy_cycles(), 16 * source.kernels[0].ii);
  EstimateSource shapes;
  shapes.shapes_only = true;
  EXPECT_THAT(test::error_of([&] { read_kernels(read_estimate_model(path), shapes); }), HasSubstr("a network has no shapes to change"));
}

TEST(Estimate, RefusesWhatCompileRefuses) {
  const EstimateModel model = read_estimate_model(kExamples + "kjv-ternary/model.yaml");
  EstimateSource source;
  source.lower.tile = {160, 160};
  EXPECT_THAT(test::error_of([&] { read_kernels(model, source); }),
              HasSubstr("do not fit a tile of 160 x 160, and this kernel is not cut; give a larger tile"));
}

/// Bad cells of a tile of twice the largest kernel's width and height, as the estimate without tiles draws them.
Defects defects_for(const std::vector<KernelFigures>& kernels, double rate, uint64_t seed) {
  int width = 0, height = 0;
  for (const KernelFigures& k : kernels) {
    width = std::max(width, 2 * k.width);
    height = std::max(height, 2 * k.height);
  }
  std::mt19937_64 random(seed);
  return random_defects(width, height, rate, 0, random);
}

TEST(Estimate, EqualsCompileAroundTheSameDefects) {
  const test::ScratchFolder folder;
  const EstimateModel model = read_estimate_model(write_model(tiny_model(), folder.file("model")));
  const std::vector<KernelFigures> flawless = read_kernels(model, {}).kernels;
  std::vector<int64_t> totals = {estimate(flawless, {}).cells_total};
  for (const auto& [rate, seed] : {std::pair(0.02, 1), std::pair(0.06, 1), std::pair(0.02, 2)}) {
    EstimateSource source;
    source.defect_rate = rate;
    source.seed = static_cast<uint64_t>(seed);
    const std::vector<KernelFigures> around = read_kernels(model, source).kernels;
    numerics::LowerParams lower_params;
    mapping::MapParams map;
    map.defects = lower_params.defects = defects_for(flawless, rate, source.seed);
    SCOPED_TRACE(map.defects.cells.size());
    expect_same(around, mapping::map_kernels(numerics::lower(*model.model, lower_params), map));
    totals.push_back(estimate(around, {}).cells_total);
  }
  EXPECT_LT(totals[0], totals[1]);
  EXPECT_LT(totals[1], totals[2]);  // three times the bad cells
  EXPECT_NE(totals[1], totals[3]);  // other bad cells
}

std::string without_numbers(const std::string& name) {
  const size_t dot = name.find(".mix.") != std::string::npos ? name.find(".mix.") + 4 : name.find_last_not_of("0123456789.") + 1;
  return name.substr(0, dot);
}

/// Without weights: the same kernels, with words that are at most two slots longer, and not shorter.
TEST(Estimate, ShapesBoundTheMapping) {
  for (const char* name : {"kjv-ternary", "kjv-binary"}) {
    const Model model = frontend::load_model(kExamples + name + "/model.yaml");
    const std::vector<KernelFigures> exact = lowered_kernels(numerics::lower(model)), shapes = shape_kernels(shapes_of(model));
    int64_t exact_cells = 0, cells = 0;
    for (const KernelFigures& k : exact) {
      exact_cells += k.cells_total();
      const auto same = std::find_if(shapes.begin(), shapes.end(), [&](const KernelFigures& s) {
        return s.name == k.name || (k.name.rfind("embedding", 0) != 0 && s.name == without_numbers(k.name));
      });
      ASSERT_NE(same, shapes.end()) << k.name;
      EXPECT_EQ(same->width, k.width) << k.name;
      // Shapes have no biases: those that the embedding's codes take along may cost a slot.
      const bool biased = k.name.rfind("embedding", 0) == 0 || k.name == "layers.0.input";
      EXPECT_LE(k.ii, same->ii + (biased ? 1 : 0)) << k.name;
      EXPECT_GE(k.ii + 2, same->ii) << k.name;
      EXPECT_NEAR(same->height, k.height, 4) << k.name;
    }
    for (const KernelFigures& s : shapes) cells += s.cells_total();
    EXPECT_NEAR(static_cast<double>(cells) / static_cast<double>(exact_cells), 1.0, 0.03) << name;
    const Estimate a = estimate(exact, {}), b = estimate(shapes, {});
    EXPECT_EQ(a.configuration_cycles, b.configuration_cycles);
    EXPECT_NEAR(static_cast<double>(b.cycles_per_token) / static_cast<double>(a.cycles_per_token), 1.0, 0.05);
  }
}

/// Layers cut over tiles, and all targets; one-bit operands with tiles are counted word-serial and left out.
TEST(Estimate, ShapesFollowTilesAndTargets) {
  const auto ratio = [](const char* name, const numerics::LowerParams& params) {
    const Model model = frontend::load_model(kExamples + name + "/model.yaml");
    mapping::MapParams map;
    map.optimize = params.optimize;
    const Estimate exact = estimate(lowered_kernels(numerics::lower(model, params), map), {});
    const Estimate shapes = estimate(shape_kernels(shapes_of(model), params), {});
    EXPECT_NEAR(static_cast<double>(shapes.cycles_per_token) / static_cast<double>(exact.cycles_per_token), 1.0, 0.05) << name;
    return static_cast<double>(shapes.cells_total) / static_cast<double>(exact.cells_total);
  };
  EXPECT_NEAR(ratio("kjv-ternary", {{257, 90}, mapping::Optimize::kArea}), 1.0, 0.03);
  EXPECT_NEAR(ratio("kjv-ternary", {{300, 60}, mapping::Optimize::kArea}), 1.0, 0.03);
  EXPECT_NEAR(ratio("kjv-binary", {{}, mapping::Optimize::kThroughput}), 1.0, 0.03);
  EXPECT_NEAR(ratio("kjv-binary", {{}, mapping::Optimize::kDensity}), 1.0, 0.03);
}

// How long this takes is measured by bench/estimate.
TEST(Estimate, ShapesFilesWithContextsInTurnAsEachOnItsOwn) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(kExamples + "shapes")) {
    if (entry.path().filename() == "sweep.yaml") continue;
    SCOPED_TRACE(entry.path());
    ShapePlans plans;
    const EstimateModel model = read_estimate_model(entry.path().string());
    double per_token = 0;                               // cells of a token's keys and values
    for (const int context : {256, 320, 1024, 4096}) {  // 320: the shifts of 256
      const Estimate e = estimate(read_kernels(model, {context, false}, &plans).kernels, {});
      const Estimate own = estimate(read_kernels(model, {context, false}).kernels, {});
      EXPECT_EQ(std::tuple(e.cells_total, e.cycles_per_token, e.tokens_per_second),
                std::tuple(own.cells_total, own.cycles_per_token, own.tokens_per_second));
      const double held = static_cast<double>(e.resident_cells) / context;
      if (context == 256) per_token = held;
      EXPECT_NEAR(held / per_token, 1, 0.05) << context;
    }
    ++files;
  }
  EXPECT_EQ(files, 7);
}

TEST(Estimate, MultipliesAsManyBitsAsTheModelHasWeights) {
  const SourceKernels source = read_kernels(read_estimate_model(kExamples + "shapes/gpt3-175b.yaml"), {});
  double weights = 0;
  for (const KernelFigures& k : source.kernels) {
    if (k.resident_cells == 0) weights += static_cast<double>(k.bit_macs * k.invocations) / 8;
  }
  EXPECT_NEAR(weights / 175e9, 1.0, 0.01);
}

TEST(Estimate, StreamsShareWeightsAndNotKeys) {
  const auto kernels = lowered_kernels(numerics::lower(frontend::load_model(kExamples + "kjv-ternary/model.yaml")));
  EstimateParams many;
  many.streams = 5;
  const Estimate one = estimate(kernels, {}), five = estimate(kernels, many);
  EXPECT_EQ(five.cells_total, one.cells_total + 4 * one.resident_cells);
  EXPECT_GT(five.tokens_per_second, one.tokens_per_second);
  EXPECT_LE(five.tokens_per_second_per_stream, one.tokens_per_second_per_stream);
}

TEST(Estimate, NamesWhatLimits) {
  auto kernels = lowered_kernels(numerics::lower(frontend::load_model(kExamples + "kjv-ternary/model.yaml")));
  EstimateParams params;
  EXPECT_THAT(estimate(kernels, params).throughput.what, HasSubstr("streams"));
  params.streams = 1000;
  EXPECT_THAT(estimate(kernels, params).throughput.what, HasSubstr("configuration"));
  params.arch.configuration_bits_per_cycle = 1 << 16;
  EXPECT_THAT(estimate(kernels, params).throughput.what, HasSubstr("compute"));
  params.technology.memory_bits_per_cycle = 1;
  EXPECT_THAT(estimate(kernels, params).throughput.what, HasSubstr("memory"));
  params = {};
  params.technology.cells_available = 1000;
  EXPECT_THAT(estimate(kernels, params).latency.what, HasSubstr("no cells of their own"));
}

constexpr char kShapes[] =
    "format: bitgrid-shapes-1\nname: a\nwidth: 64\nvocabulary: 32\ncontext: 64\nweights: ternary\nactivation_bits: 4\nlayers: 2\n"
    "attention: {heads: 4, head_width: 16}\nfeedforward: {hidden: 256}\n";

TEST(Shapes, OneBitLayersHaveParallelForms) {
  std::string text = kShapes;
  text.replace(text.find("ternary"), 7, "binary");
  text.replace(text.find("activation_bits: 4"), 18, "activation_bits: 1");
  const ShapeModel model = parse_shapes(text, "a.yaml");
  const auto up = [&](mapping::Optimize optimize) {
    const auto kernels = shape_kernels(model, {{}, optimize});
    return *std::find_if(kernels.begin(), kernels.end(), [](const KernelFigures& k) { return k.name == "layers.1.up"; });
  };
  EXPECT_EQ(up(mapping::Optimize::kArea).strategy, "sum-difference");
  EXPECT_EQ(up(mapping::Optimize::kDensity).strategy, "popcount-ii2");
  EXPECT_EQ(up(mapping::Optimize::kThroughput).strategy, "popcount-wave");
  EXPECT_EQ(up(mapping::Optimize::kThroughput).ii, 1);
}

std::string error_of(const std::string& yaml) {
  return test::error_of([&] { shape_kernels(parse_shapes(yaml, "a.yaml")); });
}

TEST(Shapes, ErrorsNameLineAndCure) {
  EXPECT_EQ(error_of(kShapes), "no error");
  std::string text = kShapes;
  text.replace(text.find("ternary"), 7, "float16");
  EXPECT_EQ(error_of(text), "a.yaml:6: weights: `float16` is not a kind of weight that this program knows; use binary, ternary or int2");
  text = kShapes;
  text.replace(text.find("heads: 4"), 8, "heads: 4, kv_heads: 3");
  EXPECT_EQ(error_of(text), "a.yaml:9: 4 heads are not a multiple of 3 key/value heads; give a divisor of heads");
}

TEST(Shapes, AnyTextIsReadOrRefused) {
  const std::string text = kShapes;
  for (size_t n = 0; n < text.size(); ++n) {
    error_of(text.substr(0, n));
    std::string flipped = text;
    flipped[n] = static_cast<char>(flipped[n] ^ (1 << (n % 7)));
    error_of(flipped);
  }
}

TEST(Technology, TheFileHoldsTheDefaults) {
  EXPECT_EQ(load_technology(std::string(BITGRID_SOURCE_DIR) + "/arch/45nm.yaml"), Technology{});
}

/// One kernel of that many tiles.
KernelFigures tiles_of(int width, int height, int64_t tiles) {
  KernelFigures k;
  k.name = "k";
  k.width = width;
  k.height = height;
  k.ii = k.latency_cycles = 1;
  k.tiles = tiles;
  return k;
}

TEST(Estimate, CountsThatDoNotFitAreRefusedNotWrapped) {
  const std::string cure = "; make the model, its context or the number of streams smaller";
  EXPECT_EQ(test::error_of([] { return estimate({tiles_of(1 << 30, 1 << 30, 8)}, {}); }),
            "there are more than 9223372036854775807 cells of k" + cure);
  EXPECT_EQ(test::error_of([] {
              return estimate({tiles_of(1 << 30, 1 << 30, 4), tiles_of(1 << 30, 1 << 30, 4)}, {});
            }),
            "there are more than 9223372036854775807 cells" + cure);
  EXPECT_EQ(test::error_of([] { return estimate({tiles_of(1 << 30, 1 << 30, 1)}, {}); }),
            "there are more than 9223372036854775807 bits of configuration" + cure);
  EstimateParams small_tiles;
  small_tiles.arch.tile_width = small_tiles.arch.tile_height = 1;
  EXPECT_EQ(test::error_of([&] { return estimate({tiles_of(1 << 30, 1 << 30, 8)}, small_tiles); }),
            "there are more than 9223372036854775807 cells of k" + cure);
  KernelFigures busy = tiles_of(1, 1, 1);
  busy.port_bits = busy.invocations = int64_t{1} << 32;
  EXPECT_EQ(test::error_of([&] { return estimate({busy}, {}); }), "there are more than 9223372036854775807 bits of k" + cure);
  const Estimate e = estimate({tiles_of(1 << 28, 1 << 28, 1)}, {});
  EXPECT_EQ(e.configuration_bits, int64_t{1} << 62);
}

// The shapes of GPT-3 with four billion streams gave -1.8e19 cells.
TEST(Estimate, ShapesAndStreamsGivePositiveFiguresOrAnError) {
  const EstimateModel model = read_estimate_model(kExamples + "shapes/gpt3-175b.yaml");
  const SourceKernels source = read_kernels(model, {});
  size_t refused = 0;
  for (int64_t streams = 1; streams <= kMaxStreams; streams *= 4) {
    EstimateParams params;
    params.streams = streams;
    Estimate e;
    if (test::error_of([&] { return e = estimate(source.kernels, params); }) != "no error") {
      ++refused;
      continue;
    }
    EXPECT_EQ(refused, 0U) << "more streams, fewer cells?";
    EXPECT_GT(e.cells_total, streams);
    EXPECT_GT(e.configuration_bits, e.cells_total);
    EXPECT_GT(e.area_mm2, 0);
    EXPECT_GT(e.tiles, 0);
    EXPECT_GT(e.load_seconds, 0);
  }
  EXPECT_GT(refused, 0U);
}

ShapeModel experts(int number) {
  return parse_shapes(
      fmt::format("format: bitgrid-shapes-1\nname: a\nwidth: 1024\nvocabulary: 1024\ncontext: 1024\nweights: int2\nactivation_bits: 12\n"
                  "layers: 1\nattention: {{heads: 16, head_width: 64}}\nfeedforward: {{hidden: 65536, experts: {0}, active: {0}}}\n",
                  number),
      "s.yaml");
}

// 65,536 hidden values of 65,536 experts are 2^32 terms of a sum, which were none as an int.
TEST(Shapes, MoreExpertsMakeLargerSums) {
  const auto shift = [](const ShapeModel& m) { return std::get<Requantise>(m.head_input).shift; };
  EXPECT_EQ(shift(experts(1 << 16)), shift(experts(1 << 14)) + 1);
  const Estimate e = estimate(shape_kernels(experts(1 << 16)), {});
  for (const KernelFigures& k : e.kernels) EXPECT_GT(std::min({int64_t{k.width}, int64_t{k.height}, k.tiles, k.invocations}), 0) << k.name;
  EXPECT_GT(e.cells_total, int64_t{1} << 40);
}

}  // namespace
}  // namespace bitgrid::estimate
