// Damaged files, and files that are something else than they say.
#include "tests/frontend/gguf_fixture.h"

namespace bitgrid::frontend {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Ne;
using testing::StartsWith;

constexpr const char* kFetch = "the file is truncated or damaged: fetch it again";

std::string bytes_of(uint64_t value, size_t count) {
  return {reinterpret_cast<const char*>(&value), count};
}

/// The tiny file with `put` in place of what stands `behind` bytes behind the first `text`.
std::string patched(const std::string& text, size_t behind, const std::string& put, std::string bytes = print_gguf(tiny_gguf())) {
  const size_t at = bytes.find(text);
  if (at == std::string::npos) throw std::logic_error("no " + text);
  return bytes.replace(at + text.size() + behind, put.size(), put);
}

const std::string kKey = "bitnet-b1.58.block_count";     // u32
const std::string kTensor = "blk.0.attn_norm.weight";    // one dimension: u32 1, u64 64, u32 0, u64 offset
const std::string kMatrix = "blk.0.attn_output.weight";  // two

TEST(GgufMessages, Header) {
  const std::string good = print_gguf(tiny_gguf());
  ASSERT_EQ(verdict(good), "runs");
  const auto with = [&](size_t at, const std::string& put) { return verdict(std::string(good).replace(at, put.size(), put)); };
  EXPECT_EQ(with(0, "GGML"), "x.gguf: this is not a GGUF file: it does not begin with \"GGUF\"; check the path");
  EXPECT_EQ(verdict(std::string_view()), "x.gguf: this is not a GGUF file: it does not begin with \"GGUF\"; check the path");
  EXPECT_EQ(with(4, bytes_of(2, 4)), "runs");
  EXPECT_EQ(
      with(4, bytes_of(1, 4)),
      "x.gguf: GGUF version 1 is not supported, only versions 2 and 3; convert the model again with a current converter, or take a file of "
      "version 3");
  EXPECT_THAT(with(4, bytes_of(4, 4)), StartsWith("x.gguf: GGUF version 4 is not supported"));
  EXPECT_EQ(with(4, bytes_of(0x03000000, 4)),
            "x.gguf: the file is big-endian: it was written for another kind of machine; take the little-endian file");
  EXPECT_EQ(
      with(8, bytes_of(UINT64_MAX, 8)),
      std::string("x.gguf: byte 8: the header: 18446744073709551615 tensors are declared, more than the file has bytes for; ") + kFetch);
  EXPECT_THAT(with(16, bytes_of(1 << 20, 8)), StartsWith("x.gguf: byte 16: the header: 1048576 key-values are declared, more"));
}

TEST(GgufMessages, Metadata) {
  EXPECT_EQ(verdict(patched(kKey, 0, bytes_of(13, 4))),
            "x.gguf: byte 108: key bitnet-b1.58.block_count: 13 is not a value type; take a file of version 3 by a current converter");
  EXPECT_THAT(verdict(patched(kKey, 0, bytes_of(7, 4) + "\x02")), HasSubstr("block_count: a truth value is neither 0 nor 1; "));
  EXPECT_THAT(verdict(patched(kKey, 0, bytes_of(9, 4) + bytes_of(9, 4))), HasSubstr("arrays of arrays are not supported; remove this key"));
  EXPECT_EQ(
      verdict(patched(kKey, 0, bytes_of(6, 4))),
      "x.gguf: byte 112: key bitnet-b1.58.block_count: it is of type f32, not a whole number or an array of them; convert the model again "
      "with a current converter");
  EXPECT_THAT(verdict(patched("general.architecture", 4, bytes_of(UINT64_MAX - 3, 8))),
              HasSubstr("key general.architecture: 18446744073709551612 bytes of text are declared, more than the file has bytes for"));
  EXPECT_THAT(verdict(patched("tokenizer.ggml.tokens", 8, bytes_of(UINT64_MAX / 4, 8))), HasSubstr("elements are declared, more than"));
  EXPECT_THAT(verdict(patched("general.archit", 0, " ")),
              HasSubstr("key-value 0: a name of a key is empty, too long, or has invalid characters"));
  GgufContents c = tiny_gguf();
  c.metadata.emplace_back("tokenizer.ggml.pre", 1u);
  EXPECT_THAT(verdict(c), HasSubstr("key tokenizer.ggml.pre: this key appears twice; remove one of them"));
  c = tiny_gguf();
  c.metadata.emplace_back("general.alignment", 24u);
  EXPECT_EQ(verdict(c), std::string("x.gguf: key general.alignment: 24 is not a power of two up to 1073741824; ") + kFetch);
  c = tiny_gguf();
  set(c, "tokenizer.ggml.eos_token_id", 3u);
  EXPECT_EQ(verdict(c),
            "x.gguf: key tokenizer.ggml.eos_token_id: there is no token 3: there are 3; convert the model again with a current converter");
  set(c, "tokenizer.ggml.eos_token_id", UINT32_MAX);
  EXPECT_EQ(verdict(c), "runs");
  set(c, "tokenizer.ggml.scores", std::vector<float>{1.0f});
  EXPECT_THAT(verdict(c), HasSubstr("key tokenizer.ggml.scores: it has 1 elements for 3 tokens"));
}

TEST(GgufMessages, Tensors) {
  EXPECT_THAT(verdict(patched(kTensor, 0, bytes_of(0, 4))), HasSubstr("tensor blk.0.attn_norm.weight: it has 0 dimensions, not 1 to 4"));
  EXPECT_THAT(verdict(patched(kTensor, 0, bytes_of(5, 4))), HasSubstr("it has 5 dimensions, not 1 to 4"));
  EXPECT_THAT(verdict(patched(kTensor, 4, bytes_of(0, 8))), HasSubstr("dimension 0 of 0 numbers: there are none, or more than"));
  EXPECT_THAT(verdict(patched(kMatrix, 4, bytes_of(UINT64_MAX, 8))), HasSubstr("numbers: there are none, or more than any file holds"));
  EXPECT_THAT(verdict(patched(kMatrix, 4, bytes_of(uint64_t{1} << 32, 8) + bytes_of(uint64_t{1} << 32, 8))), HasSubstr("dimension 1 of"));
  EXPECT_THAT(verdict(patched(kTensor, 16, bytes_of(16, 8))), HasSubstr("its offset 16 is not a multiple of the alignment 32"));
  EXPECT_THAT(verdict(patched(kTensor, 16, bytes_of(uint64_t{1} << 40, 8))),
              HasSubstr("it begins 1099511627776 bytes after byte 1600, but the file ends at byte"));
  EXPECT_THAT(verdict(patched(kTensor, 16, bytes_of(~uint64_t{31}, 8))), HasSubstr("but the file ends at byte"));
  EXPECT_THAT(verdict(patched(kTensor, 16, bytes_of(512, 8))), HasSubstr("and those of tensor blk.0.attn_norm.weight already at byte"));
  EXPECT_THAT(verdict(patched(kTensor, 4, bytes_of(65, 8))), HasSubstr("its 260 bytes begin at byte 2368, and those of tensor"));
  GgufContents c = tiny_gguf();
  c.tensors.push_back(norm("blk.0.attn_norm.weight", 64));
  EXPECT_THAT(verdict(c), HasSubstr("tensor blk.0.attn_norm.weight: this tensor appears twice; remove one of them"));
}

TEST(GgufMessages, AFileThatEndsAnywhereIsRefused) {
  const std::string good = print_gguf(tiny_gguf());
  for (size_t size = 0; size < good.size(); ++size)
    ASSERT_THAT(verdict(std::string(good, 0, size)), AllOf(Ne("runs"), StartsWith(size < 1600 ? "x.gguf: " : ""))) << size;
}

TEST(GgufMessages, NoByteOfTheDescriptionsBringsAnythingDown) {
  const std::string good = print_gguf(tiny_gguf());
  for (size_t at = 0; at < 1600; ++at) {
    for (const char mask : {'\x01', '\x40', '\x80', '\xFF'}) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ mask);
      test::error_of([&] {
        const Checkpoint c = checkpoint_of(bytes);
        for (const CheckpointTensor& t : c.tensors) {
          std::vector<float> row(std::min<uint64_t>(t.columns(), 4096));
          if (row.size() == t.columns()) test::error_of([&] { return t.floats(t.rows() - 1, row), 0; });
        }
        return 0;
      });
    }
  }
}

