// Prompts of chats, as the templates of three families print them. Templates are programs (Jinja); a family is known by what its template
// has in it, and printed here.
#include <fmt/format.h>

#include "frontend/tokenizer/tokenizer.h"
#include "frontend/tokenizer/unicode.h"
#include "ir/error.h"

namespace bitgrid::frontend {
namespace {

constexpr const char* kChatCure =
    "leave out --chat and write the prompt as the model expects it, or take a model with a chat template of Llama 3, Qwen or BitNet 2B4T";

bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string begin_token(const Tokenizer& tokenizer) {
  return tokenizer.bos ? tokenizer.bytes_of(*tokenizer.bos, true) : std::string();
}

std::string without_leading_line_ends(std::string_view text) {
  const size_t begin = text.find_first_not_of('\n');
  return begin == std::string_view::npos ? std::string() : std::string(text.substr(begin));
}

std::string llama3_prompt(const Tokenizer& tokenizer, const std::vector<ChatMessage>& messages) {
  const auto turn = [](std::string_view role, std::string_view text) {
    return fmt::format("<|start_header_id|>{}<|end_header_id|>\n\n{}<|eot_id|>", role, text);
  };
  std::string prompt = begin_token(tokenizer);
  size_t first = 0;
  if (mentions(tokenizer.chat_template, "Cutting Knowledge Date")) {  // Llama 3.1 and later: a system message in any case
    std::string system = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
    if (!messages.empty() && messages[0].role == "system") system += trimmed(messages[first++].text);
    prompt += turn("system", system);
  }
  for (size_t i = first; i < messages.size(); ++i) prompt += turn(messages[i].role, trimmed(messages[i].text));
  return prompt + "<|start_header_id|>assistant<|end_header_id|>\n\n";
}

/// The system message that a template of Qwen puts in front of messages without one: a text of its own between these two tokens.
std::string default_system(const std::string& chat_template) {
  constexpr std::string_view kBegin = "<|im_start|>system", kEnd = "<|im_end|>";
  for (size_t at = chat_template.find(kBegin); at != std::string::npos; at = chat_template.find(kBegin, at + 1)) {
    size_t begin = at + kBegin.size();
    if (chat_template.compare(begin, 2, "\\n") == 0) {
      begin += 2;
    } else if (chat_template.compare(begin, 1, "\n") == 0) {
      begin += 1;
    } else {
      continue;
    }
    const size_t end = chat_template.find(kEnd, begin);
    if (end == std::string::npos) break;
    const std::string text = chat_template.substr(begin, end - begin);
    if (!text.empty() && text.find_first_of("'\"{}\\") == std::string::npos) return text;
  }
  return "";
}

/// Where an answer of the assistant stands: before the last question, behind it, or at the very end.
enum class AnswerPlace : uint8_t { kEarlier, kBehind, kLast };

/// The text of an answer: models that think leave their thoughts out of earlier ones.
std::string answer_text(const std::string& chat_template, const std::string& text, AnswerPlace place) {
  constexpr std::string_view kEnd = "</think>", kBegin = "<think>";
  if (!mentions(chat_template, kEnd)) return text;
  const size_t end = text.rfind(kEnd);
  const std::string answer = end == std::string::npos ? text : without_leading_line_ends(std::string_view(text).substr(end + kEnd.size()));
  if (place == AnswerPlace::kEarlier || !mentions(chat_template, "last_query_index")) return answer;
  std::string thoughts = end == std::string::npos ? "" : text.substr(0, text.find(kEnd));
  thoughts.erase(thoughts.find_last_not_of('\n') + 1);
  if (const size_t begin = thoughts.rfind(kBegin); begin != std::string::npos) thoughts.erase(0, begin + kBegin.size());
  thoughts = without_leading_line_ends(thoughts);
  if (place == AnswerPlace::kBehind && thoughts.empty()) return answer;
  return fmt::format("<think>\n{}\n</think>\n\n{}", thoughts, without_leading_line_ends(answer));
}

std::string qwen_prompt(const Tokenizer& tokenizer, const std::vector<ChatMessage>& messages) {
  const auto turn = [](std::string_view role, std::string_view text) { return fmt::format("<|im_start|>{}\n{}<|im_end|>\n", role, text); };
  std::string prompt = mentions(tokenizer.chat_template, "bos_token") ? begin_token(tokenizer) : "";
  const std::string system = default_system(tokenizer.chat_template);
  if (!system.empty() && (messages.empty() || messages[0].role != "system")) prompt += turn("system", system);
  size_t last_question = messages.empty() ? 0 : messages.size() - 1;
  for (size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].role == "user") last_question = i;
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    const ChatMessage& m = messages[i];
    const AnswerPlace place = i < last_question         ? AnswerPlace::kEarlier
                              : i + 1 < messages.size() ? AnswerPlace::kBehind
                                                        : AnswerPlace::kLast;
    prompt += turn(m.role, m.role == "assistant" ? answer_text(tokenizer.chat_template, m.text, place) : m.text);
  }
  return prompt + "<|im_start|>assistant\n";
}

std::string bitnet_prompt(const std::vector<ChatMessage>& messages) {
  std::string prompt;
  for (const ChatMessage& m : messages) {
    std::string role = m.role;
    role[0] = static_cast<char>(role[0] - 'a' + 'A');
    prompt += fmt::format("{}: {}<|eot_id|>", role, trimmed(m.text));
  }
  return prompt + "Assistant: ";
}

}  // namespace

std::string chat_prompt(const Tokenizer& tokenizer, const std::vector<ChatMessage>& messages) {
  const std::string& t = tokenizer.chat_template;
  for (const ChatMessage& m : messages) {
    if (m.role != "system" && m.role != "user" && m.role != "assistant")
      throw Error("chat", "a message has role '" + m.role + "'", "use system, user or assistant");
  }
  if (t.empty()) throw Error("chat", "the model has no chat template", kChatCure);
  if (mentions(t, "<|start_header_id|>") && mentions(t, "<|eot_id|>")) return llama3_prompt(tokenizer, messages);
  if (mentions(t, "<|im_start|>") && mentions(t, "<|im_end|>") && !mentions(t, "<|im_sep|>")) return qwen_prompt(tokenizer, messages);
  // GGUF files of BitNet 2B4T came with a template that their own model does not follow ("BITNETAssistant").
  if ((mentions(t, "capitalize") && mentions(t, "<|eot_id|>") && mentions(t, "Assistant: ")) || mentions(t, "BITNETAssistant"))
    return bitnet_prompt(messages);
  throw Error("chat", "the model's chat template is not of a known family", kChatCure);
}

}  // namespace bitgrid::frontend
