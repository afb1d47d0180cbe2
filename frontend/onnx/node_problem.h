// Why a node of a graph was not converted.
#pragma once

#include <string>

namespace bitgrid::frontend::onnx {

/// All of it in words: what was found where in which node, what was expected there, and what to export instead.
struct NodeProblem {
  std::string node;
  std::string op;
  std::string where;  // "attribute signed", "input 1": empty for the node as a whole
  std::string found;
  std::string expected;
  std::string cure;
};

/// "node Quant_3 (Quant), attribute rounding_mode: found .., expected .."
std::string place_of(const NodeProblem& problem);
std::string text_of(const NodeProblem& problem);

}  // namespace bitgrid::frontend::onnx
