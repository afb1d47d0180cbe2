// The functions of cell outputs while a grid is compiled into a LaneProgram: tables of nets, and lookups whose entries may be resident
// bits.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "bitgrid_sim/lane_program.h"

namespace bitgrid::sim {

/// A function of up to five nets; bit i of `table` is the value for operand values i.
struct Function {
  uint32_t table = 0;
  uint32_t inputs = 0;
  std::array<uint32_t, 5> net{};
  bool operator==(const Function&) const = default;
};

/// Returns the function with input k fixed.
Function cofactor(const Function& f, uint32_t k, bool value);
/// Removes inputs that are the zero net or do not matter.
Function reduce(Function f);

/// A cell's output, with an entry for each value of up to four nets. Entries are constants or variables of resident bits.
struct Lookup {
  static constexpr uint32_t kZero = 0, kOne = 1;
  static constexpr uint32_t variable(uint32_t net, bool inverted) { return 2 * net + (inverted ? 1 : 0); }  // net >= 2

  uint32_t inputs = 0;
  std::array<uint32_t, 4> net{};
  std::array<uint32_t, 16> entry{};

  size_t entries() const { return size_t{1} << inputs; }
  bool constant(uint32_t value) const {
    return std::all_of(entry.begin(), entry.begin() + entries(), [&](uint32_t e) { return e == value; });
  }
};

Lookup cofactor(const Lookup& f, uint32_t k, bool value);
Lookup reduce(Lookup f);
/// Returns the same function with variables as inputs, or nullopt if that needs more than five inputs.
std::optional<Function> function_of(const Lookup& f);

}  // namespace bitgrid::sim
