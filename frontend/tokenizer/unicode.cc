#include "frontend/tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unordered_map>

namespace bitgrid::frontend {
namespace {

unsigned byte_at(std::string_view text, size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// Byte-level BPE shows printable bytes of Latin-1 as themselves, and the other 68 as U+0100 and on.
std::array<char32_t, 256> make_alphabet() {
  std::array<char32_t, 256> alphabet{};
  char32_t next = 256;
  for (unsigned b = 0; b < 256; ++b) {
    const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    alphabet[b] = printable ? b : next++;
  }
  return alphabet;
}

const std::array<char32_t, 256>& alphabet() {
  static const std::array<char32_t, 256> table = make_alphabet();
  return table;
}

const std::unordered_map<char32_t, uint8_t>& bytes_of_alphabet() {
  static const std::unordered_map<char32_t, uint8_t> table = [] {
    std::unordered_map<char32_t, uint8_t> t;
    for (unsigned b = 0; b < 256; ++b) t[alphabet()[b]] = static_cast<uint8_t>(b);
    return t;
  }();
  return table;
}

std::string normalized_run(std::string_view valid, NormalForm form) {
  const bool compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  const bool composed = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  const int options = UTF8PROC_STABLE | (compatible ? UTF8PROC_COMPAT : 0) | (composed ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE);
  utf8proc_uint8_t* out = nullptr;
  const utf8proc_ssize_t length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(valid.data()),
                                               static_cast<utf8proc_ssize_t>(valid.size()), &out, static_cast<utf8proc_option_t>(options));
  if (length < 0) return std::string(valid);  // only out of memory: the text is valid
  std::string result(reinterpret_cast<const char*>(out), static_cast<size_t>(length));
  std::free(out);
  return result;
}

}  // namespace

Character character_at(std::string_view text, size_t i) {
  const unsigned first = byte_at(text, i);
  if (first < 0x80) return {first, 1, true};
  const size_t length = first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
  if (length == 0) return {0, 1, false};
  char32_t code = first & (0x7Fu >> length);
  for (size_t k = 1; k < length; ++k) {
    const unsigned byte = i + k < text.size() ? byte_at(text, i + k) : 0;
    // The second byte also rules out sequences that are longer than needed, surrogates, and what lies beyond U+10FFFF.
    const unsigned least = k > 1 ? 0x80 : first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned most = k > 1 ? 0xBF : first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (byte < least || byte > most) return {0, k, false};
    code = code << 6 | (byte & 0x3Fu);
  }
  return {code, length, true};
}

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view trimmed(std::string_view text) {
  size_t begin = text.size(), end = 0;
  for (size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    if (!c.valid || !is_white_space(c.code)) {
      begin = std::min(begin, i);
      end = i + c.length;
    }
    i += c.length;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  size_t done = 0;
  for (size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, done)) {
    out += text.substr(done, at - done);
    out += to;
    done = at + from.size();
  }
  return out += text.substr(done);
}

std::optional<uint8_t> byte_piece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  unsigned value = 0;
  for (const char c : piece.substr(3, 2)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'A' || c > 'F')) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit ? c - '0' : c - 'A' + 10);
  }
  return static_cast<uint8_t>(value);
}

std::optional<std::string> bytes_of_byte_level(std::string_view piece) {
  std::string out;
  for (size_t i = 0; i < piece.size();) {
    const Character c = character_at(piece, i);
    const auto byte = bytes_of_alphabet().find(c.code);
    if (!c.valid || byte == bytes_of_alphabet().end()) return std::nullopt;
    out += static_cast<char>(byte->second);
    i += c.length;
  }
  return out;
}

std::string byte_level_character(uint8_t byte) {
  std::string out;
  append_utf8(out, alphabet()[byte]);
  return out;
}

std::string normalized(std::string_view text, NormalForm form) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return std::string(text);
  std::string out;
  size_t begin = 0, i = 0;
  while (i < text.size()) {
    const Character c = character_at(text, i);
    if (!c.valid) {
      out += normalized_run(text.substr(begin, i - begin), form);
      out += text.substr(i, c.length);
      begin = i + c.length;
    }
    i += c.length;
  }
  return out += normalized_run(text.substr(begin), form);
}

}  // namespace bitgrid::frontend
