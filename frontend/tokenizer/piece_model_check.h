// Checks what SentencePiece's library trusts unchecked: the table of replacements in tokenizer.model.
#pragma once

#include <string>
#include <string_view>

namespace bitgrid::frontend {

/// Throws Error if the file is not a protocol buffer, or if a table of replacements (precompiled_charsmap) would lead the library out of
/// it.
void check_piece_model(std::string_view model, const std::string& where);

}  // namespace bitgrid::frontend
