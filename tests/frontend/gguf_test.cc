#include "frontend/checkpoint/gguf.h"

#include <nlohmann/json.hpp>

#include "frontend/checkpoint/convert.h"
#include "frontend/checkpoint/half.h"
#include "ir/file.h"
#include "tests/frontend/gguf_fixture.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::frontend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Gguf, SizesAndChoices) {
  const Checkpoint c = checkpoint_of(print_gguf(tiny_gguf()));
  EXPECT_EQ(c.format, "GGUF 3");
  EXPECT_FALSE(c.refusal);
  EXPECT_THAT(c.notes, IsEmpty());
  const GraphConfig& g = c.graph;
  EXPECT_EQ(g.architecture, "bitnet");
  EXPECT_THAT((std::vector{g.width, g.layers, g.heads, g.kv_heads, g.head_width, g.hidden, g.vocabulary, g.context}),
              ElementsAre(64u, 1u, 2u, 1u, 32u, 64u, 4u, 128u));
  EXPECT_EQ(g.eps, 1e-5);  // the float of the file stands for it
  EXPECT_EQ(g.rope_theta, 500000.0);
  EXPECT_FALSE(g.rope_scaling || g.rope_interleaved);
}

TEST(Gguf, GatesAndPairsOfEachArchitecture) {
  const auto graph = [](const char* architecture, CheckpointParams params = {}) {
    const GraphConfig g = checkpoint_of(print_gguf(tiny_gguf(architecture)), params).graph;
    return g.architecture + (g.gate == Gate::kSilu ? " silu" : " relu2") + (g.rope_interleaved ? " 2j, " : " j, ") + g.gate_from;
  };
  EXPECT_EQ(graph("bitnet-b1.58"), "bitnet relu2 j, the architecture bitnet-b1.58");
  EXPECT_EQ(graph("bitnet-25"), "bitnet relu2 j, the architecture bitnet-25");
  EXPECT_EQ(graph("bitnet"), "bitnet silu j, the architecture bitnet");
  EXPECT_EQ(graph("bitnet", {.gate = Gate::kReluSquared}), "bitnet relu2 j, --activation");
  EXPECT_EQ(graph("qwen3"), "qwen3 silu j, the architecture qwen3");
  EXPECT_EQ(graph("llama"), "llama silu 2j, the architecture llama");
}

TEST(Gguf, TheHeadIsTheEmbeddingUnlessThereIsAnother) {
  GgufContents c = tiny_gguf();
  EXPECT_TRUE(checkpoint_of(print_gguf(c)).graph.tied);
  c.tensors.push_back(matrix("output.weight", "bf16", 4, 64));
  EXPECT_FALSE(checkpoint_of(print_gguf(c)).graph.tied);
}

TEST(Gguf, RotaryScaling) {
  GgufContents c = tiny_gguf();
  set(c, "bitnet-b1.58.rope.scaling.type", std::string("none"));
  set(c, "bitnet-b1.58.rope.scaling.factor", 4.0f);
  EXPECT_FALSE(checkpoint_of(print_gguf(c)).graph.rope_scaling);
  set(c, "bitnet-b1.58.rope.scaling.type", std::string("linear"));
  EXPECT_EQ(checkpoint_of(print_gguf(c)).graph.rope_scaling.value().type, "linear");
  set(c, "bitnet-b1.58.rope.scaling.type", std::string("yarn"));
  EXPECT_EQ(verdict(c),
            "the key bitnet-b1.58.rope.scaling.original_context_length is missing; convert the model again with a current converter, or "
            "take another file of it");
  set(c, "bitnet-b1.58.rope.scaling.original_context_length", 32u);
  const RopeScaling yarn = checkpoint_of(print_gguf(c)).graph.rope_scaling.value();
  EXPECT_EQ(yarn.type, "yarn");
  EXPECT_THAT((std::vector{yarn.factor, yarn.original_context, yarn.beta_fast, yarn.beta_slow, yarn.attention_factor}),
              ElementsAre(4.0, 32.0, 32.0, 1.0, 0.0));
  set(c, "bitnet-b1.58.rope.scaling.type", std::string("longrope"));
  EXPECT_THAT(verdict(c), HasSubstr("rope.scaling.type is \"longrope\", which is not known here; take a model whose"));
}

