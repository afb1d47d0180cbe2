// What a kernel of somebody else's gets wrong is found and explained: each test makes one mistake in exact arrays.
#include "check/against.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "check/against_model.h"
#include "check/against_network.h"
#include "check/array_mistakes.h"
#include "ir/file.h"
#include "ir/index.h"
#include "reference_cpu/golden.h"
#include "tests/support/errors.h"
#include "tests/support/onnx_file.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::check {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// An array without arithmetic: rows of 3 channels on maps of 2 x 4, values from -700 on.
ExactArray plain_array() {
  ExactArray e{"a", {"node"}, {3, 2, 4}, {}};
  std::mt19937 random(1);
  for (int i = 0; i < 4 * 24; ++i) e.values.push_back(static_cast<int64_t>(random() % 1400) - 700);
  return e;
}

AgainstReport against(const ExactArray& e, const std::vector<double>& got, const std::string& name) {
  const size_t rows = e.values.size() / e.map.size();
  return compare_arrays({e}, rows, {{name, {{rows, e.map.size()}, got}}}, "x.npz");
}

/// What is said where each value is f of the exact values and the index.
template <typename F>
std::string explanation(const ExactArray& e, F f) {
  std::vector<double> got;
  for (size_t i = 0; i < e.values.size(); ++i) got.push_back(static_cast<double>(f(i)));
  const AgainstReport report = against(e, got, e.name);
  return report.first ? report.first->explanation : "no difference";
}

TEST(Against, EqualArraysAreEqual) {
  const ExactArray e = plain_array();
  const AgainstReport report = against(e, std::vector<double>(e.values.begin(), e.values.end()), "node");
  EXPECT_FALSE(report.first);
  EXPECT_EQ(report.arrays[0].compared, 96u);
}

TEST(Against, TheFirstDifferenceIsNamed) {
  const ExactArray e = plain_array();
  std::vector<double> got(e.values.begin(), e.values.end());
  got[24 + 8 + 5] += 3.0;
  got[70] -= 1.0;
  const AgainstReport report = against(e, got, e.name);
  ASSERT_TRUE(report.first);
  EXPECT_EQ(report.first->row, 1u);
  EXPECT_EQ(report.first->where, "channel 1, y 1, x 1");
  EXPECT_EQ(static_cast<double>(report.first->expected) + 3.0, report.first->got);
  EXPECT_EQ(report.first->explanation, "");
  EXPECT_EQ(report.arrays[0].mismatches, 2u);
}

TEST(Against, NamesAndShapesAreChecked) {
  const ExactArray e = plain_array();
  const auto said = [&](const std::vector<frontend::NpzEntry>& arrays) {
    return test::error_of([&] { compare_arrays({e}, 4, arrays, "x.npz"); });
  };
  const std::vector<double> values(e.values.begin(), e.values.end());
  EXPECT_THAT(said({}), HasSubstr("x.npz: it has no arrays"));
  EXPECT_THAT(said({{"b", {{4, 24}, values}}}), HasSubstr("x.npz, array b: no values of the model have this name; name arrays as a"));
  EXPECT_THAT(said({{"a", {{24, 4}, values}}}), HasSubstr("its shape is [24, 4], where the exact values have [4, 3, 2, 4]"));
  EXPECT_THAT(said({{"a", {{4, 24}, values}}, {"node", {{4, 24}, values}}}), HasSubstr("another array has the values of a already"));
}

TEST(Against, ArraysBeforeTheFirstDifferenceThatAreMissingAreNamed) {
  ExactArray before = plain_array(), e = plain_array();
  before.name = "before";
  before.other_names.clear();
  const AgainstReport report = compare_arrays({before, e}, 4, {{"a", {{4, 24}, std::vector<double>(96, 0.0)}}}, "x.npz");
  EXPECT_THAT(report.missing_before, ElementsAre("before"));
}

