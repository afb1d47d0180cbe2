#include <fmt/format.h>

#include "tests/frontend/tokenizer_fixture.h"

namespace bitgrid::frontend {
namespace {

#ifdef BITGRID_SENTENCEPIECE
/// A field of a protocol buffer: bytes, or a whole number below 128.
std::string field(unsigned number, const std::string& bytes) {
  std::string out = number < 16 ? std::string(1, static_cast<char>(number << 3 | 2)) : "";
  return out + static_cast<char>(bytes.size()) + bytes;
}
std::string field(unsigned number, unsigned value) {
  std::string out;
  for (unsigned tag = number << 3; tag != 0; tag >>= 7) out += static_cast<char>((tag & 127) | (tag > 127 ? 128u : 0u));
  return out + static_cast<char>(value);
}

/// The tokenizer.model of the pieces of a GGUF.
TokenizerSource piece_model(const TokenizerSource& gguf_source) {
  TokenizerSource source;
  source.kind = TokenizerSource::Kind::kSentencePiece;
  source.where = "m/tokenizer.model";
  for (size_t i = 0; i < gguf_source.tokens.size(); ++i) {
    const float score = gguf_source.scores[i];
    const std::string bytes(reinterpret_cast<const char*>(&score), sizeof score);
    source.model += field(1, field(1, gguf_source.tokens[i]) + '\x15' + bytes + field(3, static_cast<unsigned>(gguf_source.types[i])));
  }
  // Trained as BPE with bytes for the rest; the text gets a space in front, and other spaces stay as they are.
  source.model += field(2, field(3, 2) + field(35, 1)) + field(3, field(3, 1) + field(4, 0) + field(5, 1));
  return source;
}

/// The library wants all 256 bytes or none.
TokenizerSource scored_with_all_bytes() {
  TokenizerSource source = scored();
  for (int b = 0; b < 256; ++b) {
    if (b == 0xC3 || b == 0xA9) continue;
    source.tokens.push_back(fmt::format("<0x{:02X}>", b));
    source.types.push_back(6);
    source.scores.push_back(0);
  }
  return source;
}

TEST(SentencePiece, EncodesAsTheSamePiecesInAGguf) {
  const auto ours = make_tokenizer(scored_with_all_bytes()), theirs = make_tokenizer(piece_model(scored_with_all_bytes()));
  EXPECT_EQ(theirs->description(), "SentencePiece, 266 tokens");
  EXPECT_EQ(theirs->bos, 1);
  EXPECT_TRUE(theirs->add_bos);
  for (const char* text : {"a", "ab abb", "bb\u00E9", "xyz", "abababbbaabb ab  b a ", "\u2581a", " a"}) {
    EXPECT_EQ(theirs->encode(text), ours->encode(text)) << text;
    EXPECT_EQ(decode(*theirs, theirs->encode(text)), decode(*ours, ours->encode(text))) << text;
  }
  EXPECT_THAT(encode_prompt(*theirs, "<s>a", true), ElementsAre(1, 7));
  EXPECT_EQ(decode(*theirs, {1, 7, 500}, true), "<s> a<500>");
}

/// A table of replacements: "a" becomes "b". Unit 0 leads to the units from 256, where that of 'a' leads to those from 512; there is the
/// place of the text.
std::string replacements(uint32_t place = 0, uint32_t way = 512) {
  std::vector<uint32_t> units(768, 0x80000000u);
  units[0] = 256u << 10;
  units[256 + 'a'] = (way ^ (256 + 'a')) << 10 | 0x100 | 'a';
  units[512] = 0x80000000u | place;
  std::string map = {0, 12, 0, 0};
  for (const uint32_t u : units) {
    for (unsigned k = 0; k < 4; ++k) map += static_cast<char>(u >> 8 * k & 255);
  }
  map += std::string("b\0", 2);
  const auto size = [](size_t n) { return std::string{static_cast<char>((n & 127) | 128), static_cast<char>(n >> 7)}; };
  const std::string inner = "\x12" + size(map.size()) + map;
  return "\x1A" + size(inner.size()) + inner;
}

TEST(SentencePiece, TablesOfReplacementsAreCheckedBeforeTheLibraryFollowsThem) {
  TokenizerSource source = piece_model(scored_with_all_bytes());
  const std::string model = source.model;
  source.model = model + replacements();
  EXPECT_THAT(make_tokenizer(source)->encode("a"), ElementsAre(4, 6));
  for (const std::string& damaged : {replacements(2), replacements(0, 768), replacements(0, 1u << 20)}) {
    source.model = model + damaged;
    EXPECT_EQ(test::error_of([&] { return make_tokenizer(source)->size(); }),
              "m/tokenizer.model: its table of replacements (precompiled_charsmap) is damaged; use the tokenizer.model that came with "
              "the model");
  }
}
#endif

TEST(SentencePiece, BytesThatAreNoModel) {
  TokenizerSource source;
  source.kind = TokenizerSource::Kind::kSentencePiece;
  source.where = "tokenizer.model";
  source.model = "nonsense";
#ifdef BITGRID_SENTENCEPIECE
  EXPECT_THAT(test::error_of([&] { return make_tokenizer(source)->size(); }),
              HasSubstr("tokenizer.model: it is not a SentencePiece model"));
#else
  EXPECT_THAT(test::error_of([&] { return make_tokenizer(source)->size(); }), HasSubstr("install libsentencepiece-dev"));
#endif
}

}  // namespace
}  // namespace bitgrid::frontend