TEST(Gguf, TheTokenizerIsThere) {
  const TokenizerSource t = checkpoint_of(print_gguf(tiny_gguf())).tokenizer;
  EXPECT_EQ(t.kind, TokenizerSource::Kind::kGguf);
  EXPECT_EQ(t.model + " " + t.pre, "gpt2 llama-bpe");
  EXPECT_THAT(t.tokens, ElementsAre("a", "b", "<end>"));
  EXPECT_THAT(t.merges, ElementsAre("a b"));
  EXPECT_THAT(t.types, ElementsAre(1, 1, 3));
  EXPECT_EQ(t.eos, 2);
  EXPECT_FALSE(t.bos);
  EXPECT_EQ(t.add_bos, false);
}

TEST(Gguf, TensorsHaveHuggingFacesNames) {
  const Checkpoint c = checkpoint_of(print_gguf(tiny_gguf()));
  EXPECT_EQ(named(c, "blk.0.attn_output.weight").canonical, "model.layers.0.self_attn.o_proj.weight");
  EXPECT_EQ(named(c, "blk.0.ffn_norm.weight").canonical, "model.layers.0.post_attention_layernorm.weight");
  EXPECT_EQ(named(c, "blk.0.attn_sub_norm.weight").canonical, "model.layers.0.self_attn.attn_sub_norm.weight");
  EXPECT_EQ(named(c, "token_embd.weight").canonical, "model.embed_tokens.weight");
  EXPECT_THAT(named(c, "blk.0.attn_k.weight").shape, ElementsAre(32u, 64u));
  EXPECT_EQ(named(c, "blk.0.attn_k.weight").where, "x.gguf: tensor blk.0.attn_k.weight");
}

// The same weights through every type: the same codes, the same scale.
TEST(Gguf, TensorsAreNamedInMessagesAsTheFileNamesThem) {
  for (const char* architecture : {"bitnet-b1.58", "qwen3"})
    for (const CheckpointTensor& t : checkpoint_of(print_gguf(tiny_gguf(architecture))).tensors)
      EXPECT_EQ(t.canonical.empty() ? t.name : gguf_name(t.canonical), t.name);
  auto c = std::make_shared<Checkpoint>(checkpoint_of(print_gguf(tiny_gguf())));
  std::erase_if(c->tensors, [](const CheckpointTensor& t) { return t.name == "blk.0.ffn_up.weight"; });
  EXPECT_EQ(find_refusal(*c).value().why, "the tensor blk.0.ffn_up.weight is missing");
}

TEST(Gguf, EveryTypeOfCodesComesBack) {
  for (const char* type : {"q1_0", "q2_0", "tq1_0", "tq2_0", "i2_s"}) {
    SCOPED_TRACE(type);
    const std::string bytes = print_gguf(tiny_gguf("bitnet-b1.58", type, 256));
    const Checkpoint c = checkpoint_of(bytes);
    EXPECT_FALSE(c.refusal);
    const CheckpointTensor& t = named(c, "blk.0.attn_v.weight");
    EXPECT_EQ(t.values, type[0] == 'q' && type[1] == '1' ? StoredValues::kBinary : StoredValues::kTernary);
    EXPECT_EQ(t.sharing, ScaleSharing::kTensor);
    EXPECT_EQ(t.tensor_scale, kScale);
    const CodedTensor got = codes_of(t);
    const std::vector<float> floats = floats_of(t);
    for (uint64_t i = 0; i < got.codes.size(); ++i) {
      ASSERT_EQ(got.codes[i], code_at(t.values, i / 256, i % 256)) << i;
      ASSERT_EQ(floats[i], static_cast<float>(got.codes[i]) * kScale) << i;
    }
    EXPECT_THAT(got.scales, testing::Each(kScale));
  }
}

