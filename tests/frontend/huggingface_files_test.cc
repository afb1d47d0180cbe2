// Shards and their index, and folders that are written.
#include <gmock/gmock.h>

#include <random>

#include "frontend/checkpoint/huggingface_writer.h"
#include "tests/frontend/huggingface_fixture.h"

namespace bitgrid::frontend::huggingface_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class HuggingFaceShards : public HuggingFaceFolder {
 protected:
  HuggingFaceShards() {
    std::filesystem::create_directories(path());
    write_file(file("config.json"), config.dump());
    const auto middle = tensors.begin() + 9;
    shards = {{tensors.begin(), middle}, {middle, tensors.end()}};
    for (size_t s = 0; s < 2; ++s)
      for (const Tensor& t : shards[s]) map[t.name] = names[s];
  }

  Checkpoint read_shards() {
    for (size_t s = 0; s < 2; ++s) write_file(file(names[s]), safetensors_of(shards[s]));
    write_file(file("model.safetensors.index.json"), nlohmann::json{{"weight_map", map}}.dump());
    return read_checkpoint(path());
  }
  std::string shards_error() {
    return short_text(bitgrid::test::error_of([&] { read_shards(); }));
  }

  const std::vector<std::string> names = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"};
  std::vector<std::vector<Tensor>> shards;
  nlohmann::json map;
};

TEST_F(HuggingFaceShards, AreOneCheckpoint) {
  const Checkpoint checkpoint = read_shards();
  EXPECT_FALSE(find_refusal(checkpoint).has_value());
  EXPECT_EQ(checkpoint.tensors.size(), 13u);
  EXPECT_EQ(checkpoint.bytes, safetensors_of(shards[0]).size() + safetensors_of(shards[1]).size());
}

TEST_F(HuggingFaceShards, MissingShard) {
  map["model.norm.weight"] = "model-00003-of-00003.safetensors";
  EXPECT_EQ(shards_error(),
            "model.safetensors.index.json: the shard model-00003-of-00003.safetensors is missing; fetch it into this folder");
}

TEST_F(HuggingFaceShards, TensorsElsewhereThanTheIndexSays) {
  map["model.norm.weight"] = names[1];
  EXPECT_EQ(shards_error(),
            "model.safetensors.index.json: model.norm.weight: it should be in model-00002-of-00002.safetensors, but is in "
            "model-00001-of-00002.safetensors; index and shards come from different downloads; fetch all of them again");
  map["model.norm.weight"] = names[0];
  map["more"] = names[0];
  EXPECT_EQ(shards_error(),
            "model.safetensors.index.json: more: it should be in model-00001-of-00002.safetensors, but is in none of the files; fetch that "
            "file again");
}

TEST_F(HuggingFaceShards, ATensorInTwoShards) {
  shards[1].push_back(shards[0][1]);
  EXPECT_EQ(
      shards_error(),
      "model-00002-of-00002.safetensors: tensor model.norm.weight: this tensor is in model-00001-of-00002.safetensors, too; remove shards "
      "of other downloads, and fetch the folder again");
}

TEST_F(HuggingFaceShards, ATensorThatTheIndexLacks) {
  map.erase("model.norm.weight");
  EXPECT_THAT(read_shards().notes, Contains("model.norm.weight is in model-00001-of-00002.safetensors, though the index does not name it"));
}

TEST_F(HuggingFaceShards, FilesOutsideOfTheFolder) {
  map["model.norm.weight"] = "../model.safetensors";
  EXPECT_THAT(shards_error(),
              HasSubstr("weight_map: gives \"../model.safetensors\" for model.norm.weight, which is not a .safetensors file of "
                        "this folder"));
}

TEST_F(HuggingFaceShards, FoldersWithoutWeights) {
  const auto message = [&] { return short_text(bitgrid::test::error_of([&] { read_checkpoint(path()); })); };
  EXPECT_THAT(message(), HasSubstr("there is neither model.safetensors nor model.safetensors.index.json; fetch the weights too"));
  write_file(file("pytorch_model.bin"), "x");
  EXPECT_THAT(message(), HasSubstr("pytorch_model.bin is a PyTorch file: load the model with transformers"));
  write_file(file("x.gguf"), "GGUF");
  EXPECT_THAT(message(), HasSubstr("this folder holds a GGUF file: give its path, x.gguf"));
}

TEST_F(HuggingFaceFolder, RandomDamageNeverCrashes) {
  write();
  const std::string good = safetensors_of(tensors), good_config = config.dump();
  std::mt19937 random(1);
  for (int round = 0; round < 400; ++round) {
    std::string bytes = good, text = good_config;
    for (size_t n = random() % 3; n > 0; --n) bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    for (size_t n = random() % 2; n > 0; --n) text[random() % text.size()] ^= static_cast<char>(1 << random() % 8);
    write_file(file("model.safetensors"), bytes);
    write_file(file("config.json"), text);
    try {
      const Checkpoint checkpoint = read_checkpoint(path());
      for (const CheckpointTensor& t : checkpoint.tensors) {
        std::vector<float> row(t.columns());
        if (t.rows() > 0) t.floats(t.rows() - 1, row);
      }
    } catch (const Error&) {
    }
  }
}

