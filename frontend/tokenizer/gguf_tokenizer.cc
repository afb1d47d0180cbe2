// Tokenizers in the metadata of GGUF files: byte-level BPE ("gpt2") and SentencePiece's BPE by scores ("llama").
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "frontend/tokenizer/named_patterns.h"
#include "frontend/tokenizer/readers.h"
#include "ir/error.h"

namespace bitgrid::frontend {
namespace {

constexpr const char* kGgufCure = "take a GGUF that was written from the model with its tokenizer";

/// Values of tokenizer.ggml.token_type.
enum class TokenType : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

class GgufTokenizer {
 public:
  explicit GgufTokenizer(const TokenizerSource& source) : source_(source) {
    check_sizes();
    parts_.where = source.where;
    parts_.pieces.resize(source.tokens.size());
    for (size_t i = 0; i < source.tokens.size(); ++i) add_token(i);
    if (source.model == "gpt2") {
      read_byte_level();
    } else if (source.model == "llama") {
      read_scores();
    } else {
      throw Error(
          source.where,
          fmt::format("tokenizer.ggml.model is {}; only 'gpt2' (byte-level BPE) and 'llama' (SentencePiece) are read", shown(source.model)),
          "take the model's Hugging Face folder, whose tokenizer.json may be one that is read");
    }
  }

  std::unique_ptr<Tokenizer> tokenizer() {
    auto made = make_bpe_tokenizer(std::move(parts_));
    set_ends(*made, source_, {}, ids_, std::nullopt, add_bos_);
    // GGUF names one end token, often that of a text; a turn of a chat ends with one of these.
    for (const char* turn : {"<|eot_id|>", "<|im_end|>"}) {
      const auto it = ids_.find(turn);
      if (it != ids_.end() && type(static_cast<size_t>(it->second)) == TokenType::kControl &&
          std::find(made->eos.begin(), made->eos.end(), it->second) == made->eos.end())
        made->eos.push_back(it->second);
    }
    return made;
  }

 private:
  void check_sizes() const {
    const size_t n = source_.tokens.size();
    const auto wrong = [&](const std::string& problem) { throw Error(source_.where, problem, kGgufCure); };
    if (n == 0) wrong("tokenizer.ggml.tokens is missing or empty");
    if (n > static_cast<size_t>(kMostIds)) wrong(fmt::format("tokenizer.ggml.tokens has {} tokens, more than {}", n, kMostIds));
    if (!source_.types.empty() && source_.types.size() != n)
      wrong(fmt::format("tokenizer.ggml.token_type has {} entries for {} tokens", source_.types.size(), n));
    if (source_.model == "llama" && source_.scores.size() != n)
      wrong(fmt::format("tokenizer.ggml.scores has {} entries for {} tokens", source_.scores.size(), n));
  }

  TokenType type(size_t i) const { return source_.types.empty() ? TokenType::kNormal : static_cast<TokenType>(source_.types[i]); }
  bool is_text(size_t i) const {
    return type(i) == TokenType::kNormal || type(i) == TokenType::kUnused || type(i) == TokenType::kUserDefined;
  }

  void add_token(size_t i) {
    const TokenType t = type(i);
    const std::string& token = source_.tokens[i];
    if (t < TokenType::kNormal || t > TokenType::kByte)
      throw Error(source_.where, fmt::format("tokenizer.ggml.token_type[{}] is {}, which is not known", i, source_.types[i]), kGgufCure);
    const int id = static_cast<int>(i);
    ids_.emplace(token, id);
    const bool special = t == TokenType::kControl || t == TokenType::kUnknown;
    parts_.pieces[i] = {token, true, special};
    if (special || t == TokenType::kUserDefined) {
      AddedToken added;
      added.id = id;
      added.text = token;
      added.special = special;
      parts_.added.push_back(added);
    }
    if (t == TokenType::kUnknown && !parts_.unknown) parts_.unknown = id;
  }

  void read_byte_level() {
    const auto [pattern, assumed] = pattern_of_file();
    for (const std::string_view regex : pattern->regexes)
      parts_.cuts.push_back({Pattern(regex, fmt::format("{}: pattern {}", source_.where, pattern->names[0])), PatternKeeps::kBoth});
    if (pattern->nfc) parts_.changes.push_back({});
    add_bos_ = pattern->add_bos;
    for (size_t i = 0; i < parts_.pieces.size(); ++i) {
      if (type(i) != TokenType::kNormal && type(i) != TokenType::kUnused) continue;
      texts_.emplace(source_.tokens[i], static_cast<int>(i));
      auto bytes = bytes_of_byte_level(source_.tokens[i]);
      if (!bytes) continue;
      if (pattern->whole_words) parts_.words.emplace(*bytes, static_cast<int>(i));
      parts_.pieces[i].bytes = std::move(*bytes);
    }
    add_byte_level_symbols(parts_, texts_);
    parts_.merges.reserve(source_.merges.size());
    for (size_t i = 0; i < source_.merges.size(); ++i) {
      const std::string_view merge = source_.merges[i];
      const auto where = [&] { return fmt::format("{}: tokenizer.ggml.merges[{}]", source_.where, i); };
      const size_t space = merge.find(' ', 1);
      if (space == std::string_view::npos) throw Error(where(), shown(merge) + " is not two tokens with a space between them", kGgufCure);
      add_merge(parts_, ids_, merge.substr(0, space), merge.substr(space + 1), static_cast<uint32_t>(i), where);
    }
    parts_.description = fmt::format("byte-level BPE, {} tokens, {} merges, pattern {}{}", parts_.pieces.size(), parts_.merges.size(),
                                     pattern->names[0], assumed);
  }