TEST(Gguf, ScalesOfGroupsAndTheCode2) {
  GgufContents c = tiny_gguf("bitnet-b1.58", "q2_0", 128);
  c.tensors.back().codes = [](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
    std::fill(codes.begin(), codes.end(), int8_t{1});
    codes[3] = r == 5 ? 2 : 0;
    scales[0] = r == 0 ? 0.25f : 0.0f, scales[1] = 0.5f + static_cast<float>(r);
  };
  const std::string bytes = print_gguf(c);
  const Checkpoint checkpoint = checkpoint_of(bytes);
  const CheckpointTensor& t = named(checkpoint, "blk.0.attn_v.weight");
  EXPECT_EQ(t.values, StoredValues::kInt2);
  EXPECT_EQ(t.sharing, ScaleSharing::kGroup);
  EXPECT_EQ(t.group, 64u);
  const CodedTensor got = codes_of(t);
  EXPECT_THAT(std::vector(got.scales.begin() + 10, got.scales.begin() + 14), ElementsAre(0.0f, 5.5f, 0.0f, 6.5f));
  EXPECT_EQ(got.codes[5 * 128 + 3], 0);  // under a scale of 0
  EXPECT_EQ(got.codes[5 * 128 + 64], 1);
}

TEST(Gguf, BlocksThatShareScalesInPairsAreGroupsOf128) {
  GgufContents c = tiny_gguf("bitnet-b1.58", "q2_0", 128);
  c.tensors.back().codes = [](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
    std::fill(codes.begin(), codes.end(), int8_t{1});
    std::fill(scales.begin(), scales.end(), 0.5f + static_cast<float>(r));
    if (r == 2) scales[0] = 0.0f;
  };
  const std::string bytes = print_gguf(c);
  const Checkpoint checkpoint = checkpoint_of(bytes);
  const CheckpointTensor& t = named(checkpoint, "blk.0.attn_v.weight");
  EXPECT_EQ(t.group, 128u);
  const CodedTensor got = codes_of(t);
  EXPECT_THAT(std::vector(got.scales.begin(), got.scales.begin() + 4), ElementsAre(0.5f, 1.5f, 2.5f, 3.5f));
  EXPECT_EQ(got.codes[2 * 128], 0);  // under a scale of 0
}

TEST(Gguf, AScaleBesideItsMatrixMultiplies) {
  GgufContents c = tiny_gguf();
  const auto add = [&](uint64_t size, float value) {
    c.tensors.push_back({"blk.0.attn_v.scale",
                         written_block_type("f32"),
                         {size},
                         [value](uint64_t, std::span<float> row) { std::fill(row.begin(), row.end(), value); },
                         {}});
    return print_gguf(c);
  };
  const std::string bytes = add(1, 0.25f);
  const Checkpoint checkpoint = checkpoint_of(bytes);
  const CheckpointTensor& t = named(checkpoint, "blk.0.attn_v.weight");
  EXPECT_EQ(t.tensor_scale, 0.25 * kScale);
  EXPECT_EQ(codes_of(t).scales[0], 0.25f * kScale);
  EXPECT_EQ(floats_of(t)[1], 0.25f * kScale * code_at(StoredValues::kTernary, 0, 1));
  EXPECT_EQ(verdict(bytes), "runs");
  c.tensors.pop_back();
  EXPECT_THAT(verdict(add(2, 0.25f)), HasSubstr("the scale in tensor blk.0.attn_v.scale cannot be read: it has more than one number"));
  c.tensors.pop_back();
  EXPECT_THAT(verdict(add(1, -1.0f)), HasSubstr("it has the number -1, not above 0"));
}

