// Test support of planes and netlists: runs a mapped kernel cell by cell, straight from the definition, and compares with a reference.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <tuple>

#include "ir/mapped_kernel.h"

namespace bitgrid {

inline BitMatrix random_bits(size_t rows, size_t cols, uint64_t seed) {
  std::mt19937_64 rng(seed);
  BitMatrix m(rows, cols);
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < cols; ++c) m.set(r, c, rng() & 1);
  return m;
}

/// Every value of `cols` <= 16 bits, in a scrambled order, so that neighbours in time differ in many bits.
inline BitMatrix all_values(uint32_t cols) {
  BitMatrix m(size_t{1} << cols, cols);
  for (size_t r = 0; r < m.rows; ++r)
    if (cols > 0) m.set_word(r, 0, cols, (r * 0x9E37u + 0x55u) & (m.rows - 1));
  return m;
}

/// Invocations back to back at the kernel's ii; returns rows x output_bits.
inline BitMatrix step_kernel(const MappedKernel& k, const BitMatrix& inputs) {
  const int w = k.grid.width, h = k.grid.height;
  using Port = std::tuple<Side, int>;
  std::map<Port, std::vector<InputSlot>> in_ports;
  int start = 0, end = 0;
  for (const InputSlot& s : k.inputs) {
    in_ports[{s.slot.side, s.slot.position}].push_back(s);
    start = std::min(start, s.slot.phase);
  }
  for (const BitSlot& o : k.outputs) end = std::max(end, o.phase);
  const int rows = static_cast<int>(inputs.rows), period = 2 * k.ii;
  std::map<int, std::vector<std::pair<int, uint32_t>>> samples;  // phase -> (row, output bit)
  for (int r = 0; r < rows; ++r)
    for (uint32_t o = 0; o < k.outputs.size(); ++o) samples[k.outputs[o].phase + r * period].push_back({r, o});
  std::vector<std::array<uint8_t, 4>> out(static_cast<size_t>(w) * static_cast<size_t>(h));
  BitMatrix result(inputs.rows, k.output_bits);

  auto port_bit = [&](Side side, int position, int phase) -> unsigned {
    const auto it = in_ports.find({side, position});
    if (it == in_ports.end()) return 0;
    for (const InputSlot& s : it->second)
      for (int age = 0; age < s.hold; ++age) {
        const int t = phase - s.slot.phase - 2 * age;
        if (t >= 0 && t % period == 0 && t / period < rows) return inputs.get(static_cast<size_t>(t / period), s.bit);
      }
    return 0;
  };
  for (int phase = start - 4; phase <= end + (rows - 1) * period; ++phase) {
    for (int y = 0; y < h; ++y)
      for (int x = (y + phase) & 1; x < w; x += 2) {
        unsigned index = 0;
        for (const Side s : kSides) {
          const int nx = x + dx(s), ny = y + dy(s);
          const bool inside = nx >= 0 && ny >= 0 && nx < w && ny < h;
          const unsigned bit = inside ? out[k.grid.index(nx, ny)][static_cast<size_t>(opposite(s))]
                                      : port_bit(s, s == Side::N || s == Side::S ? x : y, phase);
          index |= bit << static_cast<unsigned>(s);
        }
        const CellWord nibble = k.grid.at(x, y) >> (4 * index);
        for (size_t s = 0; s < 4; ++s) out[k.grid.index(x, y)][s] = (nibble >> s) & 1;
      }
    for (const auto& [row, o] : samples[phase]) {
      const BitSlot& slot = k.outputs[o];
      const int x = slot.side == Side::W ? 0 : slot.side == Side::E ? w - 1 : slot.position;
      const int y = slot.side == Side::N ? 0 : slot.side == Side::S ? h - 1 : slot.position;
      EXPECT_EQ((x + y + phase) & 1, 0) << "output " << o << " is sampled in a phase in which its cell does not latch";
      result.set(static_cast<size_t>(row), o, out[k.grid.index(x, y)][static_cast<size_t>(slot.side)]);
    }
  }
  return result;
}

}  // namespace bitgrid
