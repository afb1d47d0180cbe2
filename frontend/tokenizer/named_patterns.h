// Splitting patterns of well-known tokenizers, and the names that tokenizer.ggml.pre gives them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitgrid::frontend {

/// What a name in tokenizer.ggml.pre stands for.
struct NamedPattern {
  std::vector<std::string_view> names;    // the first is the one to show
  std::vector<std::string_view> regexes;  // applied one after another to every word so far
  bool whole_words = false;               // a word that is a token is not merged
  bool add_bos = false;                   // where the file does not say it
  bool nfc = false;                       // texts are normalised
};

const std::vector<NamedPattern>& named_patterns();

/// The regular expression that ByteLevel of tokenizer.json has built in: GPT-2's.
extern const std::string_view kGpt2Pattern;

/// The name of a list of regular expressions; "" if it has none.
std::string_view name_of_patterns(const std::vector<std::string>& regexes);

}  // namespace bitgrid::frontend
