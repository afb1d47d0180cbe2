// An ONNX file as plain data: nodes, attributes, constant tensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace bitgrid::frontend::onnx {

/// A constant tensor, row-major. Numbers of every type are doubles: exact for all but int64 beyond 2^53, which are refused.
struct Constant {
  std::vector<int64_t> shape;
  std::vector<double> values;
};

size_t element_count(const std::vector<int64_t>& shape);

using Attribute = std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>, Constant>;

struct GraphNode {
  std::string name;  // for messages: the node's own, or "Op of its output"
  std::string op;
  std::string domain;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, Attribute> attributes;
};

struct GraphInput {
  std::string name;
  std::vector<int64_t> shape;  // -1: any
};

struct Graph {
  std::string name;
  std::string producer;
  int64_t opset = 0;               // of the default domain
  std::vector<GraphInput> inputs;  // without those that have an initialiser
  std::vector<std::string> outputs;
  std::map<std::string, Constant> constants;
  std::vector<GraphNode> nodes;  // in the file's order, which is topological
};

/// Whether the path is one of an ONNX file, by its name.
bool is_onnx(const std::string& path);

/// Throws Error (file, problem, cure) if it cannot be read, is no ONNX file, or keeps tensors elsewhere.
Graph read_graph(const std::string& path);
/// The same of a file's bytes; `source` names it.
Graph parse_graph(const std::string& bytes, const std::string& source);

}  // namespace bitgrid::frontend::onnx
