// tokenizer.json of Hugging Face: BPE with the normalisers, pre-tokenisers and decoders that language models use. Others are refused by
// name.
#include <fmt/format.h>

#include <utility>

#include "frontend/tokenizer/named_patterns.h"
#include "frontend/tokenizer/readers.h"
#include "ir/error.h"
#include "ir/json_reader.h"

namespace bitgrid::frontend {
namespace {

using nlohmann::json;

constexpr const char* kTokenizerJsonCure = "use the tokenizer.json that came with the model";
constexpr const char* kOtherFile =
    "take another file of the model that has its tokenizer: a GGUF, or tokenizer.model of SentencePiece in place of tokenizer.json";
constexpr unsigned kMostNested = 8;

class TokenizerJson {
 public:
  explicit TokenizerJson(const TokenizerSource& source) : where_(source.where) {
    // The vocabulary and the merges have hundreds of thousands of entries.
    JsonTree<json> tree;
    tree.stream({"model", "vocab"}, [this](const std::string& token, json&& id) { take_token(token, id); });
    tree.stream({"model", "merges"}, [this](const std::string&, json&& merge) { take_merge(merge); });
    read_json(source.json, {.source = where_, .cure = kTokenizerJsonCure}, tree);
    root_ = tree.take();
    if (!root_.is_object()) throw Error(where_, "it is not an object", kTokenizerJsonCure);
    parts_.where = where_;
    read_model();
    read_normalizer(value(root_, "normalizer"));
    read_pre_tokenizer(value(root_, "pre_tokenizer"));
    read_symbols();
    read_decoder(value(root_, "decoder"));
    read_added_tokens();
    read_post_processor(value(root_, "post_processor"));
    describe();
  }

  BpeParts& parts() { return parts_; }
  const IdsByText& ids() const { return ids_; }
  std::optional<int> prepended() const { return prepended_; }

 private:
  [[noreturn]] void wrong(const std::string& key, const std::string& problem, const char* cure = kTokenizerJsonCure) const {
    throw Error(where_, key + " " + problem, cure);
  }

  static const json& value(const json& object, const char* key) {
    static const json null;
    const auto it = object.find(key);
    return it == object.end() ? null : *it;
  }

  std::string text(const json& object, const char* key, const std::string& place) const {
    const json& v = value(object, key);
    if (!v.is_string()) wrong(place, fmt::format("has no string '{}'", key));
    return v.get<std::string>();
  }

  bool flag(const json& object, const char* key, const std::string& place, bool if_absent) const {
    const json& v = value(object, key);
    if (v.is_null()) return if_absent;
    if (!v.is_boolean()) wrong(place, fmt::format("has a '{}' that is neither true nor false", key));
    return v.get<bool>();
  }

  std::string type(const json& object, const std::string& place) const {
    if (!object.is_object()) wrong(place, "is not an object");
    return text(object, "type", place);
  }

  const json& list(const json& object, const char* key, const std::string& place) const {
    const json& v = value(object, key);
    if (!v.is_array()) wrong(place, fmt::format("has no list '{}'", key));
    return v;
  }

  /// The String or Regex of a pattern, as a regular expression.
  std::string regex(const json& object, const std::string& place) const {
    const json& pattern = value(object, "pattern");
    if (pattern.is_object() && value(pattern, "Regex").is_string()) return pattern["Regex"].get<std::string>();
    if (!pattern.is_object() || !value(pattern, "String").is_string()) wrong(place, "has no pattern with a string 'Regex' or 'String'");
    std::string escaped;
    for (const char c : pattern["String"].get<std::string>()) {
      if (static_cast<unsigned char>(c) < 0x80 && !std::isalnum(static_cast<unsigned char>(c)) && c != '\0') escaped += '\\';
      escaped += c;
    }
    return escaped;
  }

  Piece& piece(int id) {
    if (parts_.pieces.size() <= static_cast<size_t>(id)) parts_.pieces.resize(static_cast<size_t>(id) + 1);
    return parts_.pieces[static_cast<size_t>(id)];
  }

