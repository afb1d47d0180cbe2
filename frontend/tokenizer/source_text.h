// What a checkpoint says about its tokenizer, as a text of our own: it is stored with models of our own format.
#pragma once

#include <string>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// JSON with exact round trip.
std::string print_tokenizer_source(const TokenizerSource& source);
/// Throws Error naming file and key.
TokenizerSource parse_tokenizer_source(const std::string& text, const std::string& file);

}  // namespace bitgrid::frontend
