// The readers of make_tokenizer, one a kind of file, and what they share.
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

/// A token in quotes for a message; long ones are cut.
std::string shown(std::string_view token);

/// Fills the symbols of byte-level BPE: `bytes`.
void add_byte_level_symbols(BpeParts& parts, const IdsByText& ids);

/// Adds the merge of two tokens. Throws Error (`where()`) if one of them, or what they become, is not in the vocabulary.
void add_merge(BpeParts& parts, const IdsByText& ids, std::string_view left, std::string_view right, uint32_t rank,
               const std::function<std::string()>& where);

/// What tokenizer_config.json says; also where it is absent.
struct TokenizerConfig {
  std::string where;
  std::optional<std::string> bos, eos;  // texts of tokens
  std::optional<bool> add_bos;
  std::string chat_template;
};

/// Reads tokenizer_config.json ("": absent). `where` is the path of tokenizer.json or tokenizer.model.
TokenizerConfig read_tokenizer_config(const std::string& text, const std::string& where);

/// Sets bos, eos, add_bos and chat_template: what the source says of them, then the config. `ids` finds the texts of the config;
/// `prepended` is the token that the tokenizer's own file puts in front, `default_add_bos` holds where nothing says more.
void set_ends(Tokenizer& tokenizer, const TokenizerSource& source, const TokenizerConfig& config, const IdsByText& ids,
              std::optional<int> prepended, bool default_add_bos);

}  // namespace bitgrid::frontend
