#include "frontend/grids/lut_expression.h"

#include <fmt/format.h>

#include <bit>
#include <cctype>

#include "ir/error.h"

namespace bitgrid::frontend {
namespace {

constexpr int kDeepestExpression = 200;

class ExpressionReader {
 public:
  ExpressionReader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  Lut read() {
    const Lut table = binary(0);
    if (peek() != '\0') refuse("an operator", "combine with &, ^ or |");
    return table;
  }

 private:
  /// Operators from the weakest to the strongest.
  static constexpr std::string_view kOperators = "|^&";

  char peek() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  [[noreturn]] void refuse(const std::string& expected, const std::string& cure) {
    const std::string found = at_ < text_.size() ? fmt::format("'{}'", text_.substr(at_, 12)) : "the end";
    const std::string shown = text_.size() > 60 ? fmt::format("{}...", text_.substr(0, 57)) : std::string(text_);
    throw Error(source_, fmt::format("column {} of \"{}\" has {} in place of {}", at_ + 1, shown, found, expected), cure);
  }

  Lut binary(size_t level) {
    if (level == kOperators.size()) return factor();
    Lut table = binary(level + 1);
    while (peek() == kOperators[level]) {
      ++at_;
      const Lut other = binary(level + 1);
      table = static_cast<Lut>(level == 0 ? table | other : level == 1 ? table ^ other : table & other);
    }
    return table;
  }

  Lut factor() {
    const char c = peek();
    if (c == '~' || c == '(') {
      if (++depth_ > kDeepestExpression) refuse("an expression that is less deep", "leave parentheses and ~ out");
      ++at_;
      Lut table = 0;
      if (c == '~') {
        table = invert(factor());
      } else {
        table = binary(0);
        if (peek() != ')') refuse("')'", "close the parenthesis");
        ++at_;
      }
      --depth_;
      return table;
    }
    const bool alone = at_ + 1 >= text_.size() || std::isalnum(static_cast<unsigned char>(text_[at_ + 1])) == 0;
    if (c != '\0' && alone) {
      constexpr std::string_view kNames = "nesw";
      const size_t side = kNames.find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
      if (side != std::string_view::npos || c == '0' || c == '1') {
        ++at_;
        return side != std::string_view::npos ? kCopy[side] : c == '1' ? Lut{0xFFFF} : Lut{0};
      }
    }
    refuse("an input", "write n, e, s, w, 0, 1, ~ or (");
  }

  std::string_view text_;
  const std::string& source_;
  size_t at_ = 0;
  int depth_ = 0;
};

/// One product: for each input whether it stands in it (bit of `mask`), and plain or inverted (bit of `value`).
struct Product {
  unsigned mask = 0;
  unsigned value = 0;

  Lut table() const {
    Lut t = 0;
    for (unsigned i = 0; i < 16; ++i)
      if ((i & mask) == value) t = static_cast<Lut>(t | (1u << i));
    return t;
  }
};

/// The product within `table` that covers most of `left`, with the fewest inputs among equals.
Product best_product(Lut table, Lut left) {
  Product best;
  int most = -1;
  for (unsigned mask = 0; mask < 16; ++mask) {
    for (unsigned value = 0; value < 16; ++value) {
      const Product p{mask, value};
      if ((value & ~mask) != 0 || (p.table() & ~table) != 0) continue;
      const int worth = 8 * std::popcount(static_cast<unsigned>(p.table() & left)) - std::popcount(mask);
      if (worth > most) most = worth, best = p;
    }
  }
  return best;
}

}  // namespace

Lut parse_lut_expression(std::string_view text, const std::string& source) {
  return ExpressionReader(text, source).read();
}

std::string print_lut_expression(Lut table) {
  if (table == 0) return "0";
  if (table == 0xFFFF) return "1";
  for (size_t a = 0; a < 4; ++a) {
    for (size_t b = 0; b < a; ++b) {
      const auto both = static_cast<Lut>(kCopy[a] ^ kCopy[b]);
      if (table == both) return fmt::format("{} ^ {}", "nesw"[b], "nesw"[a]);
      if (table == invert(both)) return fmt::format("~({} ^ {})", "nesw"[b], "nesw"[a]);
    }
  }
  std::string text;
  for (Lut left = table; left != 0;) {
    const Product p = best_product(table, left);
    left = static_cast<Lut>(left & ~p.table());
    if (!text.empty()) text += " | ";
    bool first = true;
    for (unsigned side = 0; side < 4; ++side) {
      if ((p.mask >> side & 1u) == 0) continue;
      text += fmt::format("{}{}{}", first ? "" : " & ", (p.value >> side & 1u) != 0 ? "" : "~", "nesw"[side]);
      first = false;
    }
  }
  return text;
}

}  // namespace bitgrid::frontend
