// Tokenizers of language models: byte-level BPE, SentencePiece, and plain alphabets. Between texts and ids, both ways.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// A text cut into tokens and back.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// The ids of a text (UTF-8; bytes that are not are kept where the vocabulary has them). Special tokens that stand in the text are
  /// recognised if `special` is set; none is added. Throws Error naming the position (characters, from 1) of what the vocabulary cannot
  /// say.
  virtual std::vector<int> encode(std::string_view text, bool special = false) const = 0;

  /// The bytes of an id, which may be a part of a character; ids that the vocabulary lacks give "<id>". Special tokens give their text if
  /// `special` is set, else nothing.
  virtual std::string bytes_of(int id, bool special = false) const = 0;

  /// What the file says about the tokenizer in a few words: "byte-level BPE, 151643 tokens, 151387 merges, pattern qwen2".
  virtual std::string description() const = 0;
  virtual size_t size() const = 0;

  std::optional<int> bos;     // begin token
  bool add_bos = false;       // a prompt begins with it: encode_prompt
  std::vector<int> eos;       // tokens that end a text
  std::string chat_template;  // as the file has it
  bool space_prefix = false;  // the first token of a text begins with a space that the text does not have
};

/// The tokenizer that a checkpoint states; nullptr where it states none. Throws Error naming file and key for what it cannot read.
std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerSource& source);

/// The ids of a prompt: `encode`, after the begin token if the tokenizer wants one and the prompt does not begin with it (templates of
/// chats may print it).
std::vector<int> encode_prompt(const Tokenizer& tokenizer, std::string_view text, bool special = false);

/// The text of ids at the beginning of a text: bytes_of of each, without the space of `space_prefix`, and U+FFFD for what is not
/// UTF-8.
std::string decode(const Tokenizer& tokenizer, const std::vector<int>& ids, bool special = false);

/// Bytes in, whole UTF-8 characters out: keeps the beginning of a character until the rest of it has come.
class Utf8Stream {
 public:
  /// What can be shown now. Bytes that can no longer become a character give U+FFFD.
  std::string put(std::string_view bytes);
  /// What is left at the end: U+FFFD for a character that was never finished.
  std::string finish();

 private:
  std::string pending_;
};

struct ChatMessage {
  std::string role;  // "system", "user", "assistant"
  std::string text;
};

/// The prompt of a chat as the family's template writes it, up to where the assistant's answer begins; for encode_prompt with `special`.
/// The family is found in the template's text: Llama 3 (<|start_header_id|>), Qwen (<|im_start|>), BitNet 2B4T ("User: ..<|eot_id|>" and
/// "Assistant: "). Throws Error for a template of another family, naming the two options: no --chat, or a model of these families.
std::string chat_prompt(const Tokenizer& tokenizer, const std::vector<ChatMessage>& messages);

}  // namespace bitgrid::frontend
