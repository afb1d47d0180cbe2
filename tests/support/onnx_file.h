// ONNX files out of plain data, by hand: tests have networks of their own, and no writer shares code with the reader.
#pragma once

#include <string>
#include <vector>

#include "frontend/onnx/graph.h"

namespace bitgrid::test {

/// The bytes of a file. Tensors are stored as float.
std::string onnx_bytes(const frontend::onnx::Graph& graph);

/// Grows a graph.
class GraphMaker {
 public:
  explicit GraphMaker(std::vector<int64_t> input_shape, const std::string& name = "made") {
    graph.name = name;
    graph.opset = 13;
    graph.inputs.push_back({"x", std::move(input_shape)});
    last_ = "x";
  }
  /// A node that reads what the last one gave, and these constants; returns its name.
  std::string node(const std::string& op, const std::vector<frontend::onnx::Constant>& constants,
                   const std::map<std::string, frontend::onnx::Attribute>& attributes = {});
  /// Weights behind a Quant of that many bits (1: BipolarQuant), as the second input of a node.
  std::string dense(const std::string& op, const frontend::onnx::Constant& weights, int bits, double scale,
                    const std::map<std::string, frontend::onnx::Attribute>& attributes = {});
  /// A Quant of the activations.
  std::string quant(int bits, double scale, bool is_signed, bool narrow = false, const std::string& rounding = "ROUND");
  frontend::onnx::Graph finished() {
    graph.outputs = {last_};
    return graph;
  }

  frontend::onnx::Graph graph;

 private:
  std::string constant(const frontend::onnx::Constant& value);
  std::string last_;
  int count_ = 0;
};

/// One number; a list of them.
frontend::onnx::Constant number(double value);
frontend::onnx::Constant numbers(std::vector<int64_t> shape, std::vector<double> values);

/// A dense network of 12 floats, 8 and 6 ternary channels and 4 scores: batch norms with negative gains, Quant of 2 bits, made from a seed.
frontend::onnx::Graph small_dense_graph(unsigned seed);
/// A convolutional one: maps of 6 x 6, binary weights, a pool, a dense layer of 3 scores.
frontend::onnx::Graph small_conv_graph(unsigned seed);
/// Convolutions and pools of maps of 5 x 5 whose windows stand beyond them; strides, groups, and quantisers of many kinds.
frontend::onnx::Graph padded_conv_graph(unsigned seed);

}  // namespace bitgrid::test
