// Texts of files and of messages.
#pragma once

#include <string>
#include <string_view>

namespace bitgrid {

/// The text after a UTF-8 byte-order mark, which some editors put at the beginning of files.
std::string_view without_bom(std::string_view text);

/// The number of the line, from 1, in which a byte of the text stands.
size_t line_at(std::string_view text, size_t byte);

/// Index of the first byte that begins no UTF-8 sequence; npos if there is none.
size_t invalid_utf8(std::string_view text);

/// A text that may be shown on a terminal: "\\xHH" in place of control characters and of bytes that are not UTF-8. Line ends and tabs stay.
std::string printable(std::string_view text);

}  // namespace bitgrid