  int id_of(const json& j, const std::string& place) const {
    const auto id = whole_number<json, int64_t>(j, 0, kMostIds - 1);
    if (!id) wrong(place, fmt::format("has an id that is not a whole number from 0 to {}", kMostIds - 1));
    return static_cast<int>(*id);
  }

  void take_token(const std::string& token, const json& id) {
    const auto number = whole_number<json, int64_t>(id, 0, kMostIds - 1);
    if (!number)
      wrong(fmt::format("model.vocab: {}", shown(token)), fmt::format("has an id that is not a whole number from 0 to {}", kMostIds - 1));
    vocabulary_.emplace_back(token, static_cast<int>(*number));
  }

  void take_merge(json& merge) {
    const bool pair = merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
    if (!pair && !merge.is_string())
      throw Error(fmt::format("{}: model.merges[{}]", where_, merges_.size()), "it is neither a string nor a pair of strings",
                  kTokenizerJsonCure);
    const auto text = [](json& part) { return std::move(part.get_ref<std::string&>()); };
    if (pair) {
      merges_.emplace_back(text(merge[0]), text(merge[1]));
    } else {
      merges_.emplace_back(text(merge), "");
    }
  }

  void read_model() {
    const json& model = value(root_, "model");
    if (!model.is_object()) wrong("model", "is missing");
    const json& kind = value(model, "type");
    if (kind != "BPE" && !(kind.is_null() && model.contains("merges")))
      wrong("model", "is of type " + (kind.is_string() ? kind.get<std::string>() : "(none)") + "; only BPE is read", kOtherFile);
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      const json& v = value(model, key);
      if (!v.is_null() && v != "") wrong("model", fmt::format("has a {}, which is not supported", key), kOtherFile);
    }
    if (const json& dropout = value(model, "dropout"); !dropout.is_null() && dropout != 0.0)
      wrong("model", "has a dropout: the same text would give other tokens each time", "set it to null");
    if (!value(model, "vocab").is_object()) wrong("model", "has no object 'vocab'");
    if (!value(model, "merges").is_array()) wrong("model", "has no list 'merges'");
    read_vocabulary();
    read_merges();
    if (value(model, "unk_token").is_string()) {
      const auto it = ids_.find(model["unk_token"].get<std::string>());
      if (it == ids_.end()) wrong("model.unk_token", "is not in the vocabulary");
      parts_.unknown = it->second;
    }
    parts_.fuse_unknown = flag(model, "fuse_unk", "model", false);
    byte_fallback_ = flag(model, "byte_fallback", "model", false);
    ignore_merges_ = flag(model, "ignore_merges", "model", false);
  }

  void read_vocabulary() {
    ids_.reserve(vocabulary_.size());
    for (auto& [token, id] : vocabulary_) {
      Piece& p = piece(id);
      if (p.exists) wrong("model.vocab", fmt::format("gives id {} to both {} and {}", id, shown(p.bytes), shown(token)));
      p = {token, true, false};
      ids_.emplace(std::move(token), id);
    }
  }

  void read_merges() {
    parts_.merges.reserve(merges_.size());
    for (size_t i = 0; i < merges_.size(); ++i) {
      const auto place = [&] { return fmt::format("{}: model.merges[{}]", where_, i); };
      std::string_view left = merges_[i].first, right = merges_[i].second;
      if (right.empty()) {  // "a b"
        const size_t space = left.find(' ');
        if (space == std::string::npos || left.find(' ', space + 1) != std::string::npos)
          throw Error(place(), shown(left) + " is not two tokens with a space between them", kTokenizerJsonCure);
        right = left.substr(space + 1);
        left = left.substr(0, space);
      }
      add_merge(parts_, ids_, left, right, static_cast<uint32_t>(i), place);
    }
  }

