// What a checkpoint says about its tokenizer, as a text in our own format, which is stored with our own models.
#pragma once

#include <string>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// Returns JSON that reads back exactly.
std::string print_tokenizer_source(const TokenizerSource& source);
/// Throws Error with file and key.
TokenizerSource parse_tokenizer_source(const std::string& text, const std::string& file);

}  // namespace bitgrid::frontend
