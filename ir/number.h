// Numbers in text: the one reader for options, environment and files.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bitgrid {

/// A whole number from `least` to `most` in decimal digits, with '-' before a negative one. nullopt for anything else: blanks, '+', zeros
/// in front (other programs read them as octal), exponents, other bases, anything after the digits, or a number outside the range.
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

/// A number from `least` to `most` in decimal digits with an optional fraction and exponent, such as 0.5 or 1e-3. nullopt for whatever
/// else, as parse_whole; also for infinities and what is not a number.
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

/// 1 to `most_digits` (16 at most) hexadecimal digits without a prefix, in either case. nullopt for anything else.
inline std::optional<uint64_t> parse_hex(std::string_view digits, size_t most_digits = 16) {
  if (digits.empty() || digits.size() > most_digits || digits.front() == '-') return std::nullopt;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace bitgrid
