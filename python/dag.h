// bitgrid.Dag in C++: what load() makes of netlists and kernel files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "ir/dag.h"

namespace bitgrid::python {

/// A Dag under construction, shared with the signals that refer to it.
struct DagObject {
  std::shared_ptr<Dag> dag;
  std::optional<uint64_t> file_hash = {};  // of one that was read
  size_t file_nodes = 0;                   // that it had then
};

}  // namespace bitgrid::python
