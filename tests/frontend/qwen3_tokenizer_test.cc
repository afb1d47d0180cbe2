#include <cstdio>
#include <filesystem>

#include "ir/file.h"
#include "tests/frontend/tokenizer_fixture.h"

namespace bitgrid::frontend {
namespace {

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
