#include "frontend/tokenizer/tokenizer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ir/file.h"
#include "tests/support/errors.h"

namespace bitgrid::frontend {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

TokenizerSource source_of(const std::string& tokenizer_json, const std::string& config = "") {
  TokenizerSource source;
  source.kind = TokenizerSource::Kind::kHuggingFace;
  source.where = "m/tokenizer.json";
  source.json = tokenizer_json;
  source.config_json = config;
  return source;
}

/// Byte-level BPE of a few tokens; \u0120 is a space, \u00C3\u00A9 the two bytes of U+00E9.
json small() {
  return json::parse(R"({
    "added_tokens": [{"id": 9, "content": "<|end|>", "special": true, "normalized": false},
                     {"id": 10, "content": "<think>", "special": false, "normalized": false}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "\u0120": 3, "ab": 4, "bc": 5, "\u0120ab": 6, "\u00C3": 7, "\u00A9": 8},
              "merges": ["a b", ["b", "c"], "\u0120 ab"]}})");
}

std::unique_ptr<Tokenizer> made(const json& j, const std::string& config = "") {
  return make_tokenizer(source_of(j.dump(), config));
}

std::string problem(const json& j, const std::string& config = "") {
  return test::error_of([&] { return made(j, config) != nullptr; });
}

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
  EXPECT_THAT(problem(j), HasSubstr("post_processor adds more than one token"));
}

