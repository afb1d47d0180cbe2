// The regular expressions with which tokenizers cut a text into words.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bitgrid::frontend {

/// What is kept: matches of a pattern, the gaps between them, or both.
enum class PatternKeeps : uint8_t { kBoth, kMatches, kGaps };

/// A regular expression over Unicode characters in the syntax of tokenizer.json (Oniguruma's). PCRE2 runs it. Copies share the compiled
/// form.
class Pattern {
 public:
  /// Throws Error at `where` if it is not a regular expression, and for the few forms that PCRE2 interprets differently.
  Pattern(std::string_view regex, std::string where);

  /// Appends the parts of `text` to `words`: every match and every gap, as `keeps` says, without empty ones. Bytes that are not UTF-8 match
  /// nothing. The views point into `text`. Throws Error if the pattern takes too long.
  void split(std::string_view text, PatternKeeps keeps, std::vector<std::string_view>& words) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace bitgrid::frontend
