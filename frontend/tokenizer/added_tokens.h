// Finds tokens such as "<|im_start|>" in a text before it is cut into words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bitgrid::frontend {

struct AddedToken {
  int id = 0;
  std::string text;
  bool special = false;
  bool normalized = false;                       // matched in the normalised text
  bool strip_left = false, strip_right = false;  // also takes adjacent white space
};

/// A part of a text: an added token, or text (id < 0).
struct TextPart {
  int id = -1;
  std::string_view text;
};

/// Finds added tokens: the leftmost, and among those the longest.
class AddedTokens {
 public:
  void add(const AddedToken& token);

  /// Returns the parts of a text in order, without empty ones. Special tokens are only found if `special` is set.
  std::vector<TextPart> split(std::string_view text, bool special) const;

  bool empty() const { return tokens_.empty(); }

 private:
  const AddedToken* longest_at(std::string_view text, size_t at, bool special) const;

  struct Node {
    std::map<char, uint32_t> next;
    int token = -1;  // index into tokens_
  };
  std::vector<Node> nodes_{1};
  std::vector<AddedToken> tokens_;
};

}  // namespace bitgrid::frontend
