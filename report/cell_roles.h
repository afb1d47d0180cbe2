// Reads off the configuration what the cells of a mapped kernel do and what their wires carry, for pictures and counts.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ir/mapped_kernel.h"

namespace bitgrid::report {

enum class EdgeKind : uint8_t { kIdle /* always 0 */, kPass /* passes on one input */, kLogic };

/// One output of a cell.
struct Edge {
  EdgeKind kind = EdgeKind::kIdle;
  Side from = Side::N;  // of a copy
  uint8_t support = 0;  // inputs that the output depends on: bit of side N, E, S, W
};

enum class CellRole : uint8_t {
  kIdle,
  kWire,
  kLogic,
  kAdd,       // a sum of three bits and its carry
  kSubtract,  // the same with a borrow
  kResident,  // contents depend on a resident input bit
};
inline constexpr size_t kCellRoles = 6;

/// What an output edge carries, traced back through copies.
enum class Signal : uint8_t {
  kNone,      // always 0: idle, or from a border port that is not driven
  kInternal,  // computed by a cell, read by a cell
  kConstant,  // a constant stream
  kInput,     // an input word
  kOutput,    // a result on its way to its port
};
inline constexpr size_t kSignals = 5;

struct CellRoles {
  int width = 0;
  int height = 0;
  std::vector<std::array<Edge, 4>> edges;      // [y * width + x][side]
  std::vector<CellRole> roles;                 // [y * width + x]
  std::vector<std::array<Signal, 4>> signals;  // [y * width + x][side]
  std::array<std::vector<Signal>, 4> ports;    // [side][position]: what comes in

  size_t index(int x, int y) const { return static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x); }
  bool inside(int x, int y) const { return x >= 0 && x < width && y >= 0 && y < height; }
  /// Returns what cell (x, y) reads on its side `side`.
  Signal incoming(int x, int y, Side side) const;
};

/// The kernel must be verified.
CellRoles cell_roles(const MappedKernel& kernel);

}  // namespace bitgrid::report
