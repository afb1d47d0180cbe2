// Helpers for the text of files and messages.
#pragma once

#include <string>
#include <string_view>

namespace bitgrid {

/// Returns the text without the UTF-8 byte-order mark that some editors put at the beginning of files.
std::string_view without_bom(std::string_view text);

/// Returns the number of the line, from 1, that contains this byte.
size_t line_at(std::string_view text, size_t byte);

/// Returns the index of the first byte that does not begin a valid UTF-8 sequence, or npos if there is none.
size_t invalid_utf8(std::string_view text);

/// Makes a text safe to show on a terminal: control characters and bytes that are not UTF-8 become "\\xHH". Line ends and tabs stay.
std::string printable(std::string_view text);

}  // namespace bitgrid