TEST(GgufMessages, WhatAGraphNeeds) {
  for (const char* key : {"block_count", "embedding_length", "feed_forward_length", "context_length", "attention.head_count",
                          "attention.layer_norm_rms_epsilon"}) {
    GgufContents c = tiny_gguf();
    std::erase_if(c.metadata, [&](const auto& pair) { return pair.first == std::string("bitnet-b1.58.") + key; });
    EXPECT_THAT(verdict(c), StartsWith(std::string("the key bitnet-b1.58.") + key + " is missing; convert the model again"));
  }
  const auto with = [](const char* key, GgufWrittenValue value) {
    GgufContents c = tiny_gguf();
    set(c, std::string("bitnet-b1.58.") + key, std::move(value));
    return verdict(c);
  };
  EXPECT_EQ(with("attention.head_count_kv", std::vector<int32_t>{1}), "runs");
  EXPECT_THAT(with("feed_forward_length", std::vector<int32_t>{64, 32}), StartsWith("bitnet-b1.58.feed_forward_length differs from layer"));
  EXPECT_THAT(with("block_count", 0u), StartsWith("bitnet-b1.58.block_count is 0, not from 1 to 2^31"));
  EXPECT_THAT(with("attention.head_count", 3u),
              HasSubstr("attention.key_length is missing, and bitnet-b1.58.embedding_length is not a mult"));
  EXPECT_THAT(with("attention.head_count_kv", 4u), StartsWith("2 heads cannot share 4 heads of keys and values"));
  EXPECT_EQ(with("attention.key_length", 16u), "runs");
  EXPECT_THAT(with("rope.dimension_count", 16u),
              StartsWith("bitnet-b1.58.rope.dimension_count is 16: only a part of each head is rotated"));
  EXPECT_THAT(with("expert_count", 8u), StartsWith("bitnet-b1.58.expert_count is 8: layers choose among experts"));
  EXPECT_THAT(with("vocab_size", 5u), StartsWith("bitnet-b1.58.vocab_size is 5, but token_embd.weight has 4 rows"));
  EXPECT_THAT(with("attention.layer_norm_rms_epsilon", -1.0f),
              StartsWith("bitnet-b1.58.attention.layer_norm_rms_epsilon is -1, not above"));
  EXPECT_THAT(with("attention.causal", false), HasSubstr("attention.causal is false"));
  EXPECT_EQ(verdict(tiny_gguf("gemma3")),
            "the architecture \"gemma3\" is not run; take a model of these: bitnet, bitnet-b1.58, bitnet-25, qwen3, llama");
}

