// Weights whose groups share a scale: Bonsai unpacked, and MLX.
#include <gmock/gmock.h>

#include <cmath>

#include "tests/frontend/huggingface_fixture.h"

namespace bitgrid::frontend::huggingface_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kQuery[] = "model.layers.0.self_attn.q_proj.weight";

/// A Qwen3 graph of width 128 with a tied embedding of 4 tokens.
class Groups : public HuggingFaceFolder {
 protected:
  static constexpr uint64_t kWide = 128, kInner = 256;

  Groups() {
    config = {{"architectures", {"Qwen3ForCausalLM"}},
              {"model_type", "qwen3"},
              {"vocab_size", 4},
              {"hidden_size", kWide},
              {"num_hidden_layers", 1},
              {"num_attention_heads", 2},
              {"num_key_value_heads", 1},
              {"head_dim", 64},
              {"intermediate_size", kInner},
              {"tie_word_embeddings", true},
              {"rms_norm_eps", 1e-6},
              {"hidden_act", "silu"},
              {"max_position_embeddings", 64},
              {"rope_theta", 1e6}};
    tensors.clear();
    for (const char* norm : {"input_layernorm", "post_attention_layernorm"}) add_ones(kLayer + norm + ".weight", kWide);
    for (const char* norm : {"self_attn.q_norm", "self_attn.k_norm"}) add_ones(kLayer + norm + ".weight", 64);
    add_ones("model.norm.weight", kWide);
  }

  std::vector<Matrix> all() const {
    return {{"model.embed_tokens.weight", 4, kWide},
            {kLayer + "self_attn.q_proj.weight", kWide, kWide},
            {kLayer + "self_attn.k_proj.weight", 64, kWide},
            {kLayer + "self_attn.v_proj.weight", 64, kWide},
            {kLayer + "self_attn.o_proj.weight", kWide, kWide},
            {kLayer + "mlp.gate_proj.weight", kInner, kWide},
            {kLayer + "mlp.up_proj.weight", kInner, kWide},
            {kLayer + "mlp.down_proj.weight", kWide, kInner}};
  }

  template <typename Values>
  void add_unpacked(DType dtype, Values values) {
    for (const auto& [name, rows, columns] : all()) {
      std::vector<double> numbers;
      for (uint64_t i = 0; i < rows * columns; ++i) numbers.push_back(values(i));
      add(tensor_of(name, dtype, {rows, columns}, numbers));
    }
  }
  static double binary(uint64_t i) { return (i * 7 % 5 < 2 ? -1.0 : 1.0) * (static_cast<double>(i / 128 % 3) + 1.0) / 64.0; }

  void add_mlx(uint64_t bits, uint64_t group, double scale, double bias, unsigned char bytes) {
    config["quantization"] = {{"bits", bits}, {"group_size", group}};
    for (const auto& [name, rows, columns] : all()) {
      const std::string module = name.substr(0, name.size() - 7);
      add({name, DType::kU32, {rows, columns * bits / 32}, std::string(rows * columns * bits / 8, static_cast<char>(bytes))});
      add(tensor_of(module + ".scales", DType::kF16, {rows, columns / group}, std::vector<double>(rows * columns / group, scale)));
      add(tensor_of(module + ".biases", DType::kF16, {rows, columns / group}, std::vector<double>(rows * columns / group, bias)));
    }
  }
};

TEST_F(Groups, OneMagnitudeInEachGroupIsBinary) {
  for (const DType dtype : {DType::kF16, DType::kBF16, DType::kF32}) {
    std::erase_if(tensors, [](const Tensor& t) { return t.shape.size() == 2; });
    add_unpacked(dtype, binary);
    EXPECT_EQ(refusal(), "runs");
    const Checkpoint checkpoint = read();
    const CheckpointTensor& down = find(checkpoint, kLayer + "mlp.down_proj.weight");
    EXPECT_EQ(down.values, StoredValues::kBinary);
    EXPECT_EQ(find(checkpoint, "model.embed_tokens.weight").values, StoredValues::kBinary);
    EXPECT_THAT(scales_of(down, 1), ElementsAre(3.0f / 64, 1.0f / 64));
    const std::vector<float> floats = floats_of(down, 1);
    const std::vector<int> codes = codes_of(down, 1);
    for (uint64_t c = 0; c < kInner; ++c) {
      EXPECT_EQ(floats[c], static_cast<float>(binary(kInner + c)));
      EXPECT_EQ(codes[c], floats[c] < 0 ? -1 : 1);
    }
  }
}