TEST(Tokenizer, ReadsTheConfig) {
  const auto t = made(small(), R"({"bos_token": {"content": "<think>"}, "eos_token": "<|end|>", "add_bos_token": true,
    "chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "y"}]})");
  EXPECT_EQ(t->bos, 10);
  EXPECT_TRUE(t->add_bos);
  EXPECT_THAT(t->eos, ElementsAre(9));
  EXPECT_EQ(t->chat_template, "y");
  EXPECT_EQ(problem(small(), R"({"eos_token": "</s>"})"),
            "m/tokenizer_config.json: eos_token '</s>' is not in the vocabulary; take the file that the model came with");
  EXPECT_THAT(problem(small(), R"({"add_bos_token": true})"), HasSubstr("none is named"));
  EXPECT_THAT(problem(small(), R"({"add_bos_token": 1})"), HasSubstr("neither true nor false"));
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

TEST(Tokenizer, FilesThatAreWrong) {
  json j = small();
  j["model"]["merges"][0] = "ab";
  EXPECT_EQ(problem(j),
            "m/tokenizer.json: model.merges[0]: 'ab' is not two tokens with a space between them; take the tokenizer.json that the model "
            "came with");
  j["model"]["merges"][0] = "a z";
  EXPECT_THAT(problem(j), HasSubstr("model.merges[0]: its right part 'z' is not in the vocabulary"));
  j["model"]["merges"][0] = "a c";
  EXPECT_THAT(problem(j), HasSubstr("model.merges[0]: its result 'ac' is not in the vocabulary"));
  j["model"]["merges"][0] = 5;
  EXPECT_THAT(problem(j), HasSubstr("model.merges[0]: it is neither a text nor a pair of texts"));
  j = small();
  j["model"]["vocab"]["d"] = 4;
  EXPECT_THAT(problem(j), HasSubstr("model.vocab gives id 4 to both 'ab' and 'd'"));
  j["model"]["vocab"]["d"] = -1;
  EXPECT_THAT(problem(j), HasSubstr("model.vocab: 'd' has an id that is no whole number from 0 to 1048575"));
  j["model"]["vocab"]["d"] = 1e9;
  EXPECT_THAT(problem(j), HasSubstr("no whole number"));
  j = small();
  j["model"].erase("merges");
  EXPECT_THAT(problem(j), HasSubstr("model has no list 'merges'"));
  j["model"].erase("vocab");
  EXPECT_THAT(problem(j), HasSubstr("model has no object 'vocab'"));
  j.erase("model");
  EXPECT_THAT(problem(j), HasSubstr("model is missing"));
  EXPECT_THAT(problem(json::array()), HasSubstr("it is not an object"));
  EXPECT_THAT(test::error_of([] { return make_tokenizer(source_of("{"))->size(); }), HasSubstr("m/tokenizer.json:1"));
  j = small();
  j["added_tokens"][0]["id"] = 3;
  EXPECT_THAT(problem(j), HasSubstr("added_tokens[0] gives '<|end|>' id 3, which another token has already"));
  j["added_tokens"][0] = {{"id", 3}, {"content", "a"}};
  EXPECT_THAT(problem(j), HasSubstr("gives 'a' id 3, but it has id 0 already"));
}

TEST(Tokenizer, WhatIsNotSupportedIsRefusedByName) {
  json j = small();
  j["model"]["type"] = "Unigram";
  EXPECT_THAT(problem(j), HasSubstr("model is of type Unigram; only BPE is read; take another file of the model that has its tokenizer"));
  j = small();
  j["model"]["end_of_word_suffix"] = "</w>";
  EXPECT_THAT(problem(j), HasSubstr("model has a end_of_word_suffix, which is not supported"));
  j = small();
  j["model"]["dropout"] = 0.1;
  EXPECT_THAT(problem(j), HasSubstr("has a dropout"));
  j = small();
  j["normalizer"] = {{"type", "Lowercase"}};
  EXPECT_THAT(problem(j), HasSubstr("normalizer 'Lowercase' is not supported"));
  j = small();
  j["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  EXPECT_THAT(problem(j), HasSubstr("pre_tokenizer 'BertPreTokenizer' is not supported"));
  j["pre_tokenizer"] = json::parse(R"({"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithNext"})");
  EXPECT_THAT(problem(j), HasSubstr("has behavior 'MergedWithNext', which is not supported"));
  j = small();
  j["decoder"] = {{"type", "WordPiece"}};
  EXPECT_THAT(problem(j), HasSubstr("decoder 'WordPiece' is not supported"));
  j = small();
  j["post_processor"] = {{"type", "BertProcessing"}};
  EXPECT_THAT(problem(j), HasSubstr("post_processor 'BertProcessing' is not supported"));
  j = small();
  j["added_tokens"][0]["single_word"] = true;
  EXPECT_THAT(problem(j), HasSubstr("added_tokens[0] '<|end|>' is a single_word token"));
}

std::string problem_of_pattern(const std::string& regex, const std::string& text = "") {
  json j = small();
  j["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}};
  return test::error_of([&] { return made(j)->encode(text); });
}

TEST(Tokenizer, PatternsThatAreWrong) {
  EXPECT_EQ(problem_of_pattern("a(b"),
            "m/tokenizer.json: pre_tokenizer Split: the pattern is no regular expression: missing closing parenthesis (at \"\"); take the "
            "tokenizer.json that the model came with, or report the pattern: it may be one that is not known here");
  EXPECT_THAT(problem_of_pattern("\\h"), HasSubstr("the pattern has \\h (a hexadecimal digit), which is not supported"));
  EXPECT_THAT(problem_of_pattern("[a-z&&[^b]]"), HasSubstr("an intersection of classes"));
  EXPECT_THAT(problem_of_pattern("[a[b]]"), HasSubstr("a class within a class"));
  EXPECT_THAT(problem_of_pattern("(*UTF)a"), HasSubstr("a command of PCRE2"));
  EXPECT_THAT(problem_of_pattern(std::string(70000, 'a')), HasSubstr("the pattern has 70000 bytes, more than 65536"));
}

TEST(Tokenizer, PatternsThatNeverEndAreStopped) {
  EXPECT_THAT(problem_of_pattern("(a+)+[cd]", std::string(40, 'a')), HasSubstr("the pattern takes too long at byte 0 of the text"));
  EXPECT_THAT(problem_of_pattern("(?:a|aa)+$|(a|(?R))+c", std::string(4000, 'a') + "b"), HasSubstr("the pattern takes too long at byte 0"));
}

TEST(Tokenizer, EmptyMatchesCut) {
  json j = small();
  j["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", "(?=b)"}}}, {"behavior", "Isolated"}};
  EXPECT_THAT(made(j)->encode("abcab"), ElementsAre(0, 5, 0, 1));
}

TokenizerSource gguf(const std::string& model, const std::string& pre, std::vector<std::string> tokens) {
  TokenizerSource source;
  source.kind = TokenizerSource::Kind::kGguf;
  source.where = "m.gguf";
  source.model = model;
  source.pre = pre;
  source.tokens = std::move(tokens);
  return source;
}

