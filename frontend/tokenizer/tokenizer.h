// Tokenizers of language models: byte-level BPE, SentencePiece, and plain alphabets. They convert between texts and ids.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// Cuts a text into tokens and joins it again.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Returns the ids of a text (UTF-8; other bytes are kept if the vocabulary has them). Special tokens in the text are recognised if
  /// `special` is set; none is added. Throws Error with the position (in characters, from 1) of anything that the vocabulary cannot
  /// express.
  virtual std::vector<int> encode(std::string_view text, bool special = false) const = 0;

  /// Returns the bytes of an id, which may be part of a character. Ids that are not in the vocabulary give "<id>". Special tokens give
  /// their text if `special` is set, otherwise nothing.
  virtual std::string bytes_of(int id, bool special = false) const = 0;

  /// Returns a short description of the tokenizer: "byte-level BPE, 151643 tokens, 151387 merges, pattern qwen2".
  virtual std::string description() const = 0;
  virtual size_t size() const = 0;

  std::optional<int> bos;     // begin token
  bool add_bos = false;       // a prompt begins with it: encode_prompt
  std::vector<int> eos;       // tokens that end a text
  std::string chat_template;  // as in the file
  bool space_prefix = false;  // the first token of a text begins with a space that the text does not have
};

/// Returns the tokenizer that a checkpoint states, or nullptr if it states none. Throws Error with file and key if it cannot read it.
std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerSource& source);

/// Returns the ids of a prompt: `encode`, after the begin token if the tokenizer wants one and the prompt does not already begin with it
/// (chat templates may print it).
std::vector<int> encode_prompt(const Tokenizer& tokenizer, std::string_view text, bool special = false);

/// Returns the text of ids at the beginning of a text: bytes_of each, without the space of `space_prefix`, and with U+FFFD for bytes that
/// are not UTF-8.
std::string decode(const Tokenizer& tokenizer, const std::vector<int>& ids, bool special = false);

/// Takes bytes and returns whole UTF-8 characters. It keeps the beginning of a character until the rest arrives.
class Utf8Stream {
 public:
  /// Returns what can be shown now. Bytes that can no longer become a character give U+FFFD.
  std::string put(std::string_view bytes);
  /// Returns the rest at the end: U+FFFD for an unfinished character.
  std::string finish();

 private:
  std::string pending_;
};

struct ChatMessage {
  std::string role;  // "system", "user", "assistant"
  std::string text;
};

/// Returns the prompt of a chat as the family's template writes it, up to where the assistant's answer begins, for encode_prompt with
/// `special`. The template's text identifies the family: Llama 3 (<|start_header_id|>), Qwen (<|im_start|>), BitNet 2B4T ("User:
/// ..<|eot_id|>" and "Assistant: "). Throws Error for a template of another family, with the two options: no --chat, or a model of these
/// families.
std::string chat_prompt(const Tokenizer& tokenizer, const std::vector<ChatMessage>& messages);

}  // namespace bitgrid::frontend
