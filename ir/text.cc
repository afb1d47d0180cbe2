#include "ir/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace bitgrid {
namespace {

unsigned byte_at(std::string_view text, size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// Bytes of the UTF-8 sequence at `i`; 0 if there is none.
size_t sequence_at(std::string_view text, size_t i) {
  const unsigned first = byte_at(text, i);
  const size_t n = first < 0x80                    ? 1
                   : first >= 0xC2 && first < 0xE0 ? 2
                   : first >= 0xE0 && first < 0xF0 ? 3
                   : first >= 0xF0 && first < 0xF5 ? 4
                                                   : 0;
  if (n == 0 || i + n > text.size()) return 0;
  for (size_t k = 1; k < n; ++k) {
    if ((byte_at(text, i + k) & 0xC0u) != 0x80u) return 0;
  }
  if (n < 3) return n;
  const unsigned two = first << 8 | byte_at(text, i + 1);
  const bool longer_than_needed = two < 0xE0A0 || (two >= 0xF000 && two < 0xF090);
  const bool surrogate = two >= 0xEDA0 && two < 0xEE00;
  const bool beyond_unicode = two >= 0xF490;
  return longer_than_needed || surrogate || beyond_unicode ? 0 : n;
}

bool is_control(unsigned first, unsigned second, size_t length) {
  if (length == 1) return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F;
  return length == 2 && first == 0xC2 && second < 0xA0;  // U+0080 to U+009F
}

}  // namespace

std::string_view without_bom(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

size_t line_at(std::string_view text, size_t byte) {
  return 1 + static_cast<size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size())), '\n'));
}

size_t invalid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t n = sequence_at(text, i);
    if (n == 0) return i;
    i += n;
  }
  return std::string_view::npos;
}

std::string printable(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t n = sequence_at(text, i);
    if (n == 0 || is_control(byte_at(text, i), n > 1 ? byte_at(text, i + 1) : 0, n)) {
      for (size_t k = 0; k < std::max<size_t>(n, 1); ++k) out += fmt::format("\\x{:02X}", byte_at(text, i + k));
    } else {
      out += text.substr(i, n);
    }
    i += std::max<size_t>(n, 1);
  }
  return out;
}

}  // namespace bitgrid
