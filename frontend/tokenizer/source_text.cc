#include "frontend/tokenizer/source_text.h"

#include <array>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "ir/json_reader.h"

namespace bitgrid::frontend {

namespace {

using Json = nlohmann::ordered_json;
using Kind = TokenizerSource::Kind;

constexpr std::array<const char*, 4> kKinds = {"none", "huggingface", "gguf", "sentencepiece"};
constexpr char kFormat[] = "bitgrid-tokenizer-1";
constexpr char kImportAgain[] = "import the checkpoint again";

/// Bytes as hexadecimal digits: JSON texts are UTF-8, and tokens need not be.
std::string hex(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    out += "0123456789abcdef"[b >> 4];
    out += "0123456789abcdef"[b & 15];
  }
  return out;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string from_hex(const std::string& text, const std::string& file) {
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) throw Error(file, "model_bytes has characters other than hexadecimal digits", kImportAgain);
    out += static_cast<char>(high * 16 + low);
  }
  if (text.size() % 2 != 0) throw Error(file, "model_bytes has an odd number of digits", kImportAgain);
  return out;
}

}  // namespace

std::string print_tokenizer_source(const TokenizerSource& s) {
  Json j = {{"format", kFormat}, {"kind", kKinds[static_cast<size_t>(s.kind)]}};
  if (s.kind == Kind::kHuggingFace) j.update({{"tokenizer_json", s.json}, {"tokenizer_config_json", s.config_json}});
  if (s.kind == Kind::kSentencePiece) j["model_bytes"] = hex(s.model);
  if (s.kind == Kind::kGguf)
    j.update({{"model", s.model}, {"pre", s.pre}, {"tokens", s.tokens}, {"merges", s.merges}, {"scores", s.scores}, {"types", s.types}});
  if (s.bos) j["bos"] = *s.bos;
  if (s.eos) j["eos"] = *s.eos;
  if (!s.more_eos.empty()) j["more_eos"] = s.more_eos;
  if (s.add_bos) j["add_bos"] = *s.add_bos;
  if (s.add_space_prefix) j["add_space_prefix"] = *s.add_space_prefix;
  if (!s.chat_template.empty()) j["chat_template"] = s.chat_template;
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

TokenizerSource parse_tokenizer_source(const std::string& text, const std::string& file) {
  const Json j = parse_json<Json>(text, {file, kImportAgain});
  TokenizerSource s;
  s.where = file;
  try {
    if (j.at("format") != kFormat) throw Error(file, "it is not of the format " + std::string(kFormat), kImportAgain);
    const std::string kind = j.at("kind");
    const auto it = std::find(kKinds.begin(), kKinds.end(), kind);
    if (it == kKinds.end()) throw Error(file, "the kind '" + kind + "' is unknown", kImportAgain);
    s.kind = static_cast<Kind>(it - kKinds.begin());
    s.json = j.value("tokenizer_json", "");
    s.config_json = j.value("tokenizer_config_json", "");
    s.model = s.kind == Kind::kSentencePiece ? from_hex(j.at("model_bytes"), file) : j.value("model", "");
    s.pre = j.value("pre", "");
    s.tokens = j.value("tokens", s.tokens);
    s.merges = j.value("merges", s.merges);
    s.scores = j.value("scores", s.scores);
    s.types = j.value("types", s.types);
    s.more_eos = j.value("more_eos", s.more_eos);
    s.chat_template = j.value("chat_template", "");
    if (j.contains("bos")) s.bos = j["bos"].get<int64_t>();
    if (j.contains("eos")) s.eos = j["eos"].get<int64_t>();
    if (j.contains("add_bos")) s.add_bos = j["add_bos"].get<bool>();
    if (j.contains("add_space_prefix")) s.add_space_prefix = j["add_space_prefix"].get<bool>();
  } catch (const nlohmann::json::exception& e) {
    throw Error(file, std::string("a key is missing or of another kind: ") + e.what(), kImportAgain);
  }
  return s;
}

}  // namespace bitgrid::frontend
