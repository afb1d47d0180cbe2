// Converts between characters and tokens.
#pragma once

#include <string>
#include <vector>

#include "ir/model.h"

namespace bitgrid::engines {

/// Normalises a prompt to match the training text: characters outside the vocabulary are lower-cased, `;` becomes `,`, `!` becomes `.`, `-`
/// becomes a space; then runs of spaces become one space. An empty prompt becomes a newline. Throws Error with the character and its
/// position (from 1) if it is still outside the vocabulary.
std::string normalise_prompt(const Model& model, const std::string& prompt);

/// Returns the tokens of an unchanged text. Throws Error with the first character outside the vocabulary and its position (from 1).
std::vector<int> tokenise(const Model& model, const std::string& text);

/// Returns the text of tokens. Throws Error for one outside the vocabulary.
std::string detokenise(const Model& model, const std::vector<int>& tokens);

}  // namespace bitgrid::engines
