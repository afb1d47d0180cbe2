// Between characters and tokens.
#pragma once

#include <string>
#include <vector>

#include "ir/model.h"

namespace bitgrid::engines {

/// A prompt as the corpus was written: characters outside the vocabulary are lower-cased, `;` becomes `,`, `!` becomes `.`, `-` becomes a
/// space; then runs of spaces are folded into one. An empty prompt becomes a newline. Throws Error naming the character and its position
/// (from 1) if it is still outside the vocabulary.
std::string normalise_prompt(const Model& model, const std::string& prompt);

/// Tokens of a text as it stands. Throws Error naming the first character outside the vocabulary and its position (from 1).
std::vector<int> tokenise(const Model& model, const std::string& text);

/// The text of tokens. Throws Error for one outside the vocabulary.
std::string detokenise(const Model& model, const std::vector<int>& tokens);

}  // namespace bitgrid::engines