  void read_normalizer(const json& n, unsigned depth = 0) {
    if (n.is_null()) return;
    const std::string t = type(n, "normalizer");
    static const std::unordered_map<std::string, NormalForm> kForms = {
        {"NFC", NormalForm::kNfc}, {"NFD", NormalForm::kNfd}, {"NFKC", NormalForm::kNfkc}, {"NFKD", NormalForm::kNfkd}};
    if (const auto form = kForms.find(t); form != kForms.end()) {
      parts_.changes.push_back({.kind = TextChange::Kind::kNormalForm, .form = form->second, .from = "", .to = ""});
    } else if (t == "Prepend") {
      parts_.changes.push_back(
          {.kind = TextChange::Kind::kPrepend, .form = {}, .from = "", .to = text(n, "prepend", "normalizer Prepend")});
    } else if (t == "Replace") {
      const json& pattern = value(n, "pattern");
      if (!pattern.is_object() || !value(pattern, "String").is_string() || pattern["String"] == "")
        wrong("normalizer Replace", "has no pattern 'String', the only kind that is supported", kOtherFile);
      parts_.changes.push_back({.kind = TextChange::Kind::kReplace,
                                .form = {},
                                .from = pattern["String"].get<std::string>(),
                                .to = text(n, "content", "normalizer Replace")});
    } else if (t == "Sequence" && depth < kMostNested) {
      for (const json& inner : list(n, "normalizers", "normalizer")) read_normalizer(inner, depth + 1);
    } else {
      wrong("normalizer", shown(t) + " is not supported", kOtherFile);
    }
  }

  void add_cut(const std::string& regex, PatternKeeps keeps, const std::string& place) {
    if (byte_level_) wrong("pre_tokenizer", "cuts after ByteLevel, which is not supported", kOtherFile);
    regexes_.push_back(regex);
    parts_.cuts.push_back({Pattern(regex, where_ + ": " + place), keeps});
  }

  void read_pre_tokenizer(const json& p, unsigned depth = 0) {
    if (p.is_null()) return;
    const std::string t = type(p, "pre_tokenizer");
    const std::string place = "pre_tokenizer " + t;
    if (t == "ByteLevel") {
      if (flag(p, "add_prefix_space", place, true)) set_prefix(SpacePrefix::kAlways, " ", place);
      if (flag(p, "use_regex", place, true)) add_cut(std::string(kGpt2Pattern), PatternKeeps::kBoth, place);
      byte_level_ = true;
    } else if (t == "Split") {
      const std::string behavior = text(p, "behavior", place);
      const bool invert = flag(p, "invert", place, false);
      if (behavior != "Isolated" && behavior != "Removed")
        wrong(place, "has behavior " + shown(behavior) + ", which is not supported", kOtherFile);
      add_cut(regex(p, place), behavior == "Isolated" ? PatternKeeps::kBoth : invert ? PatternKeeps::kMatches : PatternKeeps::kGaps, place);
    } else if (t == "Digits") {
      add_cut(flag(p, "individual_digits", place, false) ? R"(\p{N})" : R"(\p{N}+)", PatternKeeps::kBoth, place);
    } else if (t == "Metaspace") {
      read_metaspace(p, place);
    } else if (t == "Sequence" && depth < kMostNested) {
      for (const json& inner : list(p, "pretokenizers", "pre_tokenizer")) read_pre_tokenizer(inner, depth + 1);
    } else {
      wrong("pre_tokenizer", shown(t) + " is not supported", kOtherFile);
    }
  }

  void set_prefix(SpacePrefix prefix, std::string_view text, const std::string& place) {
    if (!parts_.cuts.empty()) wrong(place, "puts a space before every word of an earlier cut, which is not supported", kOtherFile);
    parts_.prefix = prefix;
    parts_.prefix_text = text;
  }

  void read_metaspace(const json& p, const std::string& place) {
    if (!parts_.cuts.empty() || byte_level_) wrong(place, "follows another one, which is not supported", kOtherFile);
    if (value(p, "replacement") != json(std::string(kMetaspace)))
      wrong(place, "replaces spaces with something other than U+2581", kOtherFile);
    parts_.metaspace = true;
    const SpacePrefix prefix = metaspace_prefix(p, place);
    if (prefix != SpacePrefix::kNever) set_prefix(prefix, kMetaspace, place);
    if (flag(p, "split", place, true)) parts_.cuts.push_back({std::nullopt, PatternKeeps::kBoth});
  }

