#include "tests/frontend/tokenizer_fixture.h"

namespace bitgrid::frontend {
namespace {

TEST(Tokenizer, FilesThatAreWrong) {
  json j = small();
  j["model"]["merges"][0] = "ab";
  EXPECT_EQ(tokenizer_problem(j),
            "m/tokenizer.json: model.merges[0]: 'ab' is not two tokens with a space between them; use the tokenizer.json that came "
            "with the model");
  j["model"]["merges"][0] = "a z";
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("model.merges[0]: its right part 'z' is not in the vocabulary"));
  j["model"]["merges"][0] = "a c";
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("model.merges[0]: its result 'ac' is not in the vocabulary"));
  j["model"]["merges"][0] = 5;
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("model.merges[0]: it is neither a string nor a pair of strings"));
  j = small();
  j["model"]["vocab"]["d"] = 4;
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("model.vocab gives id 4 to both 'ab' and 'd'"));
  j["model"]["vocab"]["d"] = -1;
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("model.vocab: 'd' has an id that is not a whole number from 0 to 1048575"));
  j["model"]["vocab"]["d"] = 1e9;
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("not a whole number"));
  j = small();
  j["model"].erase("merges");
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("model has no list 'merges'"));
  j["model"].erase("vocab");
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("model has no object 'vocab'"));
  j.erase("model");
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("model is missing"));
  EXPECT_THAT(tokenizer_problem(json::array()), HasSubstr("it is not an object"));
  EXPECT_THAT(test::error_of([] { return make_tokenizer(source_of("{"))->size(); }), HasSubstr("m/tokenizer.json:1"));
  j = small();
  j["added_tokens"][0]["id"] = 3;
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("added_tokens[0] gives '<|end|>' id 3, which another token has already"));
  j["added_tokens"][0] = {{"id", 3}, {"content", "a"}};
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("gives 'a' id 3, but it has id 0 already"));
}

TEST(Tokenizer, WhatIsNotSupportedIsRefusedByName) {
  json j = small();
  j["model"]["type"] = "Unigram";
  EXPECT_THAT(tokenizer_problem(j),
              HasSubstr("model is of type Unigram; only BPE is read; take another file of the model that has its tokenizer"));
  j = small();
  j["model"]["end_of_word_suffix"] = "</w>";
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("model has a end_of_word_suffix, which is not supported"));
  j = small();
  j["model"]["dropout"] = 0.1;
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("has a dropout"));
  j = small();
  j["normalizer"] = {{"type", "Lowercase"}};
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("normalizer 'Lowercase' is not supported"));
  j = small();
  j["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("pre_tokenizer 'BertPreTokenizer' is not supported"));
  j["pre_tokenizer"] = json::parse(R"({"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithNext"})");
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("has behavior 'MergedWithNext', which is not supported"));
  j = small();
  j["decoder"] = {{"type", "WordPiece"}};
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("decoder 'WordPiece' is not supported"));
  j = small();
  j["post_processor"] = {{"type", "BertProcessing"}};
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("post_processor 'BertProcessing' is not supported"));
  j = small();
  j["added_tokens"][0]["single_word"] = true;
  EXPECT_THAT(tokenizer_problem(j), HasSubstr("added_tokens[0] '<|end|>' is a single_word token"));
}

std::string problem_of_pattern(const std::string& regex, const std::string& text = "") {
  json j = small();
  j["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}};
  return test::error_of([&] { return made(j)->encode(text); });
}

TEST(Tokenizer, PatternsThatAreWrong) {
  EXPECT_EQ(problem_of_pattern("a(b"),
            "m/tokenizer.json: pre_tokenizer Split: the pattern is not a valid regular expression: missing closing parenthesis (at \"\"); "
            "use the "
            "tokenizer.json that came with the model, or report the pattern: it may be one that this program does not know");
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

}  // namespace
}  // namespace bitgrid::frontend
