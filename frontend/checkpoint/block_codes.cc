#include "frontend/checkpoint/block_codes.h"

#include <algorithm>
#include <array>
#include <cstring>

// Two gigabytes of codes pass through these functions while somebody waits: tables of bytes, and loops of constant length that the compiler
// turns into vector code.
namespace bitgrid::frontend {
namespace {

/// The codes that a byte stands for.
constexpr auto kBits = [] {
  std::array<std::array<int8_t, 8>, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte)
    for (unsigned j = 0; j < 8; ++j) table[byte][j] = (byte >> j & 1u) != 0 ? 1 : -1;
  return table;
}();

constexpr auto kPairs = [] {
  std::array<std::array<int8_t, 4>, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte)
    for (unsigned j = 0; j < 4; ++j) table[byte][j] = static_cast<int8_t>(static_cast<int>(byte >> 2 * j & 3u) - 1);
  return table;
}();

/// N bytes hold the planes codes[0 .. N), codes[N .. 2 N) ... of two bits; the first at bit `first`, the next `step` further.
template <int N>
void decode_planes(const uint8_t* __restrict bytes, int8_t* __restrict codes, int first, int step) {
  for (int plane = 0; plane < 4; ++plane) {
    const int shift = first + step * plane;
    for (int m = 0; m < N; ++m) codes[plane * N + m] = static_cast<int8_t>((bytes[m] >> shift & 3) - 1);
  }
}

template <int N>
void encode_planes(const int8_t* __restrict codes, uint8_t* __restrict bytes, int first, int step) {
  std::fill_n(bytes, N, uint8_t{0});
  for (int plane = 0; plane < 4; ++plane) {
    const int shift = first + step * plane;
    for (int m = 0; m < N; ++m) bytes[m] = static_cast<uint8_t>(bytes[m] | (codes[plane * N + m] + 1) << shift);
  }
}

constexpr int kPowers[5] = {1, 3, 9, 27, 81};

/// N bytes of ternary fractions: digit n of byte m is codes[n * N + m], n < Digits. byte / 256 is the smallest fraction that has the
/// digits.
template <int N, int Digits>
void decode_digits(const uint8_t* __restrict bytes, int8_t* __restrict codes) {
  for (int n = 0; n < Digits; ++n) {
    const int power = kPowers[n];
    for (int m = 0; m < N; ++m) {
      const auto rest = static_cast<uint8_t>(bytes[m] * power);
      codes[n * N + m] = static_cast<int8_t>((rest * 3 >> 8) - 1);
    }
  }
}

template <int N, int Digits>
void encode_digits(const int8_t* codes, uint8_t* bytes) {
  for (int m = 0; m < N; ++m) {
    int value = 0;
    for (int n = 0; n < Digits; ++n) value += (codes[n * N + m] + 1) * kPowers[4 - n];
    bytes[m] = static_cast<uint8_t>((value * 256 + 242) / 243);
  }
}

}  // namespace

void decode_q1_0(const uint8_t* bytes, int8_t* codes) {
  for (int i = 0; i < 16; ++i) std::memcpy(codes + 8 * i, kBits[bytes[i]].data(), 8);
}

void encode_q1_0(const int8_t* codes, uint8_t* bytes) {
  for (int i = 0; i < 16; ++i) {
    unsigned byte = 0;
    for (int j = 0; j < 8; ++j) byte |= (codes[8 * i + j] > 0 ? 1u : 0u) << j;
    bytes[i] = static_cast<uint8_t>(byte);
  }
}

void decode_q2_0(const uint8_t* bytes, int8_t* codes) {
  for (int i = 0; i < 16; ++i) std::memcpy(codes + 4 * i, kPairs[bytes[i]].data(), 4);
}

void encode_q2_0(const int8_t* codes, uint8_t* bytes) {
  for (int i = 0; i < 16; ++i) {
    int byte = 0;
    for (int j = 0; j < 4; ++j) byte |= (codes[4 * i + j] + 1) << 2 * j;
    bytes[i] = static_cast<uint8_t>(byte);
  }
}

void decode_tq1_0(const uint8_t* bytes, int8_t* codes) {
  decode_digits<32, 5>(bytes, codes);
  decode_digits<16, 5>(bytes + 32, codes + 160);
  decode_digits<4, 4>(bytes + 48, codes + 240);
}

void encode_tq1_0(const int8_t* codes, uint8_t* bytes) {
  encode_digits<32, 5>(codes, bytes);
  encode_digits<16, 5>(codes + 160, bytes + 32);
  encode_digits<4, 4>(codes + 240, bytes + 48);
}

void decode_tq2_0(const uint8_t* bytes, int8_t* codes) {
  decode_planes<32>(bytes, codes, 0, 2);
  decode_planes<32>(bytes + 32, codes + 128, 0, 2);
}

void encode_tq2_0(const int8_t* codes, uint8_t* bytes) {
  encode_planes<32>(codes, bytes, 0, 2);
  encode_planes<32>(codes + 128, bytes + 32, 0, 2);
}

void decode_i2s_x86(const uint8_t* bytes, int8_t* codes) {
  decode_planes<32>(bytes, codes, 6, -2);
}

void encode_i2s_x86(const int8_t* codes, uint8_t* bytes) {
  encode_planes<32>(codes, bytes, 6, -2);
}

void decode_i2s_arm(const uint8_t* bytes, int8_t* codes) {
  decode_planes<16>(bytes, codes, 6, -2);
}

void encode_i2s_arm(const int8_t* codes, uint8_t* bytes) {
  encode_planes<16>(codes, bytes, 6, -2);
}

}  // namespace bitgrid::frontend
