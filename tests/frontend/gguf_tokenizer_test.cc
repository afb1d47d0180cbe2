#include <limits>

#include "tests/frontend/tokenizer_fixture.h"

namespace bitgrid::frontend {
namespace {

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

}  // namespace
}  // namespace bitgrid::frontend
