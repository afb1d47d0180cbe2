#include "tests/frontend/tokenizer_fixture.h"

namespace bitgrid::frontend {
namespace {

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
      "; leave out --chat and write the prompt as the model expects it, or take a model with a chat template of Llama 3, Qwen or BitNet "
      "2B4T";
  EXPECT_EQ(test::error_of([] { return chat("[INST] {{ message }}", {}); }),
            "chat: the model's chat template is not of a known family" + cure);
  EXPECT_EQ(test::error_of([] { return chat("", {}); }), "chat: the model has no chat template" + cure);
  EXPECT_THAT(test::error_of([] { return chat("<|im_start|><|im_sep|><|im_end|>", {}); }), HasSubstr("is not of a known family"));
  EXPECT_EQ(test::error_of([] { return chat("x", {{"tool", "y"}}); }), "chat: a message has role 'tool'; use system, user or assistant");
}

}  // namespace
}  // namespace bitgrid::frontend
