// Every way to map logic, by name, for tests that compare them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/mapped_kernel.h"
#include "ir/program.h"

namespace bitgrid::test {

struct Strategy {
  std::string name;
  /// nullopt where the kernel is not of the strategy's form. Throws Error where it is too large for it, or has no outputs.
  std::function<std::optional<MappedKernel>(const Kernel&)> map;
};

/// Each strategy by itself, without the choice among them that map_kernel makes. Netlists are placed with fast effort; planes take at most
/// six input bits.
const std::vector<Strategy>& strategies();

/// What map_kernel chooses in each mode, with the same limits.
const std::vector<Strategy>& modes();

}  // namespace bitgrid::test
