// The cell and the grid. This is the only definition of what a configuration word means.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bitgrid {

enum class Side : uint8_t { N = 0, E = 1, S = 2, W = 3 };
inline constexpr std::array<Side, 4> kSides = {Side::N, Side::E, Side::S, Side::W};

constexpr Side opposite(Side s) {
  return static_cast<Side>((static_cast<unsigned>(s) + 2) % 4);
}
constexpr int dx(Side s) {
  return s == Side::E ? 1 : s == Side::W ? -1 : 0;
}
constexpr int dy(Side s) {
  return s == Side::S ? 1 : s == Side::N ? -1 : 0;
}
constexpr char letter(Side s) {
  return "NESW"[static_cast<unsigned>(s)];
}

/// A 16-bit truth table: bit i is the output for index i = N + 2E + 4S + 8W.
using Lut = uint16_t;
constexpr Lut invert(Lut t) {
  return static_cast<Lut>(~t);
}

/// Tables that copy one input: N is AAAA, E is CCCC, S is F0F0, W is FF00.
inline constexpr std::array<Lut, 4> kCopy = {0xAAAA, 0xCCCC, 0xF0F0, 0xFF00};
inline constexpr Lut kFromN = kCopy[0], kFromE = kCopy[1], kFromS = kCopy[2], kFromW = kCopy[3];

/// A 64-bit configuration word. Nibble i holds the outputs (N, E, S, W = bits 0..3) for input index i.
using CellWord = uint64_t;

CellWord cell_word(const std::array<Lut, 4>& luts);
std::array<Lut, 4> cell_luts(CellWord word);
/// Returns the table of one side.
Lut cell_lut(CellWord word, size_t side);

/// Returns the inputs (N, E, S, W = bits 0..3) that a table depends on.
unsigned support(Lut table);

/// The word of a cell that passes all four inputs straight through is FB73EA62D951C840. A static test of cell_word checks this.
struct GridConfig {
  int width = 0;
  int height = 0;
  std::vector<CellWord> cells;  // row by row; 0 = an idle cell that drives 0 on every side

  GridConfig() = default;
  GridConfig(int w, int h) : width(w), height(h), cells(static_cast<size_t>(w) * static_cast<size_t>(h)) {}

  size_t index(int x, int y) const { return static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x); }
  CellWord& at(int x, int y) { return cells[index(x, y)]; }
  CellWord at(int x, int y) const { return cells[index(x, y)]; }
  bool operator==(const GridConfig&) const = default;
};

/// Returns the number of cells whose configuration is not all zeros.
size_t cells_used(const GridConfig& grid);

}  // namespace bitgrid