TEST(GgufTokenizer, ByteLevel) {
  TokenizerSource source = gguf("gpt2", "qwen2", {"a", "b", "\u0120", "ab", "1", "11", "<|im_end|>", "<think>", "\u00C3", "\u00A9"});
  source.merges = {"a b", "1 1"};
  source.types = {1, 1, 1, 1, 1, 1, 3, 4, 1, 1};
  source.eos = 1;
  const auto t = make_tokenizer(source);
  EXPECT_EQ(t->description(), "byte-level BPE, 10 tokens, 2 merges, pattern qwen2");
  EXPECT_THAT(t->encode("ab 11<|im_end|><think>", true), ElementsAre(3, 2, 4, 4, 6, 7));  // Qwen keeps digits apart
  EXPECT_THAT(t->encode("e\u0301"), ElementsAre(8, 9));                                   // and normalises
  EXPECT_EQ(decode(*t, {3, 2, 6, 7, 8, 9}, true), "ab <|im_end|><think>\u00E9");
  EXPECT_THAT(t->eos, ElementsAre(1, 6));
  EXPECT_FALSE(t->add_bos);
}

TEST(GgufTokenizer, LlamaTakesWholeWordsAndThreeDigits) {
  TokenizerSource source = gguf("gpt2", "llama-bpe", {"1", "2", "123", "12", "3", "a", "b", "ab", "<s>"});
  source.merges = {"1 2"};
  source.bos = 8;
  const auto t = make_tokenizer(source);
  EXPECT_THAT(t->encode("1233ab"), ElementsAre(2, 4, 7));
  EXPECT_TRUE(t->add_bos);
  source.add_bos = false;
  EXPECT_FALSE(make_tokenizer(source)->add_bos);
  source.add_bos = true;
  source.bos = 9;
  EXPECT_THAT(test::error_of([&] { return make_tokenizer(source)->size(); }),
              HasSubstr("the begin token has id 9, but the vocabulary has 9"));
}

TEST(GgufTokenizer, PatternsWithoutAKnownName) {
  EXPECT_EQ(test::error_of([] { return make_tokenizer(gguf("gpt2", "klingon", {"a"}))->size(); }),
            "m.gguf: tokenizer.ggml.pre is 'klingon', a splitting pattern that is not known (known: llama-bpe, smaug-bpe, qwen2, qwen35, "
            "stablelm2, gpt-2, smollm, tekken, gpt-4o, default); take the model's Hugging Face folder, whose tokenizer.json has the "
            "pattern itself");
  EXPECT_THAT(make_tokenizer(gguf("gpt2", "", {"a"}))->description(), HasSubstr("pattern default (assumed: the file names none)"));
  TokenizerSource llama3 = gguf("gpt2", "", {"a", "<|begin_of_text|>", "<|eot_id|>"});
  llama3.bos = 1;
  EXPECT_THAT(make_tokenizer(llama3)->description(), HasSubstr("pattern llama-bpe (assumed: the file names none, and its special tokens"));
}

TEST(GgufTokenizer, DefaultPatternKeepsPunctuationAndThreeDigits) {
  TokenizerSource source = gguf("gpt2", "default", {"1", "11", "111", "!", "\u0120", "\u0120!", "a"});
  source.merges = {"1 1", "11 1", "\u0120 !"};
  EXPECT_THAT(make_tokenizer(source)->encode("1111a !"), ElementsAre(2, 0, 6, 4, 3));
}

TokenizerSource scored() {
  TokenizerSource source =
      gguf("llama", "", {"<unk>", "<s>", "<0xC3>", "<0xA9>", "\u2581", "a", "b", "\u2581a", "ab", "bb", "\u2581ab", "[INST]"});
  source.types = {2, 3, 6, 6, 1, 1, 1, 1, 1, 1, 1, 4};
  source.scores = {0, 0, 0, 0, -10, -11, -12, -3, -1, -2, -4, 0};
  source.bos = 1;
  return source;
}

TEST(GgufTokenizer, ScoresSayWhatMerges) {
  const auto t = make_tokenizer(scored());
  EXPECT_EQ(t->description(), "SentencePiece BPE, 12 tokens");
  EXPECT_THAT(t->encode("ab abb"), ElementsAre(10, 10, 6));
  EXPECT_THAT(t->encode("bb\u00E9"), ElementsAre(4, 9, 2, 3));
  EXPECT_THAT(t->encode("[INST]a"), ElementsAre(11, 7));
  EXPECT_THAT(t->encode("axyz"), ElementsAre(7, 0));
  EXPECT_THAT(encode_prompt(*t, "a"), ElementsAre(1, 7));
  EXPECT_EQ(decode(*t, {10, 10, 2, 3, 0, 1, 11}), "ab ab\u00E9[INST]");
}

