#include "frontend/tokenizer/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "frontend/tokenizer/unicode.h"
#include "ir/error.h"
#include "ir/text.h"

namespace bitgrid::frontend {
namespace {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using CompileContext = std::unique_ptr<pcre2_compile_context, FreeWith<pcre2_compile_context_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, FreeWith<pcre2_match_context_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, FreeWith<pcre2_match_data_free>>;

constexpr size_t kMostRegex = 65536;
constexpr const char* kPatternCure =
    "use the tokenizer.json that came with the model, or report the pattern: it may be one that this program does not know";

std::string pcre2_message(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

/// The regex as PCRE2 must have it: \s and \S mean White_Space (PCRE2 counts U+180E, too). Refuses forms that mean something else there.
std::string translated(std::string_view regex, const std::string& where) {
  constexpr std::string_view kSpace = R"(\p{Z}\t-\r\x{85})";
  const auto refuse = [&](std::string_view form) {
    throw Error(where, fmt::format("the pattern has {}, which is not supported", form), kPatternCure);
  };
  std::string out;
  bool in_class = false;
  size_t class_begin = 0;
  for (size_t i = 0; i < regex.size(); ++i) {
    const char c = regex[i];
    const char next = i + 1 < regex.size() ? regex[i + 1] : '\0';
    if (c == '\\') {
      if (next == 'h' || next == 'H') refuse("\\h (a hexadecimal digit)");
      if (next == 's') {
        out += in_class ? std::string(kSpace) : fmt::format("[{}]", kSpace);
      } else if (next == 'S' && !in_class) {
        out += fmt::format("[^{}]", kSpace);
      } else {
        out += regex.substr(i, 2);
      }
      ++i;
      continue;
    }
    if (c == '(' && (next == '*' || regex.substr(i).starts_with("(?C"))) refuse("a command of PCRE2");
    if (in_class && c == '&' && next == '&') refuse("an intersection of classes (&&)");
    if (in_class && c == '[' && next != ':') refuse("a class within a class");
    if (in_class && c == '[') {  // [:name:]
      const size_t end = regex.find(":]", i + 2);
      if (end == std::string_view::npos) refuse("a class within a class");
      out += regex.substr(i, end + 2 - i);
      i = end + 1;
      continue;
    }
    if (!in_class && c == '[') {
      in_class = true;
      class_begin = i + (next == '^' ? 2 : 1);
    } else if (in_class && c == ']' && i > class_begin) {
      in_class = false;
    }
    out += c;
  }
  return out;
}

/// No text may keep a pattern busy for ever: steps of one match, and time for all of them.
constexpr uint32_t kMostSteps = 100'000;
constexpr uint32_t kMostHeap = 256 * 1024;  // KiB
constexpr auto kMostTime = std::chrono::seconds(20);

class Deadline {
 public:
  explicit Deadline(size_t bytes) : end_(Clock::now() + kMostTime + std::chrono::milliseconds(bytes / 50)) {}
  /// Looks at the clock every few calls.
  bool passed() { return ++calls_ % 256 == 0 && Clock::now() > end_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point end_;
  unsigned calls_ = 0;
};

}  // namespace

struct Pattern::Compiled {
  std::shared_ptr<pcre2_code> code;
  std::string where;
};

Pattern::Pattern(std::string_view regex, std::string where) {
  if (regex.size() > kMostRegex)
    throw Error(where, fmt::format("the pattern has {} bytes, more than {}", regex.size(), kMostRegex), kPatternCure);
  const std::string text = translated(regex, where);
  const CompileContext context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context.get(), 100);
  int error = 0;
  PCRE2_SIZE offset = 0;
  // Matches are looked for at one position after another (PCRE2_ANCHORED), so that a clock can be watched between them.
  const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_ANCHORED | PCRE2_NEVER_BACKSLASH_C;
  std::shared_ptr<pcre2_code> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), options, &error, &offset, context.get()), pcre2_code_free);
  if (!code) {
    throw Error(where,
                fmt::format("the pattern is not a valid regular expression: {} (at \"{}\")", pcre2_message(error),
                            printable(text.substr(std::min(offset, text.size()), 20))),
                kPatternCure);
  }
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // where it fails, patterns are interpreted
  compiled_ = std::make_shared<const Compiled>(Compiled{std::move(code), std::move(where)});
}

void Pattern::split(std::string_view text, PatternKeeps keeps, std::vector<std::string_view>& words) const {
  const MatchData data(pcre2_match_data_create_from_pattern(compiled_->code.get(), nullptr));
  const MatchContext context(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(context.get(), static_cast<uint32_t>(std::min<size_t>(kMostSteps + 16 * text.size(), UINT32_MAX)));
  pcre2_set_depth_limit(context.get(), kMostSteps);
  pcre2_set_heap_limit(context.get(), kMostHeap);
  Deadline deadline(text.size());
  const auto too_long = [&](size_t at) {
    return Error(compiled_->where, fmt::format("the pattern takes too long at byte {} of the text", at), kPatternCure);
  };
  const auto add = [&](size_t begin, size_t end, bool match) {
    if (begin < end && keeps != (match ? PatternKeeps::kGaps : PatternKeeps::kMatches)) words.push_back(text.substr(begin, end - begin));
  };

  size_t gap = 0;
  // Each run of valid UTF-8 is a subject of its own.
  for (size_t begin = 0; begin < text.size();) {
    const size_t bad = invalid_utf8(text.substr(begin));
    const size_t end = bad == std::string_view::npos ? text.size() : begin + bad;
    for (size_t at = begin; at < end;) {
      if (deadline.passed()) throw too_long(at);
      const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data() + begin);
      const auto run = [&](uint32_t options) {
        return pcre2_match(compiled_->code.get(), subject, end - begin, at - begin, PCRE2_NO_UTF_CHECK | options, data.get(),
                           context.get());
      };
      int found = run(0);
      if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = run(PCRE2_NO_JIT);
      if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
        if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT || found == PCRE2_ERROR_HEAPLIMIT) throw too_long(at);
        throw Error(compiled_->where, fmt::format("the pattern fails at byte {} of the text: {}", at, pcre2_message(found)), kPatternCure);
      }
      const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data.get());
      const size_t match_end = found < 0 ? at : begin + range[1];
      if (found >= 0 && begin + range[0] == at && match_end >= at) {
        add(gap, at, false);
        add(at, match_end, true);
        gap = match_end;
      }
      at = std::max(match_end, at) > at ? match_end : at + character_at(text, at).length;
    }
    begin = end;
    while (begin < text.size() && !character_at(text, begin).valid) ++begin;
  }
  add(gap, text.size(), false);
}

}  // namespace bitgrid::frontend
