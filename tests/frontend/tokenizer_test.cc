#include "tests/frontend/tokenizer_fixture.h"

namespace bitgrid::frontend {
namespace {

TEST(Tokenizer, MergesTheLowestRankFirst) {
  EXPECT_THAT(made(small())->encode("abc"), ElementsAre(4, 2));
  EXPECT_THAT(made(small())->encode("bc ab"), ElementsAre(5, 6));
}

TEST(Tokenizer, LongWordsMergeAsShortOnesDo) {
  std::string text;
  std::vector<int> ids;
  for (int i = 0; i < 100; ++i) {
    text += "abbc";
    ids.insert(ids.end(), {4, 5});
  }
  EXPECT_EQ(made(small())->encode(text), ids);
}

TEST(Tokenizer, DescribesItself) {
  EXPECT_EQ(made(small())->description(), "byte-level BPE, 11 tokens, 3 merges, pattern gpt-2");
  EXPECT_EQ(made(small())->size(), 11u);
}

TEST(Tokenizer, SpecialTokensOnlyIfAskedFor) {
  EXPECT_THAT(made(small())->encode("a<|end|>b<think>", true), ElementsAre(0, 9, 1, 10));
  EXPECT_THAT(made(small())->encode("a<think>b"), ElementsAre(0, 10, 1));
  EXPECT_EQ(decode(*made(small()), {0, 9, 10, 1}), "a<think>b");
  EXPECT_EQ(decode(*made(small()), {0, 9, 10, 1}, true), "a<|end|><think>b");
}

TEST(Tokenizer, AddedTokensTakeTheSpaceBesideThem) {
  json j = small();
  j["added_tokens"][0]["lstrip"] = true;
  j["added_tokens"][1]["rstrip"] = true;
  EXPECT_THAT(made(j)->encode("a  <|end|> a", true), ElementsAre(0, 9, 3, 0));
  EXPECT_THAT(made(j)->encode("a <think>  a", true), ElementsAre(0, 3, 10, 0));
}

TEST(Tokenizer, TheLongestAddedTokenWins) {
  json j = small();
  j["added_tokens"].push_back({{"id", 11}, {"content", "<think>a"}, {"normalized", false}});
  EXPECT_THAT(made(j)->encode("<think>ab"), ElementsAre(11, 1));
}

TEST(Tokenizer, NamesTheCharacterThatItCannotSay) {
  EXPECT_EQ(test::error_of([] { return made(small())->encode("ab\u00E9d"); }),
            "m/tokenizer.json: the vocabulary has no token for character 4 of the text, 'd'; leave it out, or take a model whose tokenizer "
            "has it");
}

TEST(Tokenizer, UnknownCharactersBecomeTheUnknownTokenWhereThereIsOne) {
  json j = small();
  j["model"]["unk_token"] = "c";
  EXPECT_THAT(made(j)->encode("axxb"), ElementsAre(0, 2, 2, 1));
  j["model"]["fuse_unk"] = true;
  EXPECT_THAT(made(j)->encode("axxb"), ElementsAre(0, 2, 1));
}

TEST(Tokenizer, BytesThatAreNotUtf8AreKept) {
  const auto t = made(small());
  EXPECT_THAT(t->encode("a\xC3"), ElementsAre(0, 7));
  EXPECT_THAT(t->encode("\xA9\xC3\xA9"), ElementsAre(8, 7, 8));
  EXPECT_EQ(t->bytes_of(7), "\xC3");
  EXPECT_EQ(decode(*t, {8, 7, 8}), "\uFFFD\u00E9");
}

TEST(Tokenizer, IdsOutsideTheVocabularyPrintAsNumbers) {
  EXPECT_EQ(decode(*made(small()), {0, 300, -1}), "a<300><-1>");
}

TEST(Tokenizer, WholeWordsAreNotMergedIfTheFileSaysSo) {
  json j = small();
  j["model"]["vocab"]["abc"] = 12;
  EXPECT_THAT(made(j)->encode("abc"), ElementsAre(4, 2));
  j["model"]["ignore_merges"] = true;
  EXPECT_THAT(made(j)->encode("abc abc"), ElementsAre(12, 6, 2));
}

TEST(Tokenizer, SplitsByThePatternOfTheFile) {
  json j = small();
  j["pre_tokenizer"] = json::parse(R"({"type": "Sequence", "pretokenizers": [
    {"type": "Split", "pattern": {"Regex": "b"}, "behavior": "Isolated", "invert": false},
    {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})");
  EXPECT_THAT(made(j)->encode("abc"), ElementsAre(0, 1, 2));
  j["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Removed";
  EXPECT_THAT(made(j)->encode("abc"), ElementsAre(0, 2));
  j["pre_tokenizer"]["pretokenizers"][0]["invert"] = true;
  EXPECT_THAT(made(j)->encode("abc"), ElementsAre(1));
  j["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {{"String", "."}};
  EXPECT_THAT(made(j)->encode("abc"), ElementsAre());
}

TEST(Tokenizer, WhiteSpaceIsUnicodes) {
  json j = small();
  j["pre_tokenizer"]["add_prefix_space"] = true;
  EXPECT_THAT(made(j)->encode("ab"), ElementsAre(6));
  EXPECT_THAT(made(j)->encode(" ab"), ElementsAre(6));
  j["pre_tokenizer"] = json::parse(R"({"type": "Split", "pattern": {"Regex": "\\s"}, "behavior": "Removed"})");
  EXPECT_THAT(made(j)->encode("a\u00A0b\u3000c\u0085"), ElementsAre(0, 1, 2));
  EXPECT_THAT(test::error_of([&] { return made(j)->encode("a\u180Eb"); }), HasSubstr("character 2 of the text"));
}

TEST(Tokenizer, NormalisesToNfc) {
  json j = small();
  EXPECT_THAT(test::error_of([&] { return made(j)->encode("e\u0301"); }), HasSubstr("character 1"));
  j["normalizer"] = {{"type", "NFC"}};
  EXPECT_THAT(made(j)->encode("e\u0301"), ElementsAre(7, 8));
  EXPECT_THAT(made(j)->encode("\xC3"
                              "e\u0301"),
              ElementsAre(7, 7, 8));  // beside a byte that is no character
}

TEST(Tokenizer, TheTemplateSaysWhichTokenBegins) {
  json j = small();
  j["post_processor"] = json::parse(R"({"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<|end|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [9], "tokens": ["<|end|>"]}}}]})");
  const auto t = made(j);
  EXPECT_EQ(t->bos, 9);
  EXPECT_THAT(encode_prompt(*t, "a"), ElementsAre(9, 0));
  EXPECT_THAT(encode_prompt(*t, "<|end|>a", true), ElementsAre(9, 0));
  EXPECT_FALSE(made(j, R"({"add_bos_token": false})")->add_bos);
  j["post_processor"]["processors"][1]["single"].push_back({{"SpecialToken", {{"id", "<|end|>"}}}});
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("post_processor adds more than one token"));
}

