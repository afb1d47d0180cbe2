// What every tokenizer has: texts of ids, and prompts.
#include "frontend/tokenizer/tokenizer.h"
#include "frontend/tokenizer/unicode.h"

namespace bitgrid::frontend {
namespace {

/// Whether a sequence that breaks off at the end of the bytes may still become a character: its first byte begins one.
bool may_go_on(char first) {
  return static_cast<unsigned char>(first) >= 0xC2 && static_cast<unsigned char>(first) < 0xF5;
}

}  // namespace

std::vector<int> encode_prompt(const Tokenizer& tokenizer, std::string_view text, bool special) {
  std::vector<int> ids = tokenizer.encode(text, special);
  if (tokenizer.add_bos && tokenizer.bos && (ids.empty() || ids[0] != *tokenizer.bos)) ids.insert(ids.begin(), *tokenizer.bos);
  return ids;
}

std::string decode(const Tokenizer& tokenizer, const std::vector<int>& ids, bool special) {
  std::string bytes;
  for (const int id : ids) bytes += tokenizer.bytes_of(id, special);
  if (tokenizer.space_prefix && bytes.starts_with(' ')) bytes.erase(0, 1);
  Utf8Stream stream;
  const std::string text = stream.put(bytes);
  return text + stream.finish();
}

std::string Utf8Stream::put(std::string_view bytes) {
  pending_ += bytes;
  std::string out;
  size_t i = 0;
  while (i < pending_.size()) {
    const Character c = character_at(pending_, i);
    if (c.valid) {
      out += std::string_view(pending_).substr(i, c.length);
    } else if (i + c.length == pending_.size() && may_go_on(pending_[i])) {
      break;
    } else {
      out += kReplacement;
    }
    i += c.length;
  }
  pending_.erase(0, i);
  return out;
}

std::string Utf8Stream::finish() {
  const bool unfinished = !pending_.empty();
  pending_.clear();
  return unfinished ? std::string(kReplacement) : std::string();
}

}  // namespace bitgrid::frontend
