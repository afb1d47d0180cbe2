#include "frontend/tokenizer/named_patterns.h"

#include <algorithm>

namespace bitgrid::frontend {

#define BITGRID_ENGLISH_ENDINGS R"((?i:'s|'t|'re|'ve|'m|'ll|'d))"

const std::string_view kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

constexpr std::string_view kLlama3 =
    BITGRID_ENGLISH_ENDINGS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    BITGRID_ENGLISH_ENDINGS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    BITGRID_ENGLISH_ENDINGS R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Letters with capitals in front, then letters without: both of any script.
constexpr std::string_view kTekken = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
                                     R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
                                     R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)" BITGRID_ENGLISH_ENDINGS
    R"(?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)" BITGRID_ENGLISH_ENDINGS
    R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

}  // namespace

const std::vector<NamedPattern>& named_patterns() {
  static const std::vector<NamedPattern> all = {
      {{"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "lfm2"}, {kLlama3}, true, true, false},
      {{"smaug-bpe", "dbrx"}, {kLlama3}, false, false, false},
      {{"qwen2", "deepseek-r1-qwen", "megrez"}, {kQwen2}, false, false, true},
      {{"qwen35"}, {kQwen35}, false, false, true},
      {{"stablelm2", "hunyuan"}, {kQwen2}, false, false, false},
      {{"gpt-2", "phi-2", "mpt", "olmo", "jais"}, {kGpt2Pattern}, false, false, false},
      {{"smollm", "starcoder", "refact", "command-r", "codeshell"}, {R"(\p{N})", kGpt2Pattern}, false, false, false},
      {{"tekken"}, {kTekken}, true, true, false},
      {{"gpt-4o"}, {kGpt4o}, false, false, false},
      {{"default"}, {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2Pattern, R"(\p{N}+)", R"([0-9][0-9][0-9])"}, false, false, false},
  };
  return all;
}

std::string_view name_of_patterns(const std::vector<std::string>& regexes) {
  for (const NamedPattern& p : named_patterns()) {
    if (std::equal(p.regexes.begin(), p.regexes.end(), regexes.begin(), regexes.end())) return p.names[0];
  }
  return "";
}

}  // namespace bitgrid::frontend
