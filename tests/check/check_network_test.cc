// Networks of ONNX files that the tests make: every engine against the definition, and the definition against the graph itself.
#include "check/check_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/file.h"
#include "lowering/networks/lower_network.h"
#include "tests/support/errors.h"
#include "tests/support/onnx_file.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::check {
namespace {

using testing::HasSubstr;

engines::OpenNetwork open(const frontend::onnx::Graph& graph) {
  const test::ScratchFolder folder;
  const std::string path = folder.file("made.onnx");
  write_file(path, test::onnx_bytes(graph));
  engines::OpenNetworkParams params;
  params.samples = 20;
  return engines::open_network(path, params);
}

NetworkCheckReport check_on(const engines::OpenNetwork& network, const engines::Engine& engine) {
  NetworkCheckParams params;
  params.engines = {&engine};
  return check_network(network, params);
}

void expect_equal(const frontend::onnx::Graph& graph) {
  const NetworkCheckReport report = check_on(open(graph), engines::find_engine("dag"));
  EXPECT_TRUE(report.ok()) << (report.first ? report.first->name : "the graph in floating point");
  EXPECT_GT(report.engines[0].compared, 20u * 10u);
  EXPECT_GT(report.graph->compared, 20u);
}

TEST(CheckNetwork, DenseNetworksAreTheirGraphs) {
  for (unsigned seed = 1; seed <= 5; ++seed) expect_equal(test::small_dense_graph(seed));
}

TEST(CheckNetwork, ConvolutionsAndPoolsAreTheirGraphs) {
  for (unsigned seed = 1; seed <= 5; ++seed) expect_equal(test::small_conv_graph(seed));
}

/// Windows beyond the map: 0 among -1 and 1, among 1 .. 4 and among multiples of 2; in pools, what no window takes.
TEST(CheckNetwork, PaddedConvolutionsAndPoolsAreTheirGraphs) {
  for (unsigned seed = 1; seed <= 5; ++seed) expect_equal(test::padded_conv_graph(seed));
}

TEST(CheckNetwork, ConvolutionsThatTilesCutAreTheirGraphs) {
  for (const auto& graph : {test::small_conv_graph(1), test::padded_conv_graph(2)}) {
    const engines::OpenNetwork network = open(graph);
    NetworkCheckParams params;
    params.engines = {&engines::find_engine("dag")};
    params.run.tile = {16, 20};
    EXPECT_TRUE(check_network(network, params).ok());
    const Program cut = networks::lower_network(network.network, {params.run.tile}).program;
    EXPECT_TRUE(std::any_of(cut.kernels.begin(), cut.kernels.end(), [](const Kernel& k) { return k.name.ends_with(".part1"); }));
  }
}

TEST(CheckNetwork, MappedConvolutionsComputeTheSame) {
  for (const auto& graph : {test::small_conv_graph(1), test::padded_conv_graph(1)})
    EXPECT_TRUE(check_on(open(graph), engines::find_engine("grid")).ok());
}

TEST(CheckNetwork, AWrongCodeIsFound) {
  engines::Engine wrong;
  wrong.name = "wrong";
  wrong.of_network = [](const IntegerNetwork& network, const engines::NetworkRunParams& params) {
    engines::NetworkRunner runner = engines::cpu_network_runner(network, params);
    runner.run = [right = runner.run](const std::vector<std::vector<int64_t>>& codes, const engines::SampleTrace& trace) {
      return right(codes, [&](size_t sample, const std::string& name, std::span<const int64_t> values) {
        std::vector<int64_t> told(values.begin(), values.end());
        if (sample == 3 && name == "layers.1.sums") ++told[2];
        trace(sample, name, told);
      });
    };
    return runner;
  };
  const NetworkCheckReport report = check_on(open(test::small_dense_graph(1)), wrong);
  EXPECT_FALSE(report.ok());
  ASSERT_TRUE(report.first);
  EXPECT_EQ(report.first->name, "layers.1.sums");
  EXPECT_EQ(report.first->sample, 3u);
  EXPECT_EQ(report.first->index, 2u);
  EXPECT_EQ(report.engines[0].mismatches, 1u);
}

TEST(CheckNetwork, NodesThatAreNotConvertedAreNamed) {
  test::GraphMaker m({-1, 4});
  m.quant(2, 1.0, true);
  m.dense("MatMul", test::numbers({4, 2}, {1, -1, 1, 1, -1, 1, 0, 1}), 2, 1.0);
  m.node("Sigmoid", {});
  const std::string message = test::error_of([&] { open(m.finished()); });
  EXPECT_THAT(message, HasSubstr("Sigmoid"));
}

/// All problems at once, of whatever kind: nodes behind the first one are looked at as well.
TEST(CheckNetwork, EveryNodeThatIsNotConvertedIsNamedAtOnce) {
  test::GraphMaker m({1, 1, 8, 8});
  const auto quant = m.quant(2, -1.0, true);  // a scale below 0
  const auto floats = m.node("Conv", {test::numbers({1, 1, 3, 3}, {.3, .17, -.7, .29, .9, -.43, .5, .8, -.61})});
  const auto unquantised = m.dense("Conv", test::numbers({1, 1, 1, 1}, {1}), 2, 1.0);
  const auto tanh = m.node("Tanh", {});
  const auto rounding = m.quant(2, 1.0, true, false, "STOCHASTIC");
  const auto gaps = m.dense("Conv", test::numbers({1, 1, 2, 2}, {1, 1, 1, -1}), 2, 1.0, {{"dilations", std::vector<int64_t>{2, 2}}});
  const auto behind = m.quant(17, 1.0, true);
  const auto lstm = m.node("LSTM", {});
  const auto reading = frontend::onnx::read_network(m.finished());
  std::vector<std::string> said;
  for (const auto& p : reading.problems) said.push_back(frontend::onnx::text_of(p));
  EXPECT_THAT(said,
              testing::ElementsAre(
                  "node " + quant +
                      " (Quant), input 1 (scale): it holds -1; expected scales above 0; train or export the quantiser with positive scales",
                  HasSubstr("node " + floats + " (Conv), input 1 (c5): weight 0 of output 0 is 0.3"),
                  HasSubstr("node " + unquantised +
                            " (Conv), input 0: what it reads is not quantised; expected a quantiser between two matrices; put a Quant"),
                  HasSubstr("node " + tanh + " (Tanh): this operator is not converted; expected an operator of docs/onnx.md; use ReLU"),
                  HasSubstr("node " + rounding + " (Quant), attribute rounding_mode: it is STOCHASTIC; expected ROUND, CEIL"),
                  HasSubstr("node " + gaps + " (Conv), attribute dilations: the window has gaps; expected dilations 1"),
                  HasSubstr("node " + behind + " (Quant), input 3 (bit width): it holds 17; expected one whole number from 1 to 16"),
                  HasSubstr("node " + lstm + " (LSTM): this operator is not converted")));
  EXPECT_FALSE(reading.network);
}

/// Sizes near the ends of their types, in constants that nothing converts.
TEST(CheckNetwork, HostileSizesAreRefused) {
  const auto said = [](const std::string& op, std::vector<frontend::onnx::Constant> inputs,
                       std::map<std::string, frontend::onnx::Attribute> attributes) {
    test::GraphMaker m({1, 1, 4, 4});
    m.node(op, inputs, attributes);
    m.graph.nodes[0].inputs.erase(m.graph.nodes[0].inputs.begin());  // constants alone
    const auto reading = frontend::onnx::read_network(m.finished());
    return reading.problems.empty() ? "" : frontend::onnx::text_of(reading.problems[0]);
  };
  const auto maps = test::numbers({1, 1, 1, 1}, {1.0});
  EXPECT_THAT(said("Conv", {maps, maps, test::numbers({3}, {1, 2, 3})}, {}),
              HasSubstr("input 2: it has not one number for each channel; expected 1"));
  EXPECT_THAT(said("Conv", {maps, maps}, {{"group", int64_t{1} << 62}}), HasSubstr("attribute group: it does not fit the channels"));
  EXPECT_THAT(said("Reshape", {maps, test::numbers({1}, {1e30})}, {}), HasSubstr("its shape or axes hold 1e+30"));
}

/// Of a file that is cut short anywhere, no more than an Error.
TEST(CheckNetwork, FilesThatAreCutAreRefused) {
  const std::string bytes = test::onnx_bytes(test::small_dense_graph(1));
  for (size_t n = 0; n < bytes.size(); n += 7)
    EXPECT_NE(test::error_of([&] { frontend::onnx::convert(frontend::onnx::parse_graph(bytes.substr(0, n), "cut.onnx"), "cut.onnx"); }),
              "");
}

}  // namespace
}  // namespace bitgrid::check
