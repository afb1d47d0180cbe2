#include "frontend/tokenizer/added_tokens.h"

#include "frontend/tokenizer/unicode.h"

namespace bitgrid::frontend {

void AddedTokens::add(const AddedToken& token) {
  if (token.text.empty()) return;
  uint32_t node = 0;
  for (const char c : token.text) {
    const auto [it, added] = nodes_[node].next.try_emplace(c, static_cast<uint32_t>(nodes_.size()));
    node = it->second;
    if (added) nodes_.emplace_back();
  }
  if (nodes_[node].token < 0) nodes_[node].token = static_cast<int>(tokens_.size());
  tokens_.push_back(token);
}

const AddedToken* AddedTokens::longest_at(std::string_view text, size_t at, bool special) const {
  const AddedToken* found = nullptr;
  uint32_t node = 0;
  for (size_t i = at; i < text.size(); ++i) {
    const auto next = nodes_[node].next.find(text[i]);
    if (next == nodes_[node].next.end()) break;
    node = next->second;
    if (nodes_[node].token < 0) continue;
    const AddedToken& token = tokens_[static_cast<size_t>(nodes_[node].token)];
    if (special || !token.special) found = &token;
  }
  return found;
}

std::vector<TextPart> AddedTokens::split(std::string_view text, bool special) const {
  std::vector<TextPart> parts;
  size_t done = 0;
  const auto add_text = [&](size_t end) {
    if (done < end) parts.push_back({-1, text.substr(done, end - done)});
  };
  for (size_t at = 0; !empty() && at < text.size();) {
    const AddedToken* token = longest_at(text, at, special);
    if (!token) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + token->text.size();
    if (token->strip_left) {
      const std::string_view before = text.substr(done, at - done);
      size_t blank = before.size();  // where the white space at the end of `before` begins
      for (size_t i = 0; i < before.size();) {
        const Character c = character_at(before, i);
        const bool space = c.valid && is_white_space(c.code);
        if (space && blank == before.size()) blank = i;
        if (!space) blank = before.size();
        i += c.length;
      }
      begin = done + blank;
    }
    while (token->strip_right && end < text.size()) {
      const Character c = character_at(text, end);
      if (!c.valid || !is_white_space(c.code)) break;
      end += c.length;
    }
    add_text(begin);
    parts.push_back({token->id, text.substr(begin, end - begin)});
    at = done = end;
  }
  add_text(text.size());
  return parts;
}

}  // namespace bitgrid::frontend