TEST(Tokenizer, ReadsTheConfig) {
  const auto t = made(small(), R"({"bos_token": {"content": "<think>"}, "eos_token": "<|end|>", "add_bos_token": true,
    "chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "y"}]})");
  EXPECT_EQ(t->bos, 10);
  EXPECT_TRUE(t->add_bos);
  EXPECT_THAT(t->eos, ElementsAre(9));
  EXPECT_EQ(t->chat_template, "y");
  EXPECT_EQ(tokenizer_problem(small(), R"({"eos_token": "</s>"})"),
            "m/tokenizer_config.json: eos_token '</s>' is not in the vocabulary; use the file that came with the model");
  EXPECT_THAT(tokenizer_problem(small(), R"({"add_bos_token": true})"), HasSubstr("none is named"));
  EXPECT_THAT(tokenizer_problem(small(), R"({"add_bos_token": 1})"), HasSubstr("neither true nor false"));
}

TEST(Tokenizer, EndsComeFromAllFiles) {
  TokenizerSource source = source_of(small().dump(), R"({"eos_token": "<|end|>"})");
  source.eos = 2;
  source.more_eos = {9, 3};
  EXPECT_THAT(make_tokenizer(source)->eos, ElementsAre(2, 9, 3));
  source.eos = -2;
  EXPECT_THAT(test::error_of([&] { return make_tokenizer(source)->eos; }), HasSubstr("the end token has id -2"));
}

TEST(Tokenizer, NoneIsStated) {
  EXPECT_EQ(make_tokenizer({}), nullptr);
}

// The older form of Llama 2 and Mistral: characters, spaces as U+2581, bytes for what the vocabulary lacks.
json pieces() {
  return json::parse(R"({
    "added_tokens": [{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true}],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
                   {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
    "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
                {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
              "vocab": {"<unk>": 0, "<s>": 1, "<0xC3>": 2, "<0xA9>": 3, "\u2581": 4, "a": 5, "b": 6, "\u2581a": 7, "ab": 8},
              "merges": ["\u2581 a", "a b"]}})");
}

TEST(Tokenizer, PiecesWithBytesForTheRest) {
  const auto t = made(pieces());
  EXPECT_THAT(t->encode("ab a"), ElementsAre(7, 6, 7));
  EXPECT_THAT(t->encode("\u00E9"), ElementsAre(4, 2, 3));
  EXPECT_THAT(t->encode("xyz"), ElementsAre(4, 0));
  EXPECT_EQ(decode(*t, {7, 6, 7, 2, 3}), "ab a\u00E9");
  EXPECT_EQ(t->bytes_of(7), " a");
}

TEST(Tokenizer, MetaspaceCutsBeforeSpaces) {
  json j = pieces();
  j["normalizer"] = nullptr;
  j["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "first"}, {"split", true}};
  j["model"]["vocab"]["\u2581\u2581"] = 9;
  j["model"]["merges"].push_back("\u2581 \u2581");
  EXPECT_THAT(made(j)->encode("a  a"), ElementsAre(7, 4, 7));
  j["pre_tokenizer"]["split"] = false;
  EXPECT_THAT(made(j)->encode("b  b"), ElementsAre(4, 6, 9, 6));
}

}  // namespace
}  // namespace bitgrid::frontend
