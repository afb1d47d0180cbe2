// Every way to map logic, by name, for tests that compare them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/mapped_kernel.h"
#include "ir/program.h"

namespace bitgrid::test {

struct Way {
  std::string name;
  /// nullopt where the kernel is not taken. Throws Error where it is too large, or has no outputs.
  std::function<std::optional<MappedKernel>(const Kernel&)> map;
};

/// Each strategy for logic of the table by itself, without the choice among them that map_kernel makes, and variants of some. Netlists are
/// placed with fast effort; planes take at most six input bits.
const std::vector<Way>& ways();

/// What map_kernel chooses in each mode, with the same limits.
const std::vector<Way>& modes();

}  // namespace bitgrid::test
