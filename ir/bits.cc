#include "ir/bits.h"

#include "ir/error.h"

namespace bitgrid {

BitVector::BitVector(uint32_t bits, uint64_t value) : width(bits), words((bits + 63) / 64) {
  if (!words.empty()) words[0] = bits >= 64 ? value : value & ((uint64_t{1} << bits) - 1);
}

std::string to_hex(const BitVector& v) {
  const uint32_t digits = v.width == 0 ? 1 : (v.width + 3) / 4;
  std::string out;
  for (uint32_t d = digits; d-- > 0;) {
    const uint64_t word = d / 16 < v.words.size() ? v.words[d / 16] : 0;
    out += "0123456789abcdef"[(word >> (4 * (d % 16))) & 15u];
  }
  return out;
}

BitVector from_hex(const std::string& digits, uint32_t width) {
  BitVector v(width);
  uint32_t bit = 0;
  if (digits.empty()) throw Error("", "a hexadecimal number is missing", "write at least one digit");
  for (size_t i = digits.size(); i-- > 0; bit += 4) {
    const char c = digits[i];
    unsigned value = 0;
    if (c >= '0' && c <= '9')
      value = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f')
      value = static_cast<unsigned>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      value = static_cast<unsigned>(c - 'A' + 10);
    else
      throw Error("", std::string("'") + c + "' is not a hexadecimal digit", "use 0-9 and a-f");
    for (unsigned k = 0; k < 4; ++k) {
      if (!((value >> k) & 1u)) continue;
      if (bit + k >= width)
        throw Error("", "the number " + digits + " does not fit " + std::to_string(width) + " bits",
                    "make it wider or drop the upper digits");
      v.set(bit + k, true);
    }
  }
  return v;
}

uint64_t BitMatrix::get_word(size_t row, size_t first, unsigned width) const {
  if (width == 0) return 0;
  const uint64_t* w = &words[row * stride + first / 64];
  const unsigned shift = first % 64;
  uint64_t value = w[0] >> shift;
  if (shift + width > 64) value |= w[1] << (64 - shift);
  return width >= 64 ? value : value & ((uint64_t{1} << width) - 1);
}

void BitMatrix::set_word(size_t row, size_t first, unsigned width, uint64_t value) {
  for (unsigned i = 0; i < width; ++i) set(row, first + i, (value >> i) & 1u);
}

}  // namespace bitgrid
