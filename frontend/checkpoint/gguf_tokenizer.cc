// Metadata of a GGUF file -> what its tokenizer is.
#include <fmt/format.h>

#include <limits>

#include "frontend/checkpoint/gguf.h"
#include "ir/error.h"

namespace bitgrid::frontend {
namespace {

std::string tokenizer_key(const char* name) {
  return fmt::format("tokenizer.ggml.{}", name);
}

/// The id of a token; -1, in whatever type, stands for none.
std::optional<int64_t> token_id(const GgufFile& file, const char* name, size_t tokens) {
  const std::string key = tokenizer_key(name);
  const std::vector<int64_t> found = gguf_wholes(file, key);
  if (found.empty() || found[0] == -1 || found[0] == std::numeric_limits<uint32_t>::max()) return std::nullopt;
  if (found[0] < 0 || static_cast<uint64_t>(found[0]) >= tokens)
    throw Error(fmt::format("{}: key {}", file.path, key), fmt::format("there is no token {}: there are {}", found[0], tokens),
                "convert the model again with a current converter");
  return found[0];
}

void check_length(const GgufFile& file, const char* name, size_t length, size_t tokens) {
  if (length != 0 && length != tokens)
    throw Error(fmt::format("{}: key {}", file.path, tokenizer_key(name)), fmt::format("it has {} elements for {} tokens", length, tokens),
                "convert the model again with a current converter");
}

}  // namespace

TokenizerSource gguf_tokenizer(const GgufFile& file) {
  TokenizerSource source;
  source.where = file.path;
  source.model = gguf_text(file, tokenizer_key("model")).value_or("");
  if (source.model.empty() || source.model == "none" || source.model == "no_vocab") return source;
  source.kind = TokenizerSource::Kind::kGguf;
  source.pre = gguf_text(file, tokenizer_key("pre")).value_or("");
  source.tokens = gguf_texts(file, tokenizer_key("tokens"));
  source.merges = gguf_texts(file, tokenizer_key("merges"));
  source.scores = gguf_floats(file, tokenizer_key("scores"));
  for (const int64_t type : gguf_wholes(file, tokenizer_key("token_type"))) source.types.push_back(static_cast<int32_t>(type));
  check_length(file, "scores", source.scores.size(), source.tokens.size());
  check_length(file, "token_type", source.types.size(), source.tokens.size());
  source.bos = token_id(file, "bos_token_id", source.tokens.size());
  source.eos = token_id(file, "eos_token_id", source.tokens.size());
  for (const char* name : {"eot_token_id", "eom_token_id"}) {
    const std::optional<int64_t> id = token_id(file, name, source.tokens.size());
    if (id && id != source.eos) source.more_eos.push_back(*id);
  }
  source.add_bos = gguf_bool(file, tokenizer_key("add_bos_token"));
  source.add_space_prefix = gguf_bool(file, tokenizer_key("add_space_prefix"));
  source.chat_template = gguf_text(file, "tokenizer.chat_template").value_or("");
  return source;
}

}  // namespace bitgrid::frontend