TEST(GgufTokenizer, NoSpaceInFrontIfTheFileSaysSo) {
  TokenizerSource source = scored();
  source.add_space_prefix = false;
  EXPECT_THAT(make_tokenizer(source)->encode("ab a"), ElementsAre(8, 7));
  EXPECT_EQ(decode(*make_tokenizer(source), {7}), " a");
}

TEST(GgufTokenizer, CharactersThatOnlyMergesKnow) {
  TokenizerSource source = scored();
  source.tokens[9] = "b\u00E9";
  EXPECT_THAT(make_tokenizer(source)->encode("b\u00E9\u00E9"), ElementsAre(4, 9, 2, 3));
}

TEST(GgufTokenizer, FilesThatAreWrong) {
  const auto problem_of = [](const TokenizerSource& s) { return test::error_of([&] { return make_tokenizer(s)->size(); }); };
  TokenizerSource source = scored();
  source.scores.pop_back();
  EXPECT_EQ(problem_of(source),
            "m.gguf: tokenizer.ggml.scores has 11 entries for 12 tokens; take a GGUF that was written from the model with its tokenizer");
  source = scored();
  source.scores[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(problem_of(source), HasSubstr("tokenizer.ggml.scores[3] is not finite"));
  source = scored();
  source.types.push_back(1);
  EXPECT_THAT(problem_of(source), HasSubstr("tokenizer.ggml.token_type has 13 entries for 12 tokens"));
  source = scored();
  source.types[4] = 7;
  EXPECT_THAT(problem_of(source), HasSubstr("tokenizer.ggml.token_type[4] is 7, which is not known"));
  source = scored();
  source.tokens[4] = std::string(5000, 'x');
  EXPECT_THAT(problem_of(source), HasSubstr("tokenizer.ggml.tokens[4] has 5000 bytes, more than 4096"));
  EXPECT_THAT(problem_of(gguf("gpt2", "qwen2", {})), HasSubstr("tokenizer.ggml.tokens is missing or empty"));
  EXPECT_THAT(problem_of(gguf("bert", "", {"a"})), HasSubstr("tokenizer.ggml.model is 'bert'; only 'gpt2' (byte-level BPE) and 'llama'"));
  source = gguf("gpt2", "gpt-2", {"a", "b"});
  source.merges = {"a b"};
  EXPECT_THAT(problem_of(source), HasSubstr("tokenizer.ggml.merges[0]: its result 'ab' is not in the vocabulary"));
  source.merges = {"ab"};
  EXPECT_THAT(problem_of(source), HasSubstr("tokenizer.ggml.merges[0]: 'ab' is not two tokens"));
}

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
              "m/tokenizer.model: its table of replacements (precompiled_charsmap) is damaged; take the tokenizer.model that the model "
              "came with");
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
              HasSubstr("tokenizer.model: it is no model of SentencePiece"));
#else
  EXPECT_THAT(test::error_of([&] { return make_tokenizer(source)->size(); }), HasSubstr("install libsentencepiece-dev"));
#endif
}

TEST(Utf8Stream, KeepsTheBeginningOfACharacter) {
  Utf8Stream stream;
  EXPECT_EQ(stream.put("a\xF0\x9F"), "a");
  EXPECT_EQ(stream.put("\x98"), "");
  EXPECT_EQ(stream.put("\x80z"), "\U0001F600z");
  EXPECT_EQ(stream.finish(), "");
}

