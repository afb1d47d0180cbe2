#include "engines/text.h"

#include <algorithm>

#include "ir/error.h"

namespace bitgrid::engines {

namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u;
}

/// The whole (UTF-8) character at byte `i`, or its hexadecimal code if it cannot be shown.
std::string shown(const std::string& text, size_t i) {
  const unsigned char c = static_cast<unsigned char>(text[i]);
  if (c >= 0xC0) {
    size_t end = i + 1;
    while (end < text.size() && end < i + 4 && is_continuation(text[end])) ++end;
    if (end > i + 1) return "'" + text.substr(i, end - i) + "'";
  }
  if (c >= 32 && c < 127) return std::string("'") + text[i] + "'";
  return std::string("0x") + "0123456789abcdef"[c >> 4] + "0123456789abcdef"[c & 15];
}

/// The vocabulary in one line.
std::string listed(const std::string& vocabulary) {
  std::string out;
  for (const char c : vocabulary) out += c == '\n' ? std::string("\\n") : c == '\t' ? std::string("\\t") : std::string(1, c);
  return out;
}

[[noreturn]] void refuse(const Model& model, const std::string& text, size_t i) {
  const auto before = text.begin() + static_cast<std::ptrdiff_t>(i);
  const auto position = 1 + std::count_if(text.begin(), before, [](char c) { return !is_continuation(c); });
  throw Error("character " + std::to_string(position), shown(text, i) + " is not in the vocabulary of " + model.name,
              "use these: \"" + listed(model.vocabulary) + "\"");
}

}  // namespace

std::string normalise_prompt(const Model& model, const std::string& prompt) {
  const auto known = [&](char c) { return model.vocabulary.find(c) != std::string::npos; };
  std::string out;
  for (size_t i = 0; i < prompt.size(); ++i) {
    char c = prompt[i];
    if (!known(c)) {
      if (c >= 'A' && c <= 'Z')
        c = static_cast<char>(c - 'A' + 'a');
      else if (c == ';')
        c = ',';
      else if (c == '!')
        c = '.';
      else if (c == '-')
        c = ' ';
    }
    if (!known(c)) refuse(model, prompt, i);
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  }
  if (!out.empty()) return out;
  if (!known('\n')) throw Error("prompt", "an empty prompt starts from a newline, which " + model.name + " does not know", "give a prompt");
  return "\n";
}

std::vector<int> tokenise(const Model& model, const std::string& text) {
  std::vector<int> tokens;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t token = model.vocabulary.find(text[i]);
    if (token == std::string::npos) refuse(model, text, i);
    tokens.push_back(static_cast<int>(token));
  }
  return tokens;
}

std::string detokenise(const Model& model, const std::vector<int>& tokens) {
  std::string text;
  for (const int t : tokens) {
    if (t < 0 || static_cast<size_t>(t) >= model.vocabulary.size()) {
      throw Error(model.name, "there is no token " + std::to_string(t), "use 0 .. " + std::to_string(model.vocabulary.size() - 1));
    }
    text += model.vocabulary[static_cast<size_t>(t)];
  }
  return text;
}

}  // namespace bitgrid::engines