HfContents small_contents() {
  HfContents contents;
  GraphConfig& g = contents.graph;
  g.width = 8, g.layers = 1, g.heads = 2, g.kv_heads = 1, g.head_width = 4, g.hidden = 16, g.vocabulary = 300, g.context = 64;
  g.rope_theta = 500000.0, g.eps = 1e-5, g.gate = Gate::kReluSquared, g.tied = true;
  const auto floats = [&](const std::string& name, std::vector<uint64_t> shape) {
    contents.tensors.push_back({name,
                                std::move(shape),
                                [](uint64_t r, std::span<float> row) {
                                  for (size_t c = 0; c < row.size(); ++c) row[c] = static_cast<float>(r % 16 + c) / 64.0f;
                                },
                                {},
                                0.0f});
  };
  const auto matrix = [&](const std::string& name, uint64_t rows, uint64_t columns) {
    contents.tensors.push_back({"model.layers.0." + name + ".weight",
                                {rows, columns},
                                {},
                                [](uint64_t r, std::span<int8_t> codes) {
                                  for (size_t c = 0; c < codes.size(); ++c)
                                    codes[c] = static_cast<int8_t>(static_cast<int>((r + c * c) % 3) - 1);
                                },
                                0.125f});
  };
  floats("model.embed_tokens.weight", {300, 8});
  for (const char* norm : {"input_layernorm", "post_attention_layernorm", "self_attn.attn_sub_norm"})
    floats(std::string("model.layers.0.") + norm + ".weight", {8});
  floats("model.layers.0.mlp.ffn_sub_norm.weight", {16});
  matrix("self_attn.q_proj", 8, 8), matrix("self_attn.k_proj", 4, 8), matrix("self_attn.v_proj", 4, 8), matrix("self_attn.o_proj", 8, 8);
  matrix("mlp.gate_proj", 16, 8), matrix("mlp.up_proj", 16, 8), matrix("mlp.down_proj", 8, 16);
  floats("model.norm.weight", {8});
  return contents;
}

TEST(HuggingFaceWriter, WhatIsWrittenIsRead) {
  const bitgrid::test::ScratchFolder scratch;
  const HfContents contents = small_contents();
  write_huggingface(scratch.file("a/b"), contents);
  const Checkpoint checkpoint = read_checkpoint(scratch.file("a/b"));
  ASSERT_FALSE(find_refusal(checkpoint).has_value());
  for (const HfWrittenTensor& written : contents.tensors) {
    const CheckpointTensor& t = find(checkpoint, written.name);
    EXPECT_EQ(t.shape, written.shape) << written.name;
    for (uint64_t r = 0; r < t.rows(); ++r) {
      std::vector<float> row(t.columns());
      if (written.floats) {
        written.floats(r, row);
        EXPECT_EQ(floats_of(t, r), row) << written.name;
      } else {
        std::vector<int8_t> codes(t.columns());
        written.codes(r, codes);
        EXPECT_EQ(codes_of(t, r), std::vector<int>(codes.begin(), codes.end())) << written.name << " row " << r;
        EXPECT_EQ(t.tensor_scale, 0.125);
      }
    }
  }
  EXPECT_EQ(checkpoint.graph.rope_theta, 500000.0);
  EXPECT_EQ(checkpoint.graph.head_width, 4u);
  EXPECT_FALSE(checkpoint.tokenizer.bos.has_value() || checkpoint.tokenizer.eos.has_value());
}

TEST(HuggingFaceWriter, TheIdOfAByteIsItsValue) {
  const nlohmann::json vocabulary = nlohmann::json::parse(print_byte_tokenizer()).at("model").at("vocab");
  EXPECT_EQ(vocabulary.size(), 256u);
  EXPECT_EQ(vocabulary.at("A"), 65);
  EXPECT_EQ(vocabulary.at("Ġ"), 32);
  EXPECT_EQ(vocabulary.at("Ċ"), 10);
  EXPECT_EQ(vocabulary.at("ÿ"), 255);
}

TEST(HuggingFaceWriter, ARowThatFailsLeavesNothing) {
  const bitgrid::test::ScratchFolder scratch;
  HfContents contents = small_contents();
  contents.tensors.back().floats = [](uint64_t, std::span<float>) { throw Error("row", "is not there"); };
  EXPECT_THROW(write_huggingface(scratch.file("a/b"), contents), Error);
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
  contents.tensors.back() = {"odd", {6, 8}, {}, [](uint64_t, std::span<int8_t>) {}, 1.0f};
  EXPECT_EQ(bitgrid::test::error_of([&] {
              write_huggingface(scratch.file("a"), contents);
              return 0;
            }),
            "tensor odd: its 6 rows cannot be packed by fours; choose widths that are multiples of 4");
}

}  // namespace
}  // namespace bitgrid::frontend::huggingface_test