TEST(Gguf, FactorsOfRotaryPairs) {
  GgufContents c = tiny_gguf();
  c.tensors.push_back({"rope_freqs.weight",
                       written_block_type("f32"),
                       {16},
                       [](uint64_t, std::span<float> row) {
                         for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(i + 1);
                       },
                       {}});
  const std::string bytes = print_gguf(c);
  const Checkpoint checkpoint = checkpoint_of(bytes);
  EXPECT_EQ(verdict(bytes), "runs");
  const std::vector<double> plain = rotary_frequencies(checkpoint_of(print_gguf(tiny_gguf())).graph),
                            got = rotary_frequencies(checkpoint.graph);
  for (size_t i = 0; i < 16; ++i) EXPECT_DOUBLE_EQ(got[i], plain[i] / static_cast<double>(i + 1)) << i;
}

TEST(Gguf, I2sLayouts) {
  GgufContents contents = tiny_gguf("bitnet-b1.58", "i2_s", 256);
  const std::string bytes = print_gguf(contents);
  const Checkpoint assumed = checkpoint_of(bytes), arm = checkpoint_of(bytes, {.i2s_layout = "arm"}),
                   rows = checkpoint_of(bytes, {.i2s_layout = "x86-rows"});
  EXPECT_THAT(assumed.notes, ElementsAre(HasSubstr("7 tensors are I2_S, whose files do not say how bytes are ordered: x86 is assumed")));
  EXPECT_THAT(arm.notes, IsEmpty());
  EXPECT_EQ(named(arm, "blk.0.attn_q.weight").stored, "I2_S, layout arm");
  const std::vector<int8_t> x86 = codes_of(named(assumed, "blk.0.attn_q.weight")).codes,
                            a = codes_of(named(arm, "blk.0.attn_q.weight")).codes, r = codes_of(named(rows, "blk.0.attn_q.weight")).codes;
  EXPECT_EQ(a[16], x86[32]);   // bits 4 and 5 of byte 0
  EXPECT_EQ(a[64], x86[16]);   // byte 16
  EXPECT_EQ(r[256], x86[32]);  // bits 4 and 5 of byte 0
  EXPECT_EQ(r[33], x86[129]);  // byte 33
  EXPECT_EQ(verdict(bytes, {.i2s_layout = "z80"}), "--i2s-layout: \"z80\" is not a layout of I2_S; write x86, x86-rows or arm");
}

TEST(Gguf, SaysThatScalesLookInverted) {
  GgufContents c = tiny_gguf();
  c.tensors.back().codes = [](uint64_t, std::span<int8_t> codes, std::span<float> scales) {
    std::fill(codes.begin(), codes.end(), int8_t{1});
    std::fill(scales.begin(), scales.end(), 12.5f);
  };
  EXPECT_THAT(checkpoint_of(print_gguf(c)).notes,
              ElementsAre(HasSubstr("1 ternary tensors have a scale above 1, the largest 12.5 of blk.0.attn_v.weight")));
}

/// Writes the tensors into `parts` files, as llama.cpp splits them.
std::vector<std::string> write_split(const test::ScratchFolder& folder, uint32_t parts) {
  const GgufContents whole = tiny_gguf();
  std::vector<std::string> paths;
  for (uint32_t n = 0; n < parts; ++n) {
    GgufContents part;
    if (n == 0) part.metadata = whole.metadata;
    part.metadata.emplace_back("split.no", n);
    part.metadata.emplace_back("split.count", parts);
    part.metadata.emplace_back("split.tensors.count", static_cast<uint32_t>(whole.tensors.size()));
    for (size_t i = n; i < whole.tensors.size(); i += parts) part.tensors.push_back(whole.tensors[i]);
    paths.push_back(folder.file("m-0000" + std::to_string(n + 1) + "-of-0000" + std::to_string(parts) + ".gguf"));
    write_gguf(paths.back(), part);
  }
  return paths;
}

