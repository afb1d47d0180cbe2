// The CPU engine of models with scales against two independent reference engines: tokens, constants and 35 intermediate values of
// ../shared/cases/llm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "frontend/checkpoint/checkpoint.h"
#include "frontend/checkpoint/convert.h"
#include "ir/file.h"
#include "reference_cpu/scaled/scaled_engine.h"
#include "tests/support/case_checkpoint.h"

namespace bitgrid::cpu {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

const std::string kCases = std::string(BITGRID_SHARED_CASES) + "/llm/";

uint32_t checksum(const std::vector<int64_t>& values) {
  std::string bytes;
  for (const int64_t v : values)
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(static_cast<uint64_t>(v) >> (8 * i) & 255U);
  return crc32(bytes);
}

/// Names of intermediate values that differ from the expected ones, with their position.
std::vector<std::string> differences(const ScaledEngine& engine, const json& expected) {
  std::vector<std::string> wrong;
  ScaledState state = engine.start();
  const std::vector<int> tokens = expected.at("tokens");
  const std::vector<int> positions = expected.at("positions");
  size_t compared = 0;
  for (size_t t = 0; t < tokens.size(); ++t) {
    const auto at = std::find(positions.begin(), positions.end(), static_cast<int>(t));
    const auto look = [&](const std::string& name, const std::vector<int64_t>& values) {
      if (at == positions.end()) return;
      const auto& sums = expected.at("crc32_of_int64_little_endian");
      if (!sums.contains(name)) return;
      ++compared;
      if (sums.at(name).at(static_cast<size_t>(at - positions.begin())) != checksum(values))
        wrong.push_back(name + " at " + std::to_string(t));
    };
    const ScaledLogits z = engine.step(state, tokens[t], true, look);
    const bool generated = t + 1 >= expected.at("prompt").get<std::string>().size() && t + 1 < tokens.size();
    const auto best = std::max_element(z.values.begin(), z.values.end()) - z.values.begin();
    if (generated && best != tokens[t + 1]) wrong.push_back("token " + std::to_string(t + 1));
  }
  if (compared != expected.at("crc32_of_int64_little_endian").size() * positions.size()) wrong.push_back("values were missing");
  return wrong;
}

/// Files that people hold, or the containers of the cases.
std::shared_ptr<const frontend::Checkpoint> read_any(const std::string& path) {
  if (path.ends_with(".safetensors")) return test::read_case(path);
  return std::make_shared<const frontend::Checkpoint>(frontend::read_checkpoint(path));
}

struct Case {
  const char* model;
  const char* expected;
  const char* cache;
  SumKernel kernel = SumKernel::kFast;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.expected << (c.kernel == SumKernel::kFast ? "" : ", definition");
}

class ScaledCases : public ::testing::TestWithParam<Case> {};

TEST_P(ScaledCases, TokensAndIntermediateValuesAreThoseExpected) {
  if (!std::filesystem::exists(kCases + GetParam().model)) GTEST_SKIP() << "shared cases are absent: " << kCases;
  const ScaledModel model = frontend::convert(read_any(kCases + GetParam().model));
  const ScaledEngine engine(model, {parse_cache_forms(GetParam().cache), {GetParam().kernel, 2}});
  EXPECT_THAT(differences(engine, json::parse(read_file(kCases + GetParam().expected))), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, ScaledCases,
                         ::testing::Values(Case{"bitnet-kjv.safetensors", "tokens_expected.json", ""},
                                           Case{"bitnet-kjv.safetensors", "tokens_expected.json", "", SumKernel::kDefinition},
                                           Case{"bitnet-kjv-hf", "tokens_expected.json", ""},
                                           Case{"bitnet-kjv-q2_0.gguf", "tokens_expected.json", ""},
                                           Case{"bitnet-kjv.safetensors", "tokens_expected_kv4.json", "k=4:mean:rotated,v=4:max:rotated"},
                                           Case{"qwen3-kjv.safetensors", "tokens_expected_qwen3.json", ""},
                                           Case{"qwen3-kjv.safetensors", "tokens_expected_qwen3.json", "", SumKernel::kDefinition}));

TEST(ScaledCases, AWrongScaleIsFound) {
  if (!std::filesystem::exists(kCases + "bitnet-kjv.safetensors")) GTEST_SKIP() << "shared cases are absent: " << kCases;
  ScaledModel model = frontend::convert(test::read_case(kCases + "bitnet-kjv.safetensors"));
  std::get<SoftmaxAttention>(model.layers[2]).key.scale.m -= 4096;
  EXPECT_THAT(differences(ScaledEngine(model), json::parse(read_file(kCases + "tokens_expected.json"))),
              ::testing::Contains(::testing::StartsWith("model.layers.1.")));
}

}  // namespace
}  // namespace bitgrid::cpu
