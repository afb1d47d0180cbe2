// Checks what SentencePiece's library does not: the table of replacements in tokenizer.model.
#pragma once

#include <string>
#include <string_view>

namespace bitgrid::frontend {

/// Throws Error if the file is not a protocol buffer, or if a table of replacements (precompiled_charsmap) would make the library read
/// outside it.
void check_piece_model(std::string_view model, const std::string& where);

}  // namespace bitgrid::frontend