TEST(Gguf, SplitFilesAreReadFromAnyPart) {
  const test::ScratchFolder folder;
  const std::vector<std::string> paths = write_split(folder, 3);
  for (const std::string& path : paths) {
    const Checkpoint c = read_gguf(path);
    EXPECT_FALSE(c.refusal);
    EXPECT_EQ(c.format, "GGUF 3, 3 parts");
    EXPECT_EQ(c.tensors.size(), tiny_gguf().tensors.size());
    EXPECT_EQ(codes_of(named(c, "blk.0.attn_v.weight")).codes[5], code_at(StoredValues::kTernary, 0, 5));
    named(c, "blk.0.attn_v.weight").release();
    EXPECT_EQ(codes_of(named(c, "blk.0.attn_v.weight")).codes[6], code_at(StoredValues::kTernary, 0, 6));
  }
  std::filesystem::remove(paths[1]);
  EXPECT_EQ(test::error_of([&] { return read_gguf(paths[2]); }),
            paths[2] + ": this is part 3 of 3, and part 2 is missing: " + paths[1] + "; fetch all parts into one folder");
  std::filesystem::copy(paths[0], paths[1]);
  EXPECT_EQ(test::error_of([&] { return read_gguf(paths[2]); }),
            paths[1] + ": its name says part 2 of 3, its contents part 1 of 3; give all parts the names that they had");
  std::filesystem::rename(paths[0], folder.file("a.gguf"));
  EXPECT_THAT(test::error_of([&] { return read_gguf(folder.file("a.gguf")); }),
              HasSubstr("a.gguf: this is part 1 of 3 of a split file, but its name does not say so; give all parts the names"));
}

TEST(Gguf, TheTrainedCheckpointHoldsTheIntegersOfItsSafetensors) {
  const std::string folder = std::string(BITGRID_SHARED_CASES) + "/llm/";
  if (!is_regular_file(folder + "bitnet-kjv-q2_0.gguf") || !is_regular_file(folder + "bitnet-kjv.safetensors"))
    GTEST_SKIP() << folder << " is not there";
  const Checkpoint c = read_gguf(folder + "bitnet-kjv-q2_0.gguf");
  ASSERT_FALSE(c.refusal);
  EXPECT_THAT((std::vector{c.graph.width, c.graph.layers, c.graph.heads, c.graph.kv_heads, c.graph.head_width, c.graph.hidden,
                           c.graph.vocabulary, c.graph.context}),
              ElementsAre(128u, 3u, 4u, 2u, 32u, 384u, 32u, 4096u));
  const std::string bytes = read_file(folder + "bitnet-kjv.safetensors");
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  const auto data = [&](const std::string& name) {
    const auto& offsets = header.at(name).at("data_offsets");
    const uint64_t begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
    return std::string_view(bytes).substr(8 + length + begin, end - begin);
  };
  const auto bfloat = [](std::string_view two) {
    uint16_t bits = 0;
    std::memcpy(&bits, two.data(), 2);
    return bfloat_to_float(bits);
  };
  int matrices = 0;
  for (const CheckpointTensor& t : c.tensors) {
    SCOPED_TRACE(t.canonical);
    const std::string_view stored = data(t.canonical);
    if (t.values == StoredValues::kFloat) {
      const std::vector<float> got = floats_of(t);
      for (size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], bfloat(stored.substr(2 * i))) << i;
      continue;
    }
    ++matrices;
    EXPECT_EQ(t.values, StoredValues::kTernary);
    EXPECT_EQ(t.sharing, ScaleSharing::kTensor);
    EXPECT_EQ(t.tensor_scale, bfloat(data(t.canonical + "_scale")));
    const CodedTensor got = codes_of(t);
    const uint64_t quarter = t.rows() / 4;
    for (uint64_t i = 0; i < got.codes.size(); ++i) {
      const uint64_t r = i / t.columns(), byte = static_cast<uint8_t>(stored[r % quarter * t.columns() + i % t.columns()]);
      ASSERT_EQ(got.codes[i], static_cast<int>(byte >> 2 * (r / quarter) & 3) - 1) << i;
    }
  }
  EXPECT_EQ(matrices, 21);
}

}  // namespace
}  // namespace bitgrid::frontend
