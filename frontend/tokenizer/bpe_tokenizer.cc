#include "frontend/tokenizer/bpe_tokenizer.h"

#include <fmt/format.h>

#include <utility>

#include "ir/error.h"
#include "ir/text.h"

namespace bitgrid::frontend {
namespace {

class BpeTokenizer : public Tokenizer {
 public:
  explicit BpeTokenizer(BpeParts parts) : parts_(std::move(parts)) {
    space_prefix = parts_.space_prefix;
    for (AddedToken& token : parts_.added) {
      if (token.normalized) token.text = changed(token.text);
      (token.normalized ? in_changed_text_ : in_text_).add(token);
    }
  }

  std::vector<int> encode(std::string_view text, bool special) const override {
    std::vector<int> ids;
    if (!append(text, special, ids)) throw what_cannot_be_said(text);
    return ids;
  }

  std::string bytes_of(int id, bool special) const override {
    const Piece* piece = id >= 0 && std::cmp_less(id, parts_.pieces.size()) ? &parts_.pieces[static_cast<size_t>(id)] : nullptr;
    if (!piece || !piece->exists) return fmt::format("<{}>", id);
    return piece->special && !special ? std::string() : piece->bytes;
  }

  std::string description() const override { return parts_.description; }
  size_t size() const override { return parts_.pieces.size(); }

 private:
  std::string changed(std::string_view text) const {
    std::string out(text);
    for (const TextChange& change : parts_.changes) {
      if (change.kind == TextChange::Kind::kNormalForm) out = normalized(out, change.form);
      if (change.kind == TextChange::Kind::kReplace) out = replaced(out, change.from, change.to);
      if (change.kind == TextChange::Kind::kPrepend && !out.empty()) out.insert(0, change.to);
    }
    return out;
  }

  /// Appends the ids of a text. False if the vocabulary cannot say it.
  bool append(std::string_view text, bool special, std::vector<int>& ids) const {
    bool first = true;
    for (const TextPart& part : in_text_.split(text, special)) {
      if (part.id >= 0) {
        ids.push_back(part.id);
      } else {
        const std::string normal = changed(part.text);
        for (const TextPart& inner : in_changed_text_.split(normal, special)) {
          if (inner.id >= 0) {
            ids.push_back(inner.id);
          } else if (!append_part(inner.text, first, ids)) {
            return false;
          }
          first = false;
        }
      }
      first = false;
    }
    return true;
  }

  bool append_part(std::string_view part, bool first, std::vector<int>& ids) const {
    std::string text = parts_.metaspace ? replaced(part, " ", kMetaspace) : std::string(part);
    const bool prefix = parts_.prefix == SpacePrefix::kAlways || (parts_.prefix == SpacePrefix::kFirst && first);
    if (prefix && !text.starts_with(parts_.prefix_text)) text.insert(0, parts_.prefix_text);

    std::vector<std::string_view> words = {text};
    for (const TextCut& cut : parts_.cuts) {
      std::vector<std::string_view> cut_words;
      for (const std::string_view word : words) {
        if (cut.pattern) {
          cut.pattern->split(word, cut.keeps, cut_words);
        } else {
          cut_before_metaspaces(word, cut_words);
        }
      }
      words = std::move(cut_words);
    }
    std::vector<int> symbols;
    for (const std::string_view word : words) {
      if (!append_word(word, symbols, ids)) return false;
    }
    return true;
  }

  static void cut_before_metaspaces(std::string_view word, std::vector<std::string_view>& words) {
    size_t begin = 0;
    while (begin < word.size()) {
      const size_t end = std::min(word.find(kMetaspace, begin + 1), word.size());
      words.push_back(word.substr(begin, end - begin));
      begin = end;
    }
  }

  bool append_word(std::string_view word, std::vector<int>& symbols, std::vector<int>& ids) const {
    if (!parts_.words.empty()) {
      if (const auto it = parts_.words.find(std::string(word)); it != parts_.words.end()) {
        ids.push_back(it->second);
        return true;
      }
    }
    symbols.clear();
    bool unknown_before = false;
    for (size_t i = 0; i < word.size();) {
      const size_t length = parts_.by_bytes ? 1 : character_at(word, i).length;
      const std::string_view symbol = word.substr(i, length);
      const int id = symbol_of(symbol);
      i += length;
      if (id < 0) {
        if (!append_unknown(symbol, unknown_before, symbols)) return false;
      } else {
        symbols.push_back(id);
        unknown_before = false;
      }
    }
    parts_.merges.merge(symbols);
    return finish(symbols, ids);
  }

  int symbol_of(std::string_view symbol) const {
    if (parts_.by_bytes) return parts_.bytes[static_cast<unsigned char>(symbol[0])];
    const auto it = parts_.characters.find(std::string(symbol));
    return it == parts_.characters.end() ? -1 : it->second;
  }

  /// Appends the bytes of a character that is no symbol, or the unknown token, which stands for a run of them if they are fused.
  bool append_unknown(std::string_view character, bool& unknown_before, std::vector<int>& symbols) const {
    const size_t before = symbols.size();
    for (const char c : character) {
      const int id = parts_.by_bytes ? -1 : parts_.bytes[static_cast<unsigned char>(c)];
      if (id >= 0) symbols.push_back(id);
    }
    if (symbols.size() == before + character.size()) {
      unknown_before = false;
      return true;
    }
    symbols.resize(before);
    if (!parts_.unknown) return false;
    if (!unknown_before || !parts_.fuse_unknown) symbols.push_back(*parts_.unknown);
    unknown_before = true;
    return true;
  }

  /// Appends symbols that are tokens; those that only merges know are said otherwise.
  bool finish(const std::vector<int>& symbols, std::vector<int>& ids) const {
    bool unknown_before = false;
    for (const int symbol : symbols) {
      const size_t beyond = static_cast<size_t>(symbol) - parts_.pieces.size();
      if (std::cmp_less(symbol, parts_.pieces.size())) {
        ids.push_back(symbol);
        unknown_before = parts_.unknown == symbol;
      } else if (!append_unknown(parts_.unfinished[beyond], unknown_before, ids)) {
        return false;
      }
    }
    return true;
  }

  Error what_cannot_be_said(std::string_view text) const {
    constexpr const char* kCure = "leave it out, or take a model whose tokenizer has it";
    size_t position = 1;
    for (size_t i = 0; i < text.size(); ++position) {
      const std::string_view character = text.substr(i, character_at(text, i).length);
      std::vector<int> ids;
      if (!append(character, false, ids)) {
        return Error(parts_.where,
                     fmt::format("the vocabulary has no token for character {} of the text, '{}'", position, printable(character)), kCure);
      }
      i += character.size();
    }
    return Error(parts_.where, "the vocabulary has no tokens for the text", kCure);
  }

  BpeParts parts_;
  AddedTokens in_text_, in_changed_text_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_bpe_tokenizer(BpeParts parts) {
  return std::make_unique<BpeTokenizer>(std::move(parts));
}

}  // namespace bitgrid::frontend
