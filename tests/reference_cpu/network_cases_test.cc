// The public QONNX models among the shared cases: every weight, threshold, sum and score, against results of independent evaluators.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "frontend/onnx/evaluate.h"
#include "frontend/onnx/network.h"
#include "ir/file.h"
#include "reference_cpu/network_engine.h"
#include "tests/support/sha256.h"

namespace bitgrid {
namespace {

using Json = nlohmann::json;

std::string from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    const size_t digit = digits.find(c);
    if (digit == std::string::npos) continue;
    word = word << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(word >> bits & 255);
  }
  return out;
}

template <typename T>
std::string little_endian(const std::vector<int64_t>& values) {
  std::string bytes;
  for (const int64_t v : values) {
    const auto n = static_cast<T>(v);
    char b[sizeof(T)];
    std::memcpy(b, &n, sizeof(T));
    bytes.append(b, sizeof(T));
  }
  return bytes;
}

class NetworkCase : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string folder = std::string(BITGRID_SHARED_CASES) + "/qonnx/";
    if (!is_there(folder + GetParam() + ".onnx")) GTEST_SKIP() << "the shared case " << folder << GetParam() << ".onnx is not there";
    graph = frontend::onnx::read_graph(folder + GetParam() + ".onnx");
    network = frontend::onnx::convert(graph, GetParam());
    expected = Json::parse(read_file(folder + GetParam() + ".expected.json"));
    const std::string bytes = from_base64(expected["inputs_u8_base64"].get<std::string>());
    for (size_t row = 0; row < 64; ++row) {
      std::vector<double> x;
      for (size_t i = 0; i < bytes.size() / 64; ++i)
        x.push_back(static_cast<double>(static_cast<float>(static_cast<uint8_t>(bytes[row * bytes.size() / 64 + i])) / 255.0f));
      inputs.push_back(x);
    }
  }
  const NetworkMatrix& matrix(size_t i) const { return std::get<NetworkMatrix>(network.layers[i]); }

  frontend::onnx::Graph graph;
  IntegerNetwork network;
  Json expected;
  std::vector<std::vector<double>> inputs;
};

TEST_P(NetworkCase, WeightsAndThresholdsAreThose) {
  ASSERT_EQ(network.layers.size(), expected["layers"].size());
  for (size_t l = 0; l < network.layers.size(); ++l) {
    SCOPED_TRACE(l);
    const Json& layer = expected["layers"][l];
    const NetworkMatrix& m = matrix(l);
    EXPECT_EQ(test::sha256(little_endian<int8_t>({m.weights.begin(), m.weights.end()})),
              layer["weights_sha256_int8_NxK"].get<std::string>());
    if (!layer.contains("thresholds")) continue;
    const Thresholds& t = *m.thresholds;
    EXPECT_EQ(t.range.step, layer["step"].get<int>());
    const auto levels = static_cast<size_t>(t.range.levels());
    for (size_t c = 0; c < t.direction.size(); ++c)
      for (int64_t s = layer["reach"][c][0]; s <= layer["reach"][c][1]; ++s) {
        int64_t code = layer["codes_out"][0];
        for (size_t j = 0; j < levels; ++j) {
          const int64_t at = layer["thresholds"][c][j];
          code += (layer["direction"][c] > 0 ? s >= at : s <= at) ? t.range.step : 0;
        }
        ASSERT_EQ(code_of(t, c, s), code) << "channel " << c << ", sum " << s;
      }
  }
}

TEST_P(NetworkCase, EverySumAndScoreIsThat) {
  std::vector<std::vector<int64_t>> sums(network.layers.size());
  std::vector<int64_t> first;
  for (size_t row = 0; row < 64; ++row) {
    const auto codes = input_codes(network.input, inputs[row], "input");
    first.insert(first.end(), codes.begin(), codes.end());
    const auto scores = cpu::run_network(network, codes, [&](const std::string& name, std::span<const int64_t> values) {
      for (size_t l = 0; l < sums.size(); ++l)
        if (name == layer_name(l) + ".sums" || (name == "scores" && l + 1 == sums.size()))
          sums[l].insert(sums[l].end(), values.begin(), values.end());
    });
    EXPECT_EQ(scores, expected["integer_scores"][row].get<std::vector<int64_t>>()) << "input " << row;
    EXPECT_EQ(answer(network, scores).at(0), expected["argmax"][row].get<int64_t>()) << "input " << row;
  }
  EXPECT_EQ(test::sha256(little_endian<int16_t>(first)), expected["first_layer_codes_sha256_int16"].get<std::string>());
  for (size_t l = 0; l < sums.size(); ++l)
    EXPECT_EQ(test::sha256(little_endian<int32_t>(sums[l])), expected["layers"][l]["sums_sha256_int32_64xN"].get<std::string>())
        << "layer " << l;
}

TEST_P(NetworkCase, TheGraphInFloatingPointGivesTheOutputs) {
  for (size_t row = 0; row < 64; row += 9) {
    const auto values = frontend::onnx::evaluate_graph(graph, {{1, 1, 28, 28}, inputs[row]}, graph.outputs[0]);
    const auto& out = values.at(graph.outputs[0]).values;
    for (size_t i = 0; i < out.size(); ++i) {
      const double wanted = expected["outputs"][row][i];
      EXPECT_NEAR(out[i], wanted, 1e-9 * std::abs(wanted)) << "input " << row << ", output " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, NetworkCase, testing::Values("TFC_1W1A", "TFC_2W2A"));

}  // namespace
}  // namespace bitgrid
