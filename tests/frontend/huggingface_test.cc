#include "tests/frontend/huggingface_fixture.h"

#include <gmock/gmock.h>

namespace bitgrid::frontend::huggingface_test {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kQueryWeight[] = "model.layers.0.self_attn.q_proj.weight";

TEST(HuggingFace, SharedFolder) {
  const std::string folder = std::string(BITGRID_SHARED_CASES) + "/llm/bitnet-kjv-hf";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const Checkpoint checkpoint = read_checkpoint(folder);
  EXPECT_EQ(checkpoint.tensors.size(), 3u * 11 + 2);  // scales belong to their matrices
  EXPECT_EQ(checkpoint.tokenizer.kind, TokenizerSource::Kind::kHuggingFace);
  EXPECT_FALSE(find_refusal(checkpoint).has_value());
}

TEST_F(HuggingFaceFolder, Runs) {
  EXPECT_EQ(refusal(), "runs");
}

TEST_F(HuggingFaceFolder, PathsOfItsFilesMeanTheFolder) {
  write();
  for (const char* name : {"config.json", "model.safetensors"}) {
    EXPECT_TRUE(is_checkpoint(file(name)));
    EXPECT_EQ(read_checkpoint(file(name)).tensors.size(), 13u) << name;
  }
}

TEST_F(HuggingFaceFolder, OtherPaths) {
  write_file(scratch.file("x.txt"), "text");
  EXPECT_FALSE(is_checkpoint(scratch.file("x.txt")));
  EXPECT_THAT(bitgrid::test::error_of([&] { read_checkpoint(scratch.file("x.txt")); }),
              HasSubstr("x.txt: this is neither a GGUF file nor a Hugging Face folder; give the path of a .gguf file, or of a folder"));
  EXPECT_THAT(bitgrid::test::error_of([&] { read_checkpoint(scratch.file("none")); }), HasSubstr("there is no such file or folder"));
  EXPECT_THAT(bitgrid::test::error_of([&] { read_checkpoint(scratch.path().string()); }), HasSubstr("there is no config.json"));
}

TEST_F(HuggingFaceFolder, PackedRowsAreQuartersOfTheMatrix) {
  tensor(kQueryWeight).bytes[3] = static_cast<char>(0 | 1 << 2 | 2 << 4 | 0 << 6);
  const Checkpoint checkpoint = read();
  const CheckpointTensor& q = find(checkpoint, kQueryWeight);
  EXPECT_EQ(q.shape, (std::vector<uint64_t>{8, 8}));
  EXPECT_EQ(q.values, StoredValues::kTernary);
  EXPECT_THAT(codes_of(q, 0), ElementsAre(-1, -1, -1, -1, -1, -1, -1, -1));
  EXPECT_THAT(codes_of(q, 4), ElementsAre(1, 1, 1, 1, 1, 1, 1, 1));
  EXPECT_THAT(codes_of(q, 6), ElementsAre(0, 0, 0, -1, 0, 0, 0, 0));
  EXPECT_THAT(codes_of(q, 7), Each(0));
}

TEST_F(HuggingFaceFolder, ScaleOfAutobitlinearMultiplies) {
  const Checkpoint checkpoint = read();
  EXPECT_EQ(find(checkpoint, kQueryWeight).tensor_scale, 0.0625);
  EXPECT_THAT(floats_of(find(checkpoint, kQueryWeight), 4), Each(0.0625f));
  EXPECT_THAT(checkpoint.notes, IsEmpty());
  EXPECT_THAT(checkpoint.said, Contains("weight_scale multiplies, as linear_class autobitlinear of config.json"));
}

TEST_F(HuggingFaceFolder, ScaleOfBitlinearDivides) {
  for (const auto& m : matrices()) tensor(m.name + "_scale") = tensor_of(m.name + "_scale", DType::kBF16, {1}, {24.0});
  config["quantization_config"] = {{"quant_method", "bitnet"}};
  const Checkpoint checkpoint = read();
  EXPECT_EQ(find(checkpoint, kQueryWeight).tensor_scale, 1.0 / 24.0);
  EXPECT_THAT(scales_of(find(checkpoint, kQueryWeight), 0), ElementsAre(static_cast<float>(1.0 / 24.0)));
  EXPECT_THAT(checkpoint.notes, Contains("weight_scale divides, as config.json has no linear_class, which means bitlinear"));
}

TEST_F(HuggingFaceFolder, ScalesThatContradictTheirConvention) {
  config["quantization_config"]["linear_class"] = "bitlinear";
  EXPECT_EQ(refusal(),
            "the numbers of weight_scale contradict that it divides, as linear_class bitlinear of config.json: the scales of its matrices "
            "would lie between 16 and 16, where means "
            "of |weight| are below 1; the scales seem to be stored the other way: if so, set linear_class of config.json to autobitlinear");
  config["quantization_config"]["linear_class"] = "autobitlinear";
  for (const auto& m : matrices()) tensor(m.name + "_scale") = tensor_of(m.name + "_scale", DType::kBF16, {1}, {16.0});
  EXPECT_THAT(refusal(), HasSubstr("set linear_class of config.json to bitlinear"));
}

TEST_F(HuggingFaceFolder, ScalesNearOneAreNotedOnly) {
  for (const auto& m : matrices()) tensor(m.name + "_scale") = tensor_of(m.name + "_scale", DType::kBF16, {1}, {1.5});
  EXPECT_EQ(refusal(), "runs");
  EXPECT_THAT(read().notes, Contains(HasSubstr("between 1.5 and 1.5, more than means of |weight| usually are")));
}

TEST_F(HuggingFaceFolder, OneLargeScaleContradictsNothing) {
  tensor(std::string(kQueryWeight) + "_scale") = tensor_of(std::string(kQueryWeight) + "_scale", DType::kBF16, {1}, {16.0});
  EXPECT_EQ(refusal(), "runs");
}

TEST_F(HuggingFaceFolder, PackedWeightsWithoutAConvention) {
  config.erase("quantization_config");
  EXPECT_THAT(refusal(), StartsWith("its weights are packed, but config.json has no quantization_config that says whether weight_scale "
                                    "multiplies or divides; add \"quantization_config\""));
  config["quantization_config"] = {{"quant_method", "bitnet"}, {"linear_class", "newlinear"}};
  EXPECT_THAT(refusal(), StartsWith("its linear_class is newlinear, so that the meaning of weight_scale is unknown"));
  config["quantization_config"] = {{"quant_method", "bitnet"}, {"quantization_mode", "online"}};
  EXPECT_EQ(refusal(), "quantization_mode of config.json is online (master weights), but the weights are packed; correct it to offline");
}

TEST_F(HuggingFaceFolder, Code3) {
  tensor(kQueryWeight).bytes[9] = static_cast<char>(0xC0);
  const Checkpoint checkpoint = read();
  EXPECT_EQ(
      short_text(bitgrid::test::error_of([&] { codes_of(find(checkpoint, kQueryWeight), 7); })),
      "model.safetensors: tensor model.layers.0.self_attn.q_proj.weight: a weight of row 7 has the code 3; codes are 0, 1 and 2; fetch "
      "the file again");
  EXPECT_NO_THROW(codes_of(find(checkpoint, kQueryWeight), 5));
}

TEST_F(HuggingFaceFolder, BadScales) {
  const std::string name = std::string(kQueryWeight) + "_scale";
  tensor(name) = tensor_of(name, DType::kBF16, {1}, {0.0});
  EXPECT_EQ(error(), "model.safetensors: tensor " + name + ": the scale is 0; scales are positive; fetch the file again");
  tensor(name) = tensor_of(name, DType::kBF16, {2}, {0.5, 0.5});
  EXPECT_THAT(error(), HasSubstr("it is [2] of BF16, not one float for the whole matrix; take a checkpoint with one scale"));
  remove(name);
  EXPECT_EQ(error(), "model.safetensors: tensor " + std::string(kQueryWeight) +
                         ": it is packed, but its weight_scale is missing; fetch the files again");
}

TEST_F(HuggingFaceFolder, FilesOfZerosAreNotWhole) {
  tensor(kQueryWeight) = {kQueryWeight, DType::kU8, {2, 4096}, std::string(8192, '\0')};
  EXPECT_EQ(refusal(),
            "model.safetensors: tensor " + std::string(kQueryWeight) +
                ": its first 4096 bytes are 0, so that all its weights would be -1: the file is not whole; fetch it again, or take "
                "another upload");
}

TEST_F(HuggingFaceFolder, MasterWeights) {
  config["quantization_config"]["quantization_mode"] = "online";
  // mean |w| of eight: (4 * 0.25 + 4 * 1.75) / 8 = 1; the half that lies between 0 and 1 goes to 0.
  const double row[8] = {0.25, -0.25, 0.5, 1.75, -1.75, 1.5, -1.5, 0.5};
  make_floats(DType::kBF16, [&](uint64_t i) { return row[i % 8]; });
  const Checkpoint checkpoint = read();
  const CheckpointTensor& q = find(checkpoint, kQueryWeight);
  EXPECT_EQ(q.tensor_scale, 1.0);
  EXPECT_THAT(codes_of(q, 3), ElementsAre(0, 0, 0, 1, -1, 1, -1, 0));
  EXPECT_THAT(floats_of(q, 3), ElementsAre(0, 0, 0, 1, -1, 1, -1, 0));
  EXPECT_THAT(
      checkpoint.said,
      Contains("master weights are made ternary, w = round(W / mean|W|) within -1 .. 1, as quantization_mode online of config.json says"));
  EXPECT_EQ(refusal(), "runs");
}

TEST_F(HuggingFaceFolder, MasterWeightsThatAreSaidToBePacked) {
  make_floats(DType::kF16, [](uint64_t i) { return static_cast<double>(i % 3) - 1.0; });
  EXPECT_EQ(refusal(),
            "model.safetensors: tensor " + std::string(kQueryWeight) +
                ": it is F16, but quantization_mode of config.json is offline (packed weights); correct it to online if these are "
                "master weights");
  config.erase("quantization_config");
  EXPECT_EQ(refusal(), "runs");  // a BitNet model whose weights are floats
}

TEST_F(HuggingFaceFolder, PartlyPacked) {
  remove(std::string(kQueryWeight) + "_scale");
  tensor(kQueryWeight) = tensor_of(kQueryWeight, DType::kF32, {8, 8}, std::vector<double>(64, 0.5));
  EXPECT_THAT(refusal(), HasSubstr("it is F32, but other matrices are packed; take a checkpoint whose linear maps are all packed"));
}

TEST_F(HuggingFaceFolder, OldNamesOfNorms) {
  tensor(kLayer + "self_attn.attn_sub_norm.weight").name = kLayer + "self_attn.inner_attn_ln.weight";
  tensor(kLayer + "mlp.ffn_sub_norm.weight").name = kLayer + "mlp.ffn_layernorm.weight";
  EXPECT_EQ(refusal(), "runs");
}

TEST_F(HuggingFaceFolder, ATiedHeadIsNotRead) {
  add(tensor_of("lm_head.weight", DType::kBF16, {4, kWidth}, std::vector<double>(4 * kWidth, 0.25)));
  EXPECT_THAT(read().said, Contains("lm_head.weight is not read, since tie_word_embeddings is true"));
  config["tie_word_embeddings"] = false;
  EXPECT_EQ(refusal(), "runs");
  remove("lm_head.weight");
  EXPECT_THAT(refusal(), StartsWith("there is no lm_head.weight, and config.json does not say tie_word_embeddings; set"));
}

TEST_F(HuggingFaceFolder, TensorsBesideTheGraph) {
  add_ones("model.layers.0.self_attn.rotary_emb.inv_freq", 2);
  EXPECT_EQ(refusal(), "runs");
  add_ones("model.layers.0.self_attn.q_proj.bias", kWidth);
  EXPECT_EQ(
      refusal(),
      "model.safetensors: tensor model.layers.0.self_attn.q_proj.bias: it is a bias, and the graphs that are read have none; take a model "
      "without biases");
}

TEST_F(HuggingFaceFolder, TruncationAtEveryByte) {
  write();
  const std::string whole = safetensors_of(tensors);
  for (size_t n = 0; n < whole.size(); n += n < 4000 ? 1 : 97) {
    write_file(file("model.safetensors"), whole.substr(0, n));
    ASSERT_THROW(read_checkpoint(path()), Error) << n;
  }
}

TEST_F(HuggingFaceFolder, EosOfBothFiles) {
  write();
  write_file(file("generation_config.json"), R"({"bos_token_id": 1, "eos_token_id": [2, 3]})");
  config["eos_token_id"] = 0;
  const Checkpoint checkpoint = read();
  EXPECT_EQ(checkpoint.tokenizer.bos, 1);
  EXPECT_EQ(checkpoint.tokenizer.eos, 2);
  EXPECT_THAT(checkpoint.tokenizer.more_eos, ElementsAre(3, 0));
}

TEST_F(HuggingFaceFolder, Tokenizers) {
  EXPECT_THAT(read().said, Contains("there is no tokenizer: neither tokenizer.json nor tokenizer.model"));
  write_file(file("tokenizer.model"), "bytes");
  EXPECT_EQ(read().tokenizer.kind, TokenizerSource::Kind::kSentencePiece);
  write_file(file("tokenizer.json"), "{}");
  write_file(file("tokenizer_config.json"), R"({"add_bos_token": true, "chat_template": [{"name": "default", "template": "T"}]})");
  const Checkpoint checkpoint = read();
  EXPECT_EQ(checkpoint.tokenizer.json, "{}");
  EXPECT_EQ(checkpoint.tokenizer.add_bos, true);
  EXPECT_EQ(checkpoint.tokenizer.chat_template, "T");
}

}  // namespace
}  // namespace bitgrid::frontend::huggingface_test