TEST(GgufMessages, TensorsThatTheGraphDoesNotHave) {
  const auto with = [](const char* name) {
    GgufContents c = tiny_gguf();
    c.tensors.push_back(norm(name, 64));
    return verdict(c);
  };
  EXPECT_EQ(with("rope_freqs.weight"),
            "tensor rope_freqs.weight does not have a factor for each of the 16 rotary pairs of a head; take an intact file");
  for (const char* name : {"blk.0.attn_q.bias", "blk.1.attn_norm.weight", "blk.0.attn_q_norm.weight", "blk.00.attn_norm.weight"})
    EXPECT_THAT(with(name), StartsWith(std::string("the graph of bitnet with 1 layers does not have the tensor ") + name));
}

void zeros(const int8_t*, uint8_t*) {}

/// The file with its matrices in another maker's layout.
std::string foreign(uint32_t id, uint32_t elements, uint32_t bytes, uint32_t tail = 0,
                    GgufContents contents = tiny_gguf("qwen3", "q2_0", 256)) {
  const BlockType type = {id, "", elements, bytes, StoredValues::kInt2, 0, 2, true, tail, nullptr, zeros, nullptr, nullptr};
  for (GgufWrittenTensor& tensor : contents.tensors)
    if (tensor.type->has_codes()) tensor.type = &type;
  return print_gguf(contents);
}

TEST(GgufTraps, LegacyQ2) {
  ASSERT_EQ(verdict(foreign(42, 64, 18)), "runs");
  EXPECT_EQ(verdict(foreign(42, 128, 34)),
            "tensor blk.0.attn_q.weight has type 42, Q2_0, and needs 18432 bytes as such, but the file has 17408 for it: this is the older "
            "Q2_0, with blocks of 128 numbers in 34 bytes under the same id; take the file of the same model with _g64 in its name");
  const std::string bytes = foreign(42, 128, 34);
  const Checkpoint c = checkpoint_of(bytes);
  EXPECT_EQ(c.tensors.size(), tiny_gguf("qwen3").tensors.size());  // it can be listed
  EXPECT_THAT(test::error_of([&] { return floats_of(named(c, "blk.0.attn_v.weight")); }),
              StartsWith("x.gguf: tensor blk.0.attn_v.weight: tensor blk.0.attn_v.weight has type 42, Q2_0, and needs 9216 bytes"));
}

TEST(GgufTraps, OtherMakersIds) {
  EXPECT_THAT(
      verdict(foreign(41, 256, 68)),
      HasSubstr("has type 41, Q1_0, and needs 9216 bytes as such, but the file has 17408 for it: another maker uses this id for codes "
                "of two bits with a scale a row; take a Q1_0 file as llama.cpp writes it"));
  EXPECT_THAT(verdict(foreign(36, 32, 18)), HasSubstr("has type 36, I2_S, and needs 16416 bytes as such, but the file has 36864 for it: "
                                                      "llama.cpp once used this id for another type; take an I2_S file"));
  EXPECT_THAT(verdict(foreign(34, 128, 34)), HasSubstr("has type 34, TQ1_0, and needs 13824 bytes as such, but the file has 17408"));
  EXPECT_THAT(verdict(foreign(41, 64, 18, 0, tiny_gguf("qwen3", "q2_0", 64))), HasSubstr("rows of 64 numbers, but Q1_0 has blocks of 128"));
}