TEST(Against, WidthsAreExplained) {
  ExactArray e = plain_array();
  EXPECT_THAT(explanation(e, [&](size_t i) { return wrapped(e.values[i], 8); }), HasSubstr("it wraps at int8: the exact values reach -"));
  EXPECT_THAT(explanation(e, [&](size_t i) { return saturated(e.values[i], 8); }), HasSubstr("it stops at the ends of int8"));
  EXPECT_THAT(explanation(e, [&](size_t i) { return e.values[i] & 0xffff; }), HasSubstr("its negative numbers were read as uint16"));
  for (int64_t& v : e.values) v *= 100;
  EXPECT_THAT(explanation(e, [&](size_t i) { return wrapped(e.values[i], 16); }), HasSubstr("it wraps at int16"));
}

TEST(Against, OrdersAreExplained) {
  const ExactArray e = plain_array();
  const auto at = [&](size_t i, size_t from) { return e.values[i / 24 * 24 + from]; };
  EXPECT_THAT(explanation(e, [&](size_t i) { return at(i, i % 3 * 8 + i % 24 / 3); }), HasSubstr("in the order row, column, channel"));
  EXPECT_THAT(explanation(e, [&](size_t i) { return at(i, i % 24 / 8 * 8 + i % 2 * 4 + i % 8 / 2); }),
              HasSubstr("the maps are transposed"));
  EXPECT_THAT(explanation(e, [&](size_t i) { return at(i, 23 - i % 24); }), HasSubstr("in reverse order"));
  EXPECT_EQ(explanation(e, [&](size_t i) { return e.values[(i + 24) % 96]; }), "row 0 holds what row 1 should: rows are in another order");
}

TEST(Against, ChannelsAreExplained) {
  const ExactArray e = plain_array();
  const auto channel = [](size_t i) { return i % 24 / 8; };
  EXPECT_EQ(explanation(e, [&](size_t i) { return channel(i) == 0   ? e.values[i + 16]
                                                  : channel(i) == 2 ? e.values[i - 16]
                                                                    : e.values[i]; }),
            "channels 0 and 2 are exchanged");
  EXPECT_EQ(explanation(e, [&](size_t i) { return channel(i) == 1 ? e.values[i - 8] : e.values[i]; }),
            "channel 1 has the values of channel 0");
}

TEST(Against, ScalesAndOffsetsAreExplained) {
  const ExactArray e = plain_array();
  const auto own = [](size_t i) { return i % 24 / 8 == 1; };
  EXPECT_THAT(explanation(e, [&](size_t i) { return -e.values[i]; }), HasSubstr("every value is negated"));
  EXPECT_THAT(explanation(e, [&](size_t i) { return static_cast<double>(e.values[i]) * 0.25; }),
              HasSubstr("every value is 0.25 times the exact one"));
  EXPECT_THAT(explanation(e, [&](size_t i) { return e.values[i] + 128; }),
              HasSubstr("every value is 128 too large: an offset or zero point"));
  EXPECT_THAT(explanation(e, [&](size_t i) { return own(i) ? -e.values[i] : e.values[i]; }),
              HasSubstr("channel 1 is negated in every row"));
  EXPECT_THAT(explanation(e, [&](size_t i) { return own(i) ? 2 * e.values[i] : e.values[i]; }),
              HasSubstr("channel 1 is 2 times the exact one in every row"));
  EXPECT_THAT(explanation(e, [&](size_t i) { return own(i) ? e.values[i] - 7 : e.values[i]; }),
              HasSubstr("channel 1 is 7 too small in every row: a bias"));
}

/// A network and its exact arrays by name.
struct Network {
  engines::OpenNetwork open;
  std::vector<ExactArray> arrays;

  explicit Network(const frontend::onnx::Graph& graph) {
    const test::ScratchFolder folder;
    write_file(folder.file("n.onnx"), test::onnx_bytes(graph));
    open = engines::open_network(folder.file("n.onnx"), {});
    arrays = exact_arrays(open);
  }
  const ExactArray& operator[](const std::string& name) const {
    return *std::find_if(arrays.begin(), arrays.end(), [&](const ExactArray& e) { return e.name == name; });
  }
  const NetworkMatrix& matrix(size_t l) const { return std::get<NetworkMatrix>(open.network.layers[l]); }
  /// What is said of a layer's array where the same layer of another network computed it.
  std::string said_of(const std::string& name, const Network& other) const {
    const ExactArray& wrong = other[name];
    return explanation((*this)[name], [&](size_t i) { return wrong.values[i]; });
  }
};

