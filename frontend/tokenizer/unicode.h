// What tokenizers need to know about UTF-8 and Unicode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bitgrid::frontend {

/// U+2581, which represents a space in the pieces of SentencePiece.
inline constexpr std::string_view kMetaspace = "\u2581";
/// U+FFFD.
inline constexpr std::string_view kReplacement = "\uFFFD";

/// A character of a text: `length` bytes. `valid` is false for bytes that are not UTF-8 and that a decoder replaces with one U+FFFD.
struct Character {
  char32_t code = 0;
  size_t length = 0;
  bool valid = false;
};

/// Returns the character at byte `i` of the text, i < text.size().
Character character_at(std::string_view text, size_t i);

/// Appends the UTF-8 bytes of a code point.
void append_utf8(std::string& out, char32_t code);

/// Unicode's White_Space, which is what \s means in tokenizer.json.
bool is_white_space(char32_t code);

/// Returns the text without white space at its ends.
std::string_view trimmed(std::string_view text);

/// Returns the text with every `from` replaced by `to`; `from` must not be empty.
std::string replaced(std::string_view text, std::string_view from, std::string_view to);

/// Returns the byte of a piece "<0x0A>", or nullopt for other pieces.
std::optional<uint8_t> byte_piece(std::string_view piece);

/// Returns the piece of byte-level BPE as bytes: each of the 256 bytes has its own character ("\u0120" is a space). nullopt: the piece has
/// other characters.
std::optional<std::string> bytes_of_byte_level(std::string_view piece);

/// Returns the character that represents a byte in byte-level BPE.
std::string byte_level_character(uint8_t byte);

/// Normal forms of Unicode's Annex 15. Bytes that are not UTF-8 stay.
enum class NormalForm : uint8_t { kNfc, kNfd, kNfkc, kNfkd };
std::string normalized(std::string_view text, NormalForm form);

}  // namespace bitgrid::frontend