  SpacePrefix metaspace_prefix(const json& p, const std::string& place) const {
    const json& scheme = value(p, "prepend_scheme");
    if (scheme == "first") return SpacePrefix::kFirst;
    if (scheme == "never") return SpacePrefix::kNever;
    if (!scheme.is_null() && scheme != "always") wrong(place, "has a prepend_scheme other than always, first and never");
    return flag(p, "add_prefix_space", place, true) ? SpacePrefix::kAlways : SpacePrefix::kNever;
  }

  /// The symbols that words are made of, now that it is known whether these are bytes.
  void read_symbols() {
    if (byte_level_) {
      add_byte_level_symbols(parts_, ids_);
    } else {
      for (const auto& [token, id] : ids_) {
        if (!token.empty() && character_at(token, 0).length == token.size()) parts_.characters.emplace(token, id);
        const auto byte = byte_piece(token);
        if (byte && byte_fallback_) parts_.bytes[*byte] = id;
      }
    }
    if (!ignore_merges_) return;
    for (const auto& [token, id] : ids_) {
      const auto bytes = byte_level_ ? bytes_of_byte_level(token) : token;
      if (bytes) parts_.words.emplace(*bytes, id);
    }
  }

  /// Makes `pieces`, which hold the tokens as they are written, what they stand for in a text.
  void read_decoder(const json& decoder) {
    Decoding d;
    d.byte_level = decoder.is_null() && byte_level_;
    collect(decoder, d);
    for (Piece& p : parts_.pieces) {
      for (const auto& [from, to] : d.replacements) p.bytes = replaced(p.bytes, from, to);
      if (const auto byte = byte_piece(p.bytes); byte && d.byte_fallback) p.bytes = std::string(1, static_cast<char>(*byte));
      if (!d.byte_level) continue;
      if (auto bytes = bytes_of_byte_level(p.bytes)) p.bytes = std::move(*bytes);
    }
    parts_.space_prefix = d.strip;
  }

  struct Decoding {
    bool byte_level = false, byte_fallback = false, strip = false;
    std::vector<std::pair<std::string, std::string>> replacements;
  };

  void collect(const json& decoder, Decoding& d, unsigned depth = 0) {
    if (decoder.is_null()) return;
    const std::string t = type(decoder, "decoder");
    if (t == "ByteLevel") {
      d.byte_level = true;
    } else if (t == "ByteFallback") {
      d.byte_fallback = true;
    } else if (t == "Metaspace") {
      d.replacements.emplace_back(kMetaspace, " ");
      d.strip = metaspace_prefix(decoder, "decoder Metaspace") != SpacePrefix::kNever;
    } else if (t == "Replace") {
      const json& pattern = value(decoder, "pattern");
      if (!pattern.is_object() || !value(pattern, "String").is_string() || pattern["String"] == "")
        wrong("decoder Replace", "has no pattern 'String', the only kind that is supported", kOtherFile);
      d.replacements.emplace_back(pattern["String"].get<std::string>(), text(decoder, "content", "decoder Replace"));
    } else if (t == "Strip") {
      if (text(decoder, "content", "decoder Strip") != " " || value(decoder, "start") != 1 || value(decoder, "stop") != 0)
        wrong("decoder Strip", "strips something other than one leading space, which is not supported", kOtherFile);
      d.strip = true;
    } else if (t == "Sequence" && depth < kMostNested) {
      for (const json& inner : list(decoder, "decoders", "decoder")) collect(inner, d, depth + 1);
    } else if (t != "Fuse") {
      wrong("decoder", shown(t) + " is not supported", kOtherFile);
    }
  }

  void read_added_tokens() {
    const json& added = value(root_, "added_tokens");
    if (added.is_null()) return;
    if (!added.is_array()) wrong("added_tokens", "is not a list");
    for (size_t i = 0; i < added.size(); ++i) {
      const json& a = added[i];
      const std::string place = fmt::format("added_tokens[{}]", i);
      if (!a.is_object()) wrong(place, "is not an object");
      AddedToken token;
      token.text = text(a, "content", place);
      token.id = id_of(value(a, "id"), place);
      token.special = flag(a, "special", place, false);
      token.normalized = flag(a, "normalized", place, !token.special);
      token.strip_left = flag(a, "lstrip", place, false);
      token.strip_right = flag(a, "rstrip", place, false);
      if (flag(a, "single_word", place, false))
        wrong(place, shown(token.text) + " is a single_word token, which is not supported", kOtherFile);
      add(token, place);
    }
  }