TEST_F(Groups, ZerosAndOneMagnitudeAreTernary) {
  add_unpacked(DType::kF16, [](uint64_t i) { return (static_cast<double>(i % 3) - 1.0) / 32.0; });
  const Checkpoint checkpoint = read();
  EXPECT_EQ(find(checkpoint, kQuery).values, StoredValues::kTernary);
  EXPECT_EQ(refusal(), "runs");
}

TEST_F(Groups, AGroupOfZerosHasTheScaleZero) {
  add_unpacked(DType::kF16, [](uint64_t i) { return i < 128 ? 0.0 : binary(i); });
  const Checkpoint checkpoint = read();
  EXPECT_EQ(find(checkpoint, kQuery).values, StoredValues::kBinary);
  EXPECT_THAT(codes_of(find(checkpoint, kQuery), 0), Each(0));
  EXPECT_THAT(scales_of(find(checkpoint, kQuery), 0), ElementsAre(0.0f));
}

TEST_F(Groups, OneScaleInAllGroupsIsThatOfTheTensor) {
  add_unpacked(DType::kF16, [](uint64_t i) { return i < 128 ? 0.0 : i % 2 == 0 ? -0.25 : 0.25; });
  const Checkpoint checkpoint = read();
  EXPECT_EQ(find(checkpoint, kQuery).sharing, ScaleSharing::kTensor);
  EXPECT_EQ(find(checkpoint, kQuery).tensor_scale, 0.25);
  EXPECT_THAT(codes_of(find(checkpoint, kQuery), 0), Each(0));
  EXPECT_EQ(refusal(), "runs");
}

TEST_F(Groups, AnotherMagnitudeIsRefused) {
  add_unpacked(DType::kF16, binary);
  tensor(kLayer + "mlp.down_proj.weight").bytes.replace(2 * (5 * kInner + 200), 2, numbers(DType::kF16, {0.7}));
  EXPECT_THAT(refusal(),
              StartsWith("its weights are not 1-bit. model.safetensors: tensor model.layers.0.mlp.down_proj.weight: row 5, group 1 "
                         "(inputs 128 to 255) has several magnitudes; take a checkpoint of 1-bit weights: BitNet, Bonsai"));
  tensor(kLayer + "mlp.down_proj.weight").bytes.replace(2 * (5 * kInner + 200), 2, numbers(DType::kF16, {INFINITY}));
  EXPECT_THAT(refusal(), HasSubstr("row 5, group 1 (inputs 128 to 255) has a weight that is not a number"));
}

TEST_F(Groups, OrdinaryWeightsAreRefused) {
  add_unpacked(DType::kBF16, [](uint64_t i) { return std::sin(static_cast<double>(i)); });
  EXPECT_THAT(refusal(), HasSubstr("tensor " + std::string(kQuery) + ": row 0, group 0 (inputs 0 to 127) has several magnitudes"));
}

TEST_F(Groups, AFloatEmbeddingIsNotRefused) {
  add_unpacked(DType::kF16, binary);
  tensor("model.embed_tokens.weight").bytes.replace(0, 2, numbers(DType::kF16, {0.7}));
  EXPECT_EQ(refusal(), "runs");
  EXPECT_EQ(find(read(), "model.embed_tokens.weight").values, StoredValues::kFloat);
}

