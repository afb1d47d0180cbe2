// bitgrid.Network in C++: what load() makes of ONNX files.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>

#include "frontend/npy.h"
#include "frontend/onnx/network.h"

namespace bitgrid::python {

namespace py = pybind11;

/// A graph, and its integers where what the input takes is known.
struct NetworkObject {
  std::string path, input_grid;
  uint64_t hash = 0;
  std::shared_ptr<const frontend::onnx::Graph> graph;
  std::shared_ptr<const IntegerNetwork> network = {};  // none: no quantiser reads the input, and its values decide
};

/// `input_grid`: FIRST:STEP:POINTS or "". Throws Error as the readers do.
NetworkObject load_network(const std::string& path, const std::string& input_grid);

}  // namespace bitgrid::python
