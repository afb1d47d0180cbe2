#include "engines/text.h"

#include <gtest/gtest.h>

#include "engines/sampling.h"
#include "ir/error.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::cpu {
namespace {

using test::error_of;

Model kjv_like() {
  TinyParams p;
  p.vocabulary = "\n abcdefghijklmnopqrstuvwxyz.,:?";
  return tiny_model(p);
}

TEST(Prompt, IsNormalisedAsTheCorpusWas) {
  EXPECT_EQ(engines::normalise_prompt(kjv_like(), "In the  Beginning; ho-ly!"), "in the beginning, ho ly.");
  EXPECT_EQ(engines::normalise_prompt(kjv_like(), "a - b "), "a b ");
}

TEST(Prompt, EmptyStartsFromANewline) {
  EXPECT_EQ(engines::normalise_prompt(kjv_like(), ""), "\n");
}

TEST(Prompt, EmptyNeedsANewlineInTheVocabulary) {
  TinyParams p;
  p.vocabulary = "abcd";
  const Model m = tiny_model(p);
  EXPECT_EQ(error_of([&] { engines::normalise_prompt(m, ""); }),
            "prompt: an empty prompt starts from a newline, which tiny does not know; give a prompt");
}

TEST(Prompt, CharactersOfTheVocabularyStayAsTheyAre) {
  TinyParams p;
  p.vocabulary = "Aa;-!";
  EXPECT_EQ(engines::normalise_prompt(tiny_model(p), "Aa;-!"), "Aa;-!");
}

TEST(Prompt, NamesAForeignCharacterAndItsPosition) {
  EXPECT_EQ(error_of([] { engines::normalise_prompt(kjv_like(), "abc4"); }),
            "character 4: '4' is not in the vocabulary of tiny; use these: \"\\n abcdefghijklmnopqrstuvwxyz.,:?\"");
  EXPECT_EQ(error_of([] { engines::normalise_prompt(kjv_like(), "caf\xC3\xA9 \xC3\xA9"); }).substr(0, 19), "character 4: '\xC3\xA9' i");
  EXPECT_EQ(error_of([] { engines::normalise_prompt(kjv_like(), "\xC3\xA9").size(); }).substr(0, 17), "character 1: '\xC3\xA9'");
  EXPECT_EQ(error_of([] { engines::normalise_prompt(kjv_like(), "a\tb"); }).substr(0, 27), "character 2: 0x09 is not in");
  EXPECT_EQ(error_of([] { engines::normalise_prompt(kjv_like(), "a\xFF"); }).substr(0, 27), "character 2: 0xff is not in");
}

TEST(Tokens, RoundTrip) {
  const Model m = kjv_like();
  const std::string text = "\n in the beginning.,:?";
  EXPECT_EQ(engines::detokenise(m, engines::tokenise(m, text)), text);
  EXPECT_EQ(engines::tokenise(m, "\n ab"), (std::vector<int>{0, 1, 2, 3}));
}

TEST(Tokens, OutsideTheVocabulary) {
  EXPECT_THROW(engines::tokenise(kjv_like(), "A"), Error);
  EXPECT_THROW(engines::detokenise(kjv_like(), {32}), Error);
  EXPECT_THROW(engines::detokenise(kjv_like(), {-1}), Error);
}

TEST(Sampling, GreedyTakesTheLowestIndexOfTheMaximum) {
  engines::Sampler s = engines::greedy_sampler();
  EXPECT_EQ(engines::next_token(s, {3, 9, 9}), 1);
  EXPECT_EQ(s.state, 0u);
}

TEST(Sampling, SameSeedSameTokensOtherSeedOthers) {
  const Model m = tiny_model();
  const auto tokens = [&](uint32_t seed) {
    engines::Sampler s = engines::temperature_sampler(m, "1.0", seed);
    std::vector<int> out;
    for (int i = 0; i < 50; ++i) out.push_back(engines::next_token(s, {0, 1, 2, 3, 4, 5, 6, 7}));
    return out;
  };
  EXPECT_EQ(tokens(1), tokens(1));
  EXPECT_NE(tokens(1), tokens(2));
}

TEST(Sampling, FollowsItsWeights) {
  const Model m = tiny_model();
  engines::Sampler s = engines::temperature_sampler(m, "1.0", 1);
  const std::vector<int64_t> z = {0, 8};  // scale 1/8: one unit of log p, so weights 1 : e
  int second = 0;
  for (int i = 0; i < 20000; ++i) second += engines::next_token(s, z);
  EXPECT_NEAR(second / 20000.0, 0.731, 0.01);
}

TEST(Sampling, TemperaturesAreNumbers) {
  const Model m = tiny_model();
  EXPECT_EQ(engines::temperature_sampler(m, "0.70", 1).table->temperature, "0.7");
  EXPECT_EQ(error_of([&] { engines::temperature_sampler(m, "0.9", 1); }),
            "temperature 0.9: tiny has no sampling table for it; use one of 0.7, 1.0, or none for greedy");
  EXPECT_THROW(engines::temperature_sampler(m, "hot", 1), Error);
}

}  // namespace
}  // namespace bitgrid::cpu
