// MappedKernel: a kernel as a grid configuration plus the place and time of every bit. It connects mappers to simulators.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/grid_config.h"

namespace bitgrid {

/// A bit on a border port in one phase, relative to the invocation's phase 0. `position` is x for N and S, y for E and W. An input bit is
/// on the port when the border cell reads it in that phase. An output bit is the one that the border cell latches in that phase. The parity
/// of the phase gives the colour of the border cell: (x + y) % 2 == phase % 2.
struct BitSlot {
  Side side = Side::N;
  int position = 0;
  int phase = 0;
  bool operator==(const BitSlot&) const = default;
};

/// Input bit `bit` (index into the kernel's concatenated inputs) enters at `slot` and is held there for `hold` cycles (more than 1 only in
/// settle mode; wave mode uses 1). One bit may enter at several ports.
struct InputSlot {
  uint32_t bit = 0;
  BitSlot slot;
  int hold = 1;
  bool operator==(const InputSlot&) const = default;
};

/// A stream with a period of ii bits, the same for every invocation. bits[k] is read at slot.phase + 2 * k and every 2 * ii phases before
/// and after.
struct ConstantStream {
  BitSlot slot;
  std::vector<uint8_t> bits;  // ii of them, 0 or 1
  bool operator==(const ConstantStream&) const = default;
};

/// Input bit `bit` lives in the LUT contents of a cell: word0 when it is 0, word1 when it is 1. Several bits may share a cell. Then word0
/// is the same for all, and each bit flips its own configuration bits, flip().
struct ResidentSlot {
  uint32_t bit = 0;
  int x = 0;
  int y = 0;
  CellWord word0 = 0;
  CellWord word1 = 0;

  CellWord flip() const { return word0 ^ word1; }
  bool operator==(const ResidentSlot&) const = default;
};

struct MappedKernel {
  std::string name;
  std::string strategy;  // "bit-serial", "plane", "netlist"
  GridConfig grid;       // resident cells hold their word0 here
  uint32_t input_bits = 0;
  uint32_t output_bits = 0;
  std::vector<InputSlot> inputs;
  std::vector<BitSlot> outputs;  // one for each output bit
  std::vector<ConstantStream> constants;
  std::vector<ResidentSlot> residents;
  int ii = 1;  // cycles from one invocation to the next
  int lead_cycles =
      0;  // cycles that the grid runs with its inputs at rest before phase 0 of the first invocation, whatever its latches held before
  /// Input bits that are 1 while no invocation enters, above all during the lead. A sum that counts down from such a word must not rest at
  /// 0, or a borrow would circulate forever.
  std::vector<uint32_t> resting_ones;
  bool operator==(const MappedKernel&) const = default;
};

/// Returns the cells of the bounding box.
inline int64_t cells_of(const MappedKernel& kernel) {
  return static_cast<int64_t>(kernel.grid.cells.size());
}

/// Returns (last output phase - first input phase + 1) / 2, rounded up.
int latency_cycles(const MappedKernel& kernel);

/// Checks what every simulator relies on: ports lie on the border, phases have the right colour, no port has two drivers in one slot modulo
/// ii, bits are in range, every input bit is placed, and the lead is long enough that the first invocation depends on nothing latched
/// before the start (require_lead in ir/output_cone.h). Throws Error with the kernel and the slot.
void verify(const MappedKernel& kernel);

}  // namespace bitgrid