  /// The pattern that the file names, and what to say about it. Converters of BitNet forgot the name; such files are known by their tokens.
  std::pair<const NamedPattern*, std::string> pattern_of_file() const {
    std::string name = source_.pre, assumed;
    if (name.empty()) {
      const bool llama3 = ids_.contains("<|begin_of_text|>") && ids_.contains("<|eot_id|>");
      name = llama3 ? "llama-bpe" : "default";
      assumed = llama3 ? " (assumed: the file names none, and its special tokens are Llama 3's)" : " (assumed: the file names none)";
    }
    std::string known;
    for (const NamedPattern& p : named_patterns()) {
      if (std::find(p.names.begin(), p.names.end(), name) != p.names.end()) return {&p, assumed};
      known += (known.empty() ? "" : ", ") + std::string(p.names[0]);
    }
    throw Error(source_.where,
                fmt::format("tokenizer.ggml.pre is {}, a splitting pattern that is not known (known: {})", shown(name), known),
                "take the model's Hugging Face folder, whose tokenizer.json has the pattern itself");
  }

  // SentencePiece's BPE: neighbours become the piece of the highest score that they spell. A merge for every way to cut a piece in two says
  // the same, since whatever is merged is a piece itself, or a single character.
  void read_scores() {
    constexpr size_t kMostPiece = 4096;
    for (size_t i = 0; i < parts_.pieces.size(); ++i) {
      const std::string& token = source_.tokens[i];
      if (!std::isfinite(source_.scores[i]))
        throw Error(source_.where, fmt::format("tokenizer.ggml.scores[{}] is not finite", i), kGgufCure);
      if (token.size() > kMostPiece)
        throw Error(source_.where, fmt::format("tokenizer.ggml.tokens[{}] has {} bytes, more than {}", i, token.size(), kMostPiece),
                    kGgufCure);
      const auto byte = type(i) == TokenType::kByte || source_.types.empty() ? byte_piece(token) : std::nullopt;
      if (byte) {
        parts_.bytes[*byte] = static_cast<int>(i);
        parts_.pieces[i].bytes = std::string(1, static_cast<char>(*byte));
      } else if (is_text(i)) {
        texts_.emplace(token, static_cast<int>(i));
        if (type(i) != TokenType::kUserDefined) parts_.pieces[i].bytes = replaced(token, kMetaspace, " ");
      }
    }
    parts_.fuse_unknown = true;
    if (source_.add_space_prefix.value_or(true))
      parts_.changes.push_back({.kind = TextChange::Kind::kPrepend, .form = {}, .from = "", .to = std::string(kMetaspace)});
    parts_.changes.push_back({.kind = TextChange::Kind::kReplace, .form = {}, .from = " ", .to = std::string(kMetaspace)});
    parts_.space_prefix = source_.add_space_prefix.value_or(true);
    add_bos_ = true;
    add_scored_merges();
    parts_.description = fmt::format("SentencePiece BPE, {} tokens", parts_.pieces.size());
  }

  void add_scored_merges() {
    std::set<float, std::greater<>> scores;
    for (const auto& [token, id] : texts_) scores.insert(source_.scores[static_cast<size_t>(id)]);
    std::unordered_map<float, uint32_t> ranks;
    for (const float score : scores) ranks.emplace(score, static_cast<uint32_t>(ranks.size()));
    for (const auto& [token, id] : texts_) {
      const size_t first = token.empty() ? 0 : character_at(token, 0).length;
      if (first == token.size() && first > 0) parts_.characters.emplace(token, id);
      for (size_t cut = first; cut < token.size(); cut += character_at(token, cut).length) {
        const int left = symbol(token.substr(0, cut)), right = symbol(token.substr(cut));
        if (left >= 0 && right >= 0) parts_.merges.add(left, right, ranks.at(source_.scores[static_cast<size_t>(id)]), id);
      }
    }
  }

  /// The symbol of a part of a piece; -1 if it is none. A character that is no piece becomes one that only merges know.
  int symbol(const std::string& text) {
    if (const auto it = texts_.find(text); it != texts_.end()) return it->second;
    if (character_at(text, 0).length != text.size()) return -1;
    const auto [it, added] = parts_.characters.try_emplace(text, static_cast<int>(parts_.pieces.size() + parts_.unfinished.size()));
    if (added) parts_.unfinished.push_back(text);
    return it->second;
  }

  const TokenizerSource& source_;
  BpeParts parts_;
  IdsByText ids_;
  IdsByText texts_;  // pieces that text is made of
  bool add_bos_ = false;
};

}  // namespace

std::unique_ptr<Tokenizer> read_gguf_tokenizer(const TokenizerSource& source) {
  return GgufTokenizer(source).tokenizer();
}

}  // namespace bitgrid::frontend