TEST_F(Groups, MlxOfOneBit) {
  add_mlx(1, 64, 0.5, -0.25, 0x35);  // lowest first: 1 0 1 0 1 1 0 0
  std::vector<double> scales(2 * kWide, 0.5), biases(2 * kWide, -0.25);
  scales[7] = 1.0, biases[7] = -0.5;
  const std::string module = kLayer + "self_attn.q_proj";
  tensor(module + ".scales") = tensor_of(module + ".scales", DType::kF16, {kWide, 2}, scales);
  tensor(module + ".biases") = tensor_of(module + ".biases", DType::kF16, {kWide, 2}, biases);
  EXPECT_EQ(refusal(), "runs");
  const Checkpoint checkpoint = read();
  const CheckpointTensor& q = find(checkpoint, kQuery);
  EXPECT_EQ(q.values, StoredValues::kBinary);
  EXPECT_EQ(q.shape, (std::vector<uint64_t>{kWide, kWide}));
  const std::vector<int> codes = codes_of(q, 3);
  EXPECT_THAT(std::vector<int>(codes.begin(), codes.begin() + 8), ElementsAre(1, -1, 1, -1, 1, 1, -1, -1));
  EXPECT_THAT(scales_of(q, 3), ElementsAre(0.25f, 0.5f));
}

TEST_F(Groups, MlxOfOneBitWithANegativeScale) {
  add_mlx(1, 128, -0.5, 0.25, 0x01);
  const Checkpoint checkpoint = read();
  EXPECT_THAT(scales_of(find(checkpoint, kQuery), 0), ElementsAre(0.25f));
  EXPECT_EQ(floats_of(find(checkpoint, kQuery), 0)[0], -0.25f);
  EXPECT_EQ(floats_of(find(checkpoint, kQuery), 0)[1], 0.25f);
}

TEST_F(Groups, MlxOfTwoBits) {
  add_mlx(2, 128, 0.5, -0.5, 0xE4);  // 0 1 2 3
  const Checkpoint checkpoint = read();
  const CheckpointTensor& q = find(checkpoint, kQuery);
  EXPECT_EQ(q.values, StoredValues::kInt2);
  const std::vector<float> floats = floats_of(q, 9);
  EXPECT_THAT(std::vector<float>(floats.begin(), floats.begin() + 4), ElementsAre(-0.5f, 0.0f, 0.5f, 1.0f));
}

TEST_F(Groups, MlxOfTwoBitsWithoutATwoIsTernary) {
  add_mlx(2, 128, 0.5, -0.5, 0x24);
  EXPECT_EQ(find(read(), kQuery).values, StoredValues::kTernary);
}

TEST_F(Groups, MlxThatIsNotSymmetric) {
  add_mlx(1, 128, 0.5, -0.25, 0x55);
  tensor(kLayer + "mlp.down_proj.biases").bytes.replace(2 * (2 * 7 + 1), 2, numbers(DType::kF16, {-0.5}));
  EXPECT_EQ(
      refusal(),
      "model.safetensors: tensor model.layers.0.mlp.down_proj.weight: row 7, group 1 (inputs 128 to 255) has the scale 0.5 and the bias "
      "-0.5, but only -scale / 2 gives values that are the same on both sides of 0; take a checkpoint of 1 or 2 bits whose values lie "
      "symmetrically, or one of another form");
}

TEST_F(Groups, MlxOfOtherBits) {
  add_mlx(4, 128, 0.5, -0.25, 0x55);
  EXPECT_THAT(refusal(), StartsWith("its MLX quantisation has 4 bits; take the 1-bit weights themselves"));
}

TEST_F(Groups, MlxModulesOfTheirOwnForm) {
  add_mlx(1, 128, 0.5, -0.25, 0x55);
  config["quantization"]["model.layers.0.self_attn.q_proj"] = {{"bits", 8}, {"group_size", 64}};
  EXPECT_THAT(refusal(), HasSubstr("q_proj.weight: it has 8 bits"));
}

TEST_F(Groups, MlxScalesOfAnotherShape) {
  add_mlx(1, 128, 0.5, -0.25, 0x55);
  config["quantization"]["group_size"] = 64;
  EXPECT_THAT(refusal(), HasSubstr("its scales are [4, 1] and its biases [4, 1], but 4 rows of 128 inputs in groups of 64 need [4, 2]"));
}

}  // namespace
}  // namespace bitgrid::frontend::huggingface_test
