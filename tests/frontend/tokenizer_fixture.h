// Small tokenizers for tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "frontend/tokenizer/tokenizer.h"
#include "tests/support/errors.h"

namespace bitgrid::frontend {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

inline TokenizerSource source_of(const std::string& tokenizer_json, const std::string& config = "") {
  TokenizerSource source;
  source.kind = TokenizerSource::Kind::kHuggingFace;
  source.where = "m/tokenizer.json";
  source.json = tokenizer_json;
  source.config_json = config;
  return source;
}

/// Byte-level BPE of a few tokens; \u0120 is a space, \u00C3\u00A9 the two bytes of U+00E9.
inline json small() {
  return json::parse(R"({
    "added_tokens": [{"id": 9, "content": "<|end|>", "special": true, "normalized": false},
                     {"id": 10, "content": "<think>", "special": false, "normalized": false}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "\u0120": 3, "ab": 4, "bc": 5, "\u0120ab": 6, "\u00C3": 7, "\u00A9": 8},
              "merges": ["a b", ["b", "c"], "\u0120 ab"]}})");
}

inline std::unique_ptr<Tokenizer> made(const json& j, const std::string& config = "") {
  return make_tokenizer(source_of(j.dump(), config));
}

inline std::string tokenizer_problem(const json& j, const std::string& config = "") {
  return test::error_of([&] { return made(j, config) != nullptr; });
}

/// The lists of a GGUF file.
inline TokenizerSource gguf(const std::string& model, const std::string& pre, std::vector<std::string> tokens) {
  TokenizerSource source;
  source.kind = TokenizerSource::Kind::kGguf;
  source.where = "m.gguf";
  source.model = model;
  source.pre = pre;
  source.tokens = std::move(tokens);
  return source;
}

/// Pieces with scores, as conversions of Llama 2 have them.
inline TokenizerSource scored() {
  TokenizerSource source =
      gguf("llama", "", {"<unk>", "<s>", "<0xC3>", "<0xA9>", "\u2581", "a", "b", "\u2581a", "ab", "bb", "\u2581ab", "[INST]"});
  source.types = {2, 3, 6, 6, 1, 1, 1, 1, 1, 1, 1, 4};
  source.scores = {0, 0, 0, 0, -10, -11, -12, -3, -1, -2, -4, 0};
  source.bos = 1;
  return source;
}

}  // namespace bitgrid::frontend
