// The readers of make_tokenizer, one per kind of file, and what they share.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "frontend/tokenizer/bpe_tokenizer.h"

namespace bitgrid::frontend {

std::unique_ptr<Tokenizer> read_tokenizer_json(const TokenizerSource& source);
std::unique_ptr<Tokenizer> read_gguf_tokenizer(const TokenizerSource& source);
std::unique_ptr<Tokenizer> read_sentencepiece(const TokenizerSource& source);

using IdsByText = std::unordered_map<std::string, int>;

/// Returns a token in quotes for a message. Long ones are cut.
std::string shown(std::string_view token);

/// Fills in the symbols of byte-level BPE: `bytes`.
void add_byte_level_symbols(BpeParts& parts, const IdsByText& ids);

/// Adds the merge of two tokens. Throws Error at `where()` if one of them, or the merged token, is not in the vocabulary.
void add_merge(BpeParts& parts, const IdsByText& ids, std::string_view left, std::string_view right, uint32_t rank,
               const std::function<std::string()>& where);

/// What tokenizer_config.json says. Also used if it is missing.
struct TokenizerConfig {
  std::string where;
  std::optional<std::string> bos, eos;  // texts of tokens
  std::optional<bool> add_bos;
  std::string chat_template;
};

/// Reads tokenizer_config.json ("": missing). `where` is the path of tokenizer.json or tokenizer.model.
TokenizerConfig read_tokenizer_config(const std::string& text, const std::string& where);

/// Sets bos, eos, add_bos and chat_template: first what the source says, then the config. `ids` finds the texts of the config. `prepended`
/// is the token that the tokenizer's own file puts in front. `default_add_bos` applies if nothing else says so.
void set_ends(Tokenizer& tokenizer, const TokenizerSource& source, const TokenizerConfig& config, const IdsByText& ids,
              std::optional<int> prepended, bool default_add_bos);

}  // namespace bitgrid::frontend
