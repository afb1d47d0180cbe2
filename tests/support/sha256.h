// SHA-256 of bytes, for cases that state the checksums of their arrays.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>

namespace bitgrid::test {

/// The first 32 bits of the fraction of the square (power 1/2) or cube roots of the first primes.
inline std::array<uint32_t, 64> fractions_of_roots(double power) {
  std::array<uint32_t, 64> out{};
  int n = 2;
  for (uint32_t& word : out) {
    for (bool prime = false; !prime; ++n) {
      prime = true;
      for (int d = 2; d * d <= n; ++d) prime &= n % d != 0;
      if (prime) {
        const long double root = std::pow(static_cast<long double>(n), static_cast<long double>(power == 0.5 ? 0.5L : 1.0L / 3.0L));
        word = static_cast<uint32_t>(std::floor((root - std::floor(root)) * 4294967296.0L));
      }
    }
  }
  return out;
}

inline std::string sha256(std::string bytes) {
  const auto k = fractions_of_roots(1.0 / 3.0), start = fractions_of_roots(0.5);
  std::array<uint32_t, 8> h{};
  for (size_t i = 0; i < 8; ++i) h[i] = start[i];
  const uint64_t bits = bytes.size() * 8;
  bytes += static_cast<char>(0x80);
  while (bytes.size() % 64 != 56) bytes += '\0';
  for (int i = 7; i >= 0; --i) bytes += static_cast<char>(bits >> (8 * i));
  for (size_t at = 0; at < bytes.size(); at += 64) {
    std::array<uint32_t, 64> w{};
    for (size_t i = 0; i < 16; ++i)
      for (size_t b = 0; b < 4; ++b) w[i] = w[i] << 8 | static_cast<uint8_t>(bytes[at + 4 * i + b]);
    for (size_t i = 16; i < 64; ++i) {
      const uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] + (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
    auto s = h;
    for (size_t i = 0; i < 64; ++i) {
      const uint32_t t1 =
          s[7] + (std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
      const uint32_t t2 =
          (std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
      s = {t1 + t2, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]};
    }
    for (size_t i = 0; i < 8; ++i) h[i] += s[i];
  }
  std::string out;
  for (const uint32_t word : h)
    for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[word >> shift & 15];
  return out;
}

}  // namespace bitgrid::test