/// Sums of codes 0 .. 15 by weights of +-1, halved: every odd sum lies on a half.
frontend::onnx::Graph halves_graph(const std::string& rounding) {
  test::GraphMaker m({-1, 6}, "halves");
  m.quant(4, 1.0, false);
  m.dense("MatMul", test::numbers({6, 3}, {1, -1, 1, 1, 1, -1, -1, 1, 1, 1, 1, 1, -1, 1, -1, 1, -1, 1}), 2, 1.0);
  m.node("Mul", {test::number(0.5)});
  m.quant(4, 1.0, true, false, rounding);
  m.dense("MatMul", test::numbers({3, 2}, {1, -1, 1, 1, -1, 1}), 2, 1.0);
  return m.finished();
}

TEST(AgainstNetwork, RoundingIsExplained) {
  const Network n(halves_graph("ROUND"));
  EXPECT_EQ(n.said_of("layers.0", Network(halves_graph("HALF_UP"))), "it rounds by HALF_UP; the graph states ROUND (halves to even)");
  EXPECT_EQ(n.said_of("layers.0", Network(halves_graph("FLOOR"))), "it rounds by FLOOR; the graph states ROUND (halves to even)");
}

TEST(AgainstNetwork, EpsilonIsExplained) {
  const auto graph = [](double epsilon) {
    test::GraphMaker m({-1, 6}, "norm");
    m.quant(4, 1.0, false);
    m.dense("MatMul", test::numbers({6, 1}, {1, -1, 1, 1, 1, -1}), 2, 1.0);
    const auto one = [](double v) { return test::numbers({1}, {v}); };
    m.node("BatchNormalization", {one(0.05), one(0), one(0), one(0.002)}, {{"epsilon", epsilon}});
    m.quant(4, 1.0, true);
    m.dense("MatMul", test::numbers({1, 2}, {1, -1}), 2, 1.0);
    return m.finished();
  };
  EXPECT_EQ(Network(graph(1e-5)).said_of("layers.0", Network(graph(1e-3))),
            "its BatchNormalization has epsilon 0.001, which is not the graph's");
}

TEST(AgainstNetwork, ThresholdsAreExplained) {
  const Network n(halves_graph("ROUND"));
  const ExactArray& e = n["layers.0"];
  const ExactArray& sums = n["layers.0.sums"];
  const Thresholds& t = *n.matrix(0).thresholds;
  EXPECT_EQ(explanation(e, [&](size_t i) { return code_of(t, i % 3, sums.values[i] - 1); }),
            "a sum that is equal to a threshold does not reach it: > in place of >=");
  EXPECT_EQ(explanation(e, [&](size_t i) { return code_of(t, i % 3, wrapped(sums.values[i], 4)); }), "");
  EXPECT_EQ(explanation(e, [&](size_t i) { return e.values[i] - t.range.lo; }), "its codes are 0 .. 15; expected -8 .. 7 in steps of 1");
}

TEST(AgainstNetwork, SwappedScalesAreExplained) {
  const Network n(test::small_dense_graph(1));
  const ExactArray& e = n["layers.0"];
  const ExactArray& sums = n["layers.0.sums"];
  const Thresholds& t = *n.matrix(0).thresholds;
  const auto swapped = [](size_t c) { return c == 2 ? size_t{5} : c == 5 ? size_t{2} : c; };
  EXPECT_THAT(explanation(e, [&](size_t i) { return code_of(t, swapped(i % 8), sums.values[i]); }),
              HasSubstr("channels 2 and 5 have each other's thresholds: a swapped scale or bias"));
  EXPECT_THAT(explanation(e, [&](size_t i) { return code_of(t, i % 8 == 2 ? 5 : i % 8, sums.values[i]); }),
              HasSubstr("channel 2 was computed with the thresholds of channel 5"));
}