  void add(const AddedToken& token, const std::string& place) {
    const auto [it, is_new] = ids_.emplace(token.text, token.id);
    if (it->second != token.id)
      wrong(place, fmt::format("gives {} id {}, but it has id {} already", shown(token.text), token.id, it->second));
    Piece& p = piece(token.id);
    if (is_new && p.exists) wrong(place, fmt::format("gives {} id {}, which another token has already", shown(token.text), token.id));
    p = {token.text, true, token.special};
    parts_.added.push_back(token);
  }

  /// Which token stands before every text.
  void read_post_processor(const json& p, unsigned depth = 0) {
    if (p.is_null()) return;
    const std::string t = type(p, "post_processor");
    if (t == "Sequence" && depth < kMostNested) {
      for (const json& inner : list(p, "processors", "post_processor")) read_post_processor(inner, depth + 1);
    } else if (t == "TemplateProcessing") {
      bool behind = false;
      for (const json& item : list(p, "single", "post_processor")) {
        const bool sequence = item.is_object() && item.contains("Sequence");
        if (!sequence && (behind || prepended_))
          wrong("post_processor", "adds more than one token in front of a text, which is not supported", kOtherFile);
        if (!sequence) prepended_ = special_token(p, item);
        behind = behind || sequence;
      }
    } else if (t != "ByteLevel") {
      wrong("post_processor", shown(t) + " is not supported", kOtherFile);
    }
  }

  int special_token(const json& processor, const json& item) const {
    const json& special = item.is_object() ? value(item, "SpecialToken") : item;
    if (!special.is_object()) wrong("post_processor", "has an item that is neither a SpecialToken nor a Sequence");
    const std::string name = text(special, "id", "post_processor");
    const json& tokens = value(processor, "special_tokens");
    const json& token = tokens.is_object() ? value(tokens, name.c_str()) : tokens;
    const json& token_ids = token.is_object() ? value(token, "ids") : token;
    if (!token_ids.is_array() || token_ids.size() != 1) wrong("post_processor", "does not say the id of " + shown(name));
    const int id = id_of(token_ids[0], "post_processor");
    if (std::cmp_greater_equal(id, parts_.pieces.size()) || !parts_.pieces[static_cast<size_t>(id)].exists)
      wrong("post_processor", fmt::format("names id {}, which is not in the vocabulary", id));
    return id;
  }

  void describe() {
    size_t tokens = 0;
    for (const Piece& p : parts_.pieces) tokens += p.exists;
    const std::string_view name = name_of_patterns(regexes_);
    parts_.description = fmt::format("{}, {} tokens, {} merges",
                                     byte_level_      ? "byte-level BPE"
                                     : byte_fallback_ ? "BPE with bytes for the rest"
                                                      : "BPE",
                                     tokens, parts_.merges.size());
    if (!name.empty()) parts_.description += fmt::format(", pattern {}", name);
    if (name.empty() && !regexes_.empty()) parts_.description += ", pattern of its own";
  }

  std::string where_;
  json root_;
  std::vector<std::pair<std::string, int>> vocabulary_;
  std::vector<std::pair<std::string, std::string>> merges_;  // "a b" as it is written, with an empty second part, or two parts
  BpeParts parts_;
  IdsByText ids_;
  std::vector<std::string> regexes_;
  std::optional<int> prepended_;
  bool byte_level_ = false, byte_fallback_ = false, ignore_merges_ = false;
};

}  // namespace

std::unique_ptr<Tokenizer> read_tokenizer_json(const TokenizerSource& source) {
  TokenizerJson file(source);
  const TokenizerConfig config = read_tokenizer_config(source.config_json, source.where);
  std::unique_ptr<Tokenizer> tokenizer = make_bpe_tokenizer(std::move(file.parts()));
  set_ends(*tokenizer, source, config, file.ids(), file.prepended(), false);
  return tokenizer;
}

}  // namespace bitgrid::frontend
