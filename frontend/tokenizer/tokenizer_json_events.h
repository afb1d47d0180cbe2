// The two long lists of a tokenizer.json, taken from its text while it is parsed.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "frontend/tokenizer/readers.h"
#include "ir/error.h"
#include "ir/json_reader.h"

namespace bitgrid::frontend {

inline constexpr const char* kTokenizerJsonCure = "take the tokenizer.json that the model came with";

/// Takes the vocabulary and the merges, hundreds of thousands of entries, straight from the text; all else becomes a value. Where these two
/// stood, the value has true.
class TokenizerJsonEvents final : public JsonEvents {
 public:
  explicit TokenizerJsonEvents(const std::string& where) : where_(where) {}

  std::vector<std::pair<std::string, int>> vocab;
  std::vector<std::pair<std::string, std::string>> merges;  // "a b" as it is written, with an empty second part, or two parts
  nlohmann::json take() { return tree_.take(); }

  bool null() override { return other() && tree_.null(); }
  bool boolean(bool v) override { return other() && tree_.boolean(v); }
  bool number_integer(number_integer_t v) override { return other() && tree_.number_integer(v); }
  bool number_float(number_float_t v, const string_t& s) override { return other() && tree_.number_float(v, s); }
  bool binary(binary_t& v) override { return tree_.binary(v); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  bool number_unsigned(number_unsigned_t v) override {
    if (in_ != Part::kVocab || v >= static_cast<uint64_t>(kMostIds)) return other() && tree_.number_unsigned(v);
    vocab.emplace_back(std::move(key_), static_cast<int>(v));
    return true;
  }
  bool string(string_t& v) override {
    if (in_ != Part::kMerges || parts_ == 2) return other() && tree_.string(v);
    if (parts_ == 1) {
      merges.back().second = std::move(v);
    } else {
      merges.emplace_back(std::move(v), "");
    }
    parts_ += in_pair_;
    return true;
  }
  bool key(string_t& k) override {
    if (in_ == Part::kVocab) {
      key_ = std::move(k);
      return true;
    }
    if (depth_ == 1) in_model_ = k == "model";
    key_ = k;
    return tree_.key(k);
  }
  bool start_object(size_t n) override { return start(Part::kVocab, "vocab") ? tree_.boolean(true) : other() && tree_.start_object(n); }
  bool start_array(size_t n) override {
    if (in_ == Part::kMerges && !in_pair_) {
      in_pair_ = true;
      parts_ = 0;
      return true;
    }
    return start(Part::kMerges, "merges") ? tree_.boolean(true) : other() && tree_.start_array(n);
  }
  bool end_object() override { return end() || tree_.end_object(); }
  bool end_array() override {
    if (in_pair_) {
      if (parts_ != 2) wrong_merge();
      in_pair_ = false;
      parts_ = 0;
      return true;
    }
    return end() || tree_.end_array();
  }

 private:
  enum class Part : uint8_t { kOther, kVocab, kMerges };

  bool start(Part part, const char* key) {
    if (in_ != Part::kOther) return false;
    ++depth_;
    if (depth_ != 3 || !in_model_ || key_ != key) return false;
    in_ = part;
    return true;
  }
  bool end() {
    --depth_;
    return std::exchange(in_, Part::kOther) != Part::kOther;
  }
  /// True outside of the two; what else stands within them is an error.
  bool other() const {
    if (in_ == Part::kVocab)
      throw Error(where_, fmt::format("model.vocab: {} has an id that is no whole number from 0 to {}", shown(key_), kMostIds - 1),
                  kTokenizerJsonCure);
    if (in_ == Part::kMerges) wrong_merge();
    return true;
  }
  [[noreturn]] void wrong_merge() const {
    throw Error(fmt::format("{}: model.merges[{}]", where_, merges.size() - (in_pair_ && parts_ > 0)),
                "it is neither a text nor a pair of texts", kTokenizerJsonCure);
  }

  const std::string& where_;
  JsonTree<nlohmann::json> tree_;
  unsigned depth_ = 0;
  Part in_ = Part::kOther;
  std::string key_;
  bool in_model_ = false, in_pair_ = false;
  unsigned parts_ = 0;  // of the pair
};

}  // namespace bitgrid::frontend
