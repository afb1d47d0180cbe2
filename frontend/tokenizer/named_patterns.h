// Splitting patterns of well-known tokenizers, and their names in tokenizer.ggml.pre.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitgrid::frontend {

/// What a name in tokenizer.ggml.pre means.
struct NamedPattern {
  std::vector<std::string_view> names;    // the first is the one to show
  std::vector<std::string_view> regexes;  // applied in turn to every word so far
  bool whole_words = false;               // a word that is a token is not merged
  bool add_bos = false;                   // if the file does not say
  bool nfc = false;                       // texts are normalised
};

const std::vector<NamedPattern>& named_patterns();

/// GPT-2's regular expression, which is built into ByteLevel of tokenizer.json.
extern const std::string_view kGpt2Pattern;

/// Returns the name of a list of regular expressions, or "" if it has none.
std::string_view name_of_patterns(const std::vector<std::string>& regexes);

}  // namespace bitgrid::frontend
