// Reads numbers in text. All options, environment variables and files use these functions.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bitgrid {

/// Reads a whole number from `least` to `most` in decimal digits, with '-' if negative. Returns nullopt for anything else: blanks, '+',
/// leading zeros (which other programs read as octal), exponents, other bases, trailing characters, or a number outside the range.
template <std::integral T>
std::optional<T> parse_whole(std::string_view text, T least, T most) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool plain = digits == text || (digits != "0" && std::signed_integral<T>);
  if (digits.empty() || (digits.front() == '0' && digits.size() > 1) || !plain) return std::nullopt;
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}

/// Reads a number from `least` to `most` in decimal digits with an optional fraction and exponent, such as 0.5 or 1e-3. Returns nullopt for
/// anything else, like parse_whole, and for infinities and NaN.
inline std::optional<double> parse_real(std::string_view text, double least, double most) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits.front() < '0' || digits.front() > '9') return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most)) return std::nullopt;
  return value;
}

/// The same for indices in names, which may have leading zeros: a[007] is 7.
inline std::optional<uint64_t> parse_padded(std::string_view digits) {
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return parse_whole(digits, uint64_t{0}, UINT64_MAX);
}

/// Reads 1 to `most_digits` (16 at most) hexadecimal digits without a prefix, in either case. Returns nullopt for anything else.
inline std::optional<uint64_t> parse_hex(std::string_view digits, size_t most_digits = 16) {
  if (digits.empty() || digits.size() > most_digits || digits.front() == '-') return std::nullopt;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace bitgrid
