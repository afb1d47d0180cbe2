#include "frontend/tokenizer/readers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ir/error.h"
#include "ir/json_reader.h"
#include "ir/text.h"

namespace bitgrid::frontend {
namespace {

using nlohmann::json;

constexpr const char* kOriginalCure = "use the file that came with the model";

std::optional<std::string> token_text(const json& config, const char* key, const std::string& where) {
  const auto it = config.find(key);
  if (it == config.end() || it->is_null()) return std::nullopt;
  if (it->is_string()) return it->get<std::string>();
  if (it->is_object() && it->contains("content") && it->at("content").is_string()) return it->at("content").get<std::string>();
  throw Error(where, fmt::format("{} is neither a string nor an object with a string 'content'", key), kOriginalCure);
}

/// The template itself, or of several named ones the one named "default".
std::string template_of(const json& config, const std::string& where) {
  const auto it = config.find("chat_template");
  if (it == config.end() || it->is_null()) return "";
  if (it->is_string()) return it->get<std::string>();
  const auto text = [](const json& entry, const char* key) {
    return entry.is_object() && entry.contains(key) && entry.at(key).is_string() ? entry.at(key).get<std::string>() : std::string();
  };
  if (!it->is_array()) throw Error(where, "chat_template is neither a string nor a list of named strings", kOriginalCure);
  for (const json& entry : *it) {
    if (text(entry, "name") == "default" || it->size() == 1) return text(entry, "template");
  }
  return "";
}

}  // namespace

std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerSource& source) {
  switch (source.kind) {
    case TokenizerSource::Kind::kHuggingFace:
      return read_tokenizer_json(source);
    case TokenizerSource::Kind::kGguf:
      return read_gguf_tokenizer(source);
    case TokenizerSource::Kind::kSentencePiece:
      return read_sentencepiece(source);
    case TokenizerSource::Kind::kNone:
      break;
  }
  return nullptr;
}

std::string shown(std::string_view token) {
  constexpr size_t kMost = 40;
  size_t end = 0;
  while (end < token.size() && end < kMost) end += character_at(token, end).length;
  return fmt::format("'{}{}'", printable(token.substr(0, end)), end < token.size() ? ".." : "");
}

void add_byte_level_symbols(BpeParts& parts, const IdsByText& ids) {
  parts.by_bytes = true;
  for (unsigned b = 0; b < 256; ++b) {
    const auto it = ids.find(byte_level_character(static_cast<uint8_t>(b)));
    if (it != ids.end()) parts.bytes[b] = it->second;
  }
}

void add_merge(BpeParts& parts, const IdsByText& ids, std::string_view left, std::string_view right, uint32_t rank,
               const std::function<std::string()>& where) {
  std::string token;
  const auto id_of = [&](std::string_view a, std::string_view b, const char* what) {
    token.assign(a).append(b);
    const auto it = ids.find(token);
    if (it == ids.end()) throw Error(where(), fmt::format("{} {} is not in the vocabulary", what, shown(token)), kOriginalCure);
    return it->second;
  };
  const int l = id_of(left, "", "its left part"), r = id_of(right, "", "its right part");
  parts.merges.add(l, r, rank, id_of(left, right, "its result"));
}

TokenizerConfig read_tokenizer_config(const std::string& text, const std::string& where) {
  TokenizerConfig config;
  const size_t slash = where.rfind('/');
  config.where = (slash == std::string::npos ? std::string() : where.substr(0, slash + 1)) + "tokenizer_config.json";
  if (text.empty()) return config;
  const json j = parse_json(text, {.source = config.where, .cure = kOriginalCure});
  if (!j.is_object()) throw Error(config.where, "it is not an object", kOriginalCure);
  config.bos = token_text(j, "bos_token", config.where);
  config.eos = token_text(j, "eos_token", config.where);
  config.chat_template = template_of(j, config.where);
  if (const auto it = j.find("add_bos_token"); it != j.end() && !it->is_null()) {
    if (!it->is_boolean()) throw Error(config.where, "add_bos_token is neither true nor false", kOriginalCure);
    config.add_bos = it->get<bool>();
  }
  return config;
}

void set_ends(Tokenizer& tokenizer, const TokenizerSource& source, const TokenizerConfig& config, const IdsByText& ids,
              std::optional<int> prepended, bool default_add_bos) {
  const auto id_of = [&](const std::optional<std::string>& token, const char* key) -> std::optional<int> {
    if (!token || token->empty()) return std::nullopt;
    const auto it = ids.find(*token);
    if (it == ids.end()) throw Error(config.where, fmt::format("{} {} is not in the vocabulary", key, shown(*token)), kOriginalCure);
    return it->second;
  };
  const auto checked = [&](int64_t id, const char* what) {
    if (id < 0 || id >= kMostIds)
      throw Error(source.where, fmt::format("the {} token has id {}, which no vocabulary has", what, id), kOriginalCure);
    return static_cast<int>(id);
  };
  tokenizer.bos = prepended;
  const std::optional<bool> said = source.add_bos ? source.add_bos : config.add_bos;
  // A begin token that no prompt needs may be missing: some configurations name one out of habit.
  const bool named = config.bos && (said.value_or(default_add_bos) || ids.contains(*config.bos));
  if (!tokenizer.bos && named) tokenizer.bos = id_of(config.bos, "bos_token");
  if (!tokenizer.bos && source.bos) tokenizer.bos = checked(*source.bos, "begin");
  tokenizer.add_bos = said.value_or(prepended || (default_add_bos && tokenizer.bos));
  if (tokenizer.add_bos && !tokenizer.bos)
    throw Error(source.where, "a begin token is to be added to every prompt, but none is named", kOriginalCure);
  if (tokenizer.add_bos && std::cmp_greater_equal(*tokenizer.bos, tokenizer.size()))
    throw Error(source.where, fmt::format("the begin token has id {}, but the vocabulary has {}", *tokenizer.bos, tokenizer.size()),
                kOriginalCure);

  const auto add_eos = [&](int id) {
    if (std::find(tokenizer.eos.begin(), tokenizer.eos.end(), id) == tokenizer.eos.end()) tokenizer.eos.push_back(id);
  };
  if (source.eos) add_eos(checked(*source.eos, "end"));
  for (const int64_t id : source.more_eos) add_eos(checked(id, "end"));
  if (const auto id = id_of(config.eos, "eos_token")) add_eos(*id);
  tokenizer.chat_template = source.chat_template.empty() ? config.chat_template : source.chat_template;
}

}  // namespace bitgrid::frontend