TEST(GgufTraps, TypesThatAreNotRead) {
  EXPECT_EQ(
      verdict(foreign(142, 128, 34)),
      "tensor blk.0.attn_q.weight has type 142, PQ2_0: its weights are rotated, and rotated weights are not run yet; take the unrotated "
      "file of the same model, Q2_0 (_g64) or Q1_0");
  EXPECT_THAT(verdict(foreign(143, 128, 28)), HasSubstr("143, PTQ1_0: its weights are rotated"));
  EXPECT_THAT(verdict(foreign(38, 128, 32)),
              HasSubstr("38, TL1: TL1 and TL2 files fit only the build of bitnet.cpp that wrote them; take"));
  EXPECT_THAT(verdict(foreign(39, 128, 32)), HasSubstr("39, TL2 (of bitnet.cpp) or MXFP4 (of llama.cpp): TL1 and TL2 files fit only"));
  EXPECT_THAT(verdict(foreign(12, 256, 144)), HasSubstr("has type 12, Q4_K, which is not read; take a file of F32, F16"));
  EXPECT_THAT(verdict(foreign(4711, 256, 144)), HasSubstr("has type 4711, which is not known here; take a file of F32, F16"));
}

TEST(GgufTraps, RotationsThatMetadataAnnounce) {
  GgufContents c = tiny_gguf("qwen3");
  c.metadata.emplace_back("prism.hadamard.block_size", 128u);
  EXPECT_EQ(
      verdict(c),
      "the key prism.hadamard.block_size declares rotated weights, and rotated weights are not run yet; take the unrotated file of the "
      "same model, Q2_0 (_g64) or Q1_0");
  c.metadata.back().first = "prism.something";
  EXPECT_THAT(verdict(c), StartsWith("the key prism.something is not known here: it may change what the weights mean"));
}

/// The file with the byte `from_end` bytes before its end set.
std::string with_byte(std::string bytes, size_t from_end, uint8_t value) {
  bytes[bytes.size() - from_end] = static_cast<char>(value);
  return bytes;
}

TEST(GgufTraps, CodesAndScalesThatATypeDoesNotHave) {
  const std::string tq2 = print_gguf(tiny_gguf("llama", "tq2_0", 256)), i2s = print_gguf(tiny_gguf("llama", "i2_s", 256));
  EXPECT_EQ(verdict(with_byte(tq2, 3, 0x03)),
            "x.gguf: tensor blk.0.attn_v.weight: row 127: a code is 3, but TQ2_0 has 0, 1 and 2; the file is damaged: fetch it again");
  EXPECT_EQ(verdict(with_byte(tq2, 1, 0x7C)),
            "x.gguf: tensor blk.0.attn_v.weight: row 127: a scale is infinite or not a number; the file is damaged: fetch it again");
  EXPECT_EQ(verdict(with_byte(i2s, 33 + 128, 0xC0)),
            "x.gguf: tensor blk.0.attn_v.weight: row 125: a code is 3, but I2_S has 0, 1 and 2; the file is damaged, or its bytes are in "
            "another order: fetch it again, or try --i2s-layout");
  EXPECT_EQ(verdict(with_byte(with_byte(i2s, 29, 0x7F), 30, 0x80)),
            "x.gguf: tensor blk.0.attn_v.weight: the scale is infinite or not a number; the file is damaged: fetch it again");
}

TEST(GgufWriter, Messages) {
  EXPECT_EQ(verdict(tiny_gguf("llama", "tq1_0", 64)),
            "tensor blk.0.attn_q.weight: rows of 64 numbers cannot be cut into blocks of 256, which TQ1_0 has; choose a type with smaller "
            "blocks, or other sizes");
  GgufContents c = tiny_gguf("llama", "i2_s", 128);
  c.tensors.back().codes = [](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
    std::fill(codes.begin(), codes.end(), int8_t{0});
    scales[0] = static_cast<float>(r + 1);
  };
  EXPECT_EQ(verdict(c), "tensor blk.0.attn_v.weight: I2_S has one scale for the tensor, but its rows have several; choose another type");
  c.tensors.back().type = written_block_type("q1_0");
  EXPECT_EQ(verdict(c), "tensor blk.0.attn_v.weight: Q1_0 cannot store the code 0; choose another type");
}

TEST(GgufWriter, AlignmentIsKept) {
  GgufContents c = tiny_gguf("llama", "q1_0", 128);
  c.alignment = 4096;
  const std::string bytes = print_gguf(c);
  EXPECT_EQ(verdict(bytes), "runs");
  EXPECT_EQ(bytes.size() % 4096, 0u);
}

}  // namespace
}  // namespace bitgrid::frontend