TEST(Utf8Stream, ReplacesWhatCannotBecomeACharacter) {
  Utf8Stream stream;
  EXPECT_EQ(stream.put("\xE0\x80"), "\uFFFD\uFFFD");
  EXPECT_EQ(stream.put("\xC3"), "");
  EXPECT_EQ(stream.put("a\x80\xED\xA0"),
            "\uFFFD"
            "a\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(stream.put("\xF4\x8F\xBF"), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.finish(), "");
}

std::string chat(const std::string& chat_template, const std::vector<ChatMessage>& messages) {
  const auto t = made(small(), R"({"bos_token": "<|end|>"})");
  t->chat_template = chat_template;
  return chat_prompt(*t, messages);
}

TEST(Chat, Llama3) {
  const std::string t = "{{ bos_token }}'<|start_header_id|>' + role '<|eot_id|>'";
  EXPECT_EQ(chat(t, {{"system", "S"}, {"user", " hi\n"}}),
            "<|end|><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(
      chat(t + "Cutting Knowledge Date: ", {{"user", "hi"}}),
      "<|end|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|>"
      "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(Chat, Qwen) {
  EXPECT_EQ(
      chat("'<|im_start|>' + message.role '<|im_end|>'", {{"user", "hi"}, {"assistant", "yes"}, {"user", "so"}}),
      "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n<|im_start|>user\nso<|im_end|>\n<|im_start|>assistant\n");
  const std::string with_default = "'<|im_start|>system\\n' + x '<|im_start|>system\\nYou are Q.<|im_end|>\\n'";
  EXPECT_EQ(chat(with_default, {{"user", "hi"}}),
            "<|im_start|>system\nYou are Q.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(chat(with_default, {{"system", "S"}, {"user", "hi"}}),
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(Chat, EarlierThoughtsAreLeftOut) {
  const std::string t = "'<|im_start|>' '<|im_end|>' '</think>' last_query_index";
  EXPECT_EQ(chat(t, {{"user", "a"}, {"assistant", "<think>\nhm\n</think>\n\nyes"}, {"user", "b"}}),
            "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n<|im_start|>user\nb<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(chat(t, {{"user", "a"}, {"assistant", "<think>\nhm\n</think>\n\nyes"}}),
            "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>\n\nyes<|im_end|>\n<|im_start|>assistant\n");
}

TEST(Chat, BitNet) {
  EXPECT_EQ(chat("message['role'] | capitalize + ': ' '<|eot_id|>' 'Assistant: '",
                 {{"system", "S"}, {"user", " hi "}, {"assistant", "yes"}, {"user", "so"}}),
            "System: S<|eot_id|>User: hi<|eot_id|>Assistant: yes<|eot_id|>User: so<|eot_id|>Assistant: ");
}

TEST(Chat, OtherTemplatesAreRefused) {
  const std::string cure =
      "; leave --chat away and write the prompt as the model expects it, or take a model with a chat template of Llama 3, Qwen or BitNet "
      "2B4T";
  EXPECT_EQ(test::error_of([] { return chat("[INST] {{ message }}", {}); }),
            "chat: the chat template of the model belongs to no family that is known" + cure);
  EXPECT_EQ(test::error_of([] { return chat("", {}); }), "chat: the model has no chat template" + cure);
  EXPECT_THAT(test::error_of([] { return chat("<|im_start|><|im_sep|><|im_end|>", {}); }), HasSubstr("no family that is known"));
  EXPECT_EQ(test::error_of([] { return chat("x", {{"tool", "y"}}); }), "chat: a message has role 'tool'; use system, user or assistant");
}

/// The tokenizer of Qwen 3 from the shared cases; tests that need it skip where it is absent.
class Qwen3 : public testing::Test {
 protected:
  void SetUp() override {
    const std::string folder = std::string(BITGRID_SHARED_CASES) + "/tokenizer/";
    if (!std::filesystem::exists(folder + "qwen3.tokenizer.json.gz")) GTEST_SKIP() << "the shared tokenizers are absent";
    FILE* pipe = popen(("gzip -dc '" + folder + "qwen3.tokenizer.json.gz'").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string text;
    std::vector<char> buffer(1 << 20);
    while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), n);
    ASSERT_EQ(pclose(pipe), 0);
    tokenizer = make_tokenizer(source_of(text, read_file(folder + "qwen3.tokenizer_config.json")));
    expected = json::parse(read_file(folder + "qwen3.expected.json"));
  }

  std::unique_ptr<Tokenizer> tokenizer;
  json expected;
};

TEST_F(Qwen3, EveryIdAndText) {
  EXPECT_EQ(expected.size(), 40u);
  for (const json& e : expected) {
    const auto ids = e["ids"].get<std::vector<int>>();
    EXPECT_EQ(tokenizer->encode(e["text"].get<std::string>(), true), ids) << e["text"];
    EXPECT_EQ(decode(*tokenizer, ids, true), e["decoded"].get<std::string>());
    Utf8Stream stream;
    std::string text;
    for (const int id : ids) text += stream.put(tokenizer->bytes_of(id, true));
    EXPECT_EQ(text + stream.finish(), e["decoded"].get<std::string>());
  }
}

TEST_F(Qwen3, ConfigAndChat) {
  EXPECT_EQ(tokenizer->description(), "byte-level BPE, 151669 tokens, 151387 merges, pattern qwen2");
  EXPECT_THAT(tokenizer->eos, ElementsAre(151645));
  EXPECT_FALSE(tokenizer->add_bos);
  EXPECT_EQ(chat_prompt(*tokenizer, {{"user", "hi"}}), "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");
}

}  // namespace
}  // namespace bitgrid::frontend