TEST(AgainstNetwork, SumsOfConvolutionsAreExplained) {
  const Network n(test::small_conv_graph(1));
  const ExactArray& e = n["layers.0.sums"];
  EXPECT_EQ(explanation(e, [&](size_t i) { return (e.values[i] + 18) / 2; }), "it counts equal bits: the sum is 2 * count - 18");
  auto turned = test::small_conv_graph(1);
  for (auto& [name, c] : turned.constants)
    if (c.shape == std::vector<int64_t>{4, 2, 3, 3})
      for (size_t i = 0; i < 8; ++i)
        std::reverse(c.values.begin() + static_cast<long>(i) * 9, c.values.begin() + static_cast<long>(i + 1) * 9);
  EXPECT_THAT(n.said_of("layers.0.sums", Network(turned)), HasSubstr("its kernel is turned by 180 degrees"));
}

TEST(AgainstNetwork, PaddingIsExplained) {
  const Network n(test::padded_conv_graph(1));
  const ExactArray &x = n["input"], &e = n["layers.0.sums"];
  const NetworkMatrix& m = n.matrix(0);
  EXPECT_EQ(explanation(e,
                        [&](size_t i) {
                          const int c = int_of(i % 100 / 25), y = int_of(i % 25 / 5), column = int_of(i % 5);
                          int64_t missing = 0;  // what -1 in place of 0 adds
                          for (int d = 0; d < 2; ++d)
                            for (int r = 0; r < 3; ++r)
                              for (int k = 0; k < 3; ++k) {
                                const int row = y + r - 1, at = column + k - 1;
                                if (row < 0 || row > 4 || at < 0 || at > 4) missing -= m.row(c)[(d * 3 + r) * 3 + k];
                              }
                          return e.values[i] + missing;
                        }),
            "the padding was taken as -1; expected 0");
  EXPECT_EQ(x.values.size(), 64u * 50u);
}

TEST(AgainstNetwork, OrdersOfDenseLayersAreExplained) {
  test::GraphMaker m({1, 2, 2, 2});
  m.node("BipolarQuant", {test::number(1)});
  m.node("Flatten", {}, {{"axis", int64_t{1}}});
  std::vector<double> weights;
  std::mt19937 random(3);
  for (int i = 0; i < 64; ++i) weights.push_back(random() % 2 ? 1.0 : -1.0);
  m.dense("MatMul", test::numbers({8, 8}, weights), 1, 1.0);
  m.node("BipolarQuant", {test::number(1)});
  m.dense("MatMul", test::numbers({8, 8}, weights), 1, 1.0);
  const Network n(m.finished());
  std::vector<double> transposed;
  for (size_t i = 0; i < 64; ++i) transposed.push_back(weights[i % 8 * 8 + i / 8]);
  const ExactArray &x = n["layers.0"], &e = n["scores"];
  EXPECT_EQ(explanation(e,
                        [&](size_t i) {
                          int64_t sum = 0;
                          for (size_t k = 0; k < 8; ++k) sum += static_cast<int64_t>(transposed[k * 8 + i % 8]) * x.values[i / 8 * 8 + k];
                          return sum;
                        }),
            "its weights are transposed");
}

/// A model's exact arrays, and what its arithmetic says of a mistake.
struct Text {
  Model model = tiny_model();
  std::vector<ExactArray> arrays = exact_arrays(model, {0, 1, 2, 1, 0, 2, 2, 1});
  const ExactArray& operator[](const std::string& name) const {
    return *std::find_if(arrays.begin(), arrays.end(), [&](const ExactArray& e) { return e.name == name; });
  }
};

TEST(AgainstModel, RequantisationsAreExplained) {
  const Text t;
  const ExactArray& e = t["layers.0.input"];
  const ExactArray& stream = t["embedding"];
  const auto& r = std::get<Requantise>(std::get<Attention>(t.model.layers[0]).input);
  const auto with = [&](int64_t rounding, int64_t u, size_t c) {
    const int64_t b = r.bias.empty() ? 0 : r.bias[c], m = r.multiplier.empty() ? 1 : r.multiplier[r.multiplier.size() == 1 ? 0 : c];
    return std::clamp<int64_t>(((u + b) * m + rounding) >> r.shift, r.lo, r.hi);
  };
  const auto width = static_cast<size_t>(t.model.width);
  ASSERT_GT(r.shift, 0);
  EXPECT_EQ(explanation(e, [&](size_t i) { return with(0, stream.values[i], i % width); }),
            "it rounds down: the half is not added before the shift");
}

}  // namespace
}  // namespace bitgrid::check
