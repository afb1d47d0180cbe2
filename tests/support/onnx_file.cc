#include "tests/support/onnx_file.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

namespace bitgrid::test {
namespace {

using frontend::onnx::Attribute;
using frontend::onnx::Constant;
using frontend::onnx::Graph;

/// Fields of a protobuf message.
class Message {
 public:
  void varint(int field, uint64_t value) {
    raw(static_cast<uint64_t>(field) << 3);
    raw(value);
  }
  void text(int field, const std::string& bytes) {
    raw(static_cast<uint64_t>(field) << 3 | 2);
    raw(bytes.size());
    bytes_ += bytes;
  }
  void real(int field, float value) {
    raw(static_cast<uint64_t>(field) << 3 | 5);
    char b[4];
    std::memcpy(b, &value, 4);
    bytes_.append(b, 4);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void raw(uint64_t v) {
    for (; v >= 128; v >>= 7) bytes_ += static_cast<char>(v | 128);
    bytes_ += static_cast<char>(v);
  }
  std::string bytes_;
};

std::string tensor(const Constant& c, const std::string& name) {
  Message m;
  for (const int64_t d : c.shape) m.varint(1, static_cast<uint64_t>(d));
  m.varint(2, 1);
  m.text(8, name);
  std::string data;
  for (const double v : c.values) {
    const auto f = static_cast<float>(v);
    char b[4];
    std::memcpy(b, &f, 4);
    data.append(b, 4);
  }
  m.text(9, data);
  return m.bytes();
}

std::string attribute(const std::string& name, const Attribute& value) {
  Message m;
  m.text(1, name);
  if (const auto* i = std::get_if<int64_t>(&value)) {
    m.varint(3, static_cast<uint64_t>(*i));
    m.varint(20, 2);
  } else if (const auto* f = std::get_if<double>(&value)) {
    m.real(2, static_cast<float>(*f));
    m.varint(20, 1);
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    m.text(4, *s);
    m.varint(20, 3);
  } else if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) {
    for (const int64_t v : *list) m.varint(8, static_cast<uint64_t>(v));
    m.varint(20, 7);
  }
  return m.bytes();
}

std::string value_info(const std::string& name, const std::vector<int64_t>& shape) {
  Message dims, tensor_type, type, info;
  for (const int64_t d : shape) {
    Message dim;
    if (d > 0)
      dim.varint(1, static_cast<uint64_t>(d));
    else
      dim.text(2, "batch");
    dims.text(1, dim.bytes());
  }
  tensor_type.varint(1, 1);
  tensor_type.text(2, dims.bytes());
  type.text(1, tensor_type.bytes());
  info.text(1, name);
  info.text(2, type.bytes());
  return info.bytes();
}

/// Normally distributed numbers of a shape.
Constant random(std::mt19937& generator, std::vector<int64_t> shape, double mean, double deviation) {
  std::normal_distribution<double> normal(mean, deviation);
  Constant c{std::move(shape), {}};
  for (size_t i = 0; i < frontend::onnx::element_count(c.shape); ++i) c.values.push_back(static_cast<float>(normal(generator)));
  return c;
}

std::vector<Constant> batch_norm(std::mt19937& generator, int64_t channels) {
  Constant gain = random(generator, {channels}, 0.5, 1.0), variance = random(generator, {channels}, 4.0, 1.0);
  for (double& v : variance.values) v = static_cast<float>(std::abs(v) + 0.1);
  return {gain, random(generator, {channels}, 0.0, 0.5), random(generator, {channels}, 0.0, 2.0), variance};
}

}  // namespace

std::string onnx_bytes(const Graph& graph) {
  Message g;
  for (const auto& n : graph.nodes) {
    Message m;
    for (const auto& i : n.inputs) m.text(1, i);
    for (const auto& o : n.outputs) m.text(2, o);
    m.text(3, n.name);
    m.text(4, n.op);
    for (const auto& [name, value] : n.attributes) m.text(5, attribute(name, value));
    m.text(7, n.domain);
    g.text(1, m.bytes());
  }
  g.text(2, graph.name);
  for (const auto& [name, value] : graph.constants) g.text(5, tensor(value, name));
  for (const auto& i : graph.inputs) g.text(11, value_info(i.name, i.shape));
  for (const auto& o : graph.outputs) g.text(12, value_info(o, {}));
  Message opset, model;
  opset.varint(2, static_cast<uint64_t>(graph.opset));
  model.varint(1, 7);
  model.text(2, "bitgrid tests");
  model.text(7, g.bytes());
  model.text(8, opset.bytes());
  return model.bytes();
}

Constant number(double value) {
  return {{}, {value}};
}
Constant numbers(std::vector<int64_t> shape, std::vector<double> values) {
  return {std::move(shape), std::move(values)};
}

std::string GraphMaker::constant(const Constant& value) {
  const std::string name = "c" + std::to_string(count_++);
  graph.constants[name] = value;
  return name;
}

std::string GraphMaker::node(const std::string& op, const std::vector<Constant>& constants,
                             const std::map<std::string, Attribute>& attributes) {
  const std::string name = op + "_" + std::to_string(count_++);
  frontend::onnx::GraphNode n{name, op, "", {last_}, {name + ".out"}, attributes};
  if (op.ends_with("Quant")) n.domain = "qonnx.custom_op.general";
  for (const Constant& c : constants) n.inputs.push_back(constant(c));
  graph.nodes.push_back(n);
  last_ = name + ".out";
  return name;
}

std::string GraphMaker::dense(const std::string& op, const Constant& weights, int bits, double scale,
                              const std::map<std::string, Attribute>& attributes) {
  const std::string w = constant(weights), name = (bits == 1 ? "BipolarQuant_" : "Quant_") + std::to_string(count_++);
  frontend::onnx::GraphNode q{name, bits == 1 ? "BipolarQuant" : "Quant", "onnx.brevitas", {w, constant(number(scale))}, {name + ".out"},
                              {}};
  if (bits > 1) {
    q.inputs.push_back(constant(number(0)));
    q.inputs.push_back(constant(number(bits)));
    q.attributes = {{"signed", int64_t{1}}, {"narrow", int64_t{1}}, {"rounding_mode", std::string("ROUND")}};
  }
  graph.nodes.push_back(q);
  const std::string made = node(op, {}, attributes);
  graph.nodes.back().inputs.push_back(name + ".out");
  return made;
}

std::string GraphMaker::quant(int bits, double scale, bool is_signed, bool narrow, const std::string& rounding) {
  return node("Quant", {number(scale), number(0), number(bits)},
              {{"signed", int64_t{is_signed}}, {"narrow", int64_t{narrow}}, {"rounding_mode", rounding}});
}

Graph small_dense_graph(unsigned seed) {
  std::mt19937 generator(seed);
  GraphMaker m({-1, 12}, "small_dense");
  m.quant(2, 0.75, true, true);
  int64_t before = 12;
  for (const int64_t width : {8, 6}) {
    m.dense("MatMul", random(generator, {before, width}, 0.0, 1.0), 2, 0.5);
    m.node("BatchNormalization", batch_norm(generator, width));
    m.quant(2, 0.5, true, width == 8);
    before = width;
  }
  m.dense("Gemm", random(generator, {4, before}, 0.0, 1.0), 3, 0.25, {{"transB", int64_t{1}}});
  m.node("Mul", {number(0.5)});
  return m.finished();
}

Graph small_conv_graph(unsigned seed) {
  std::mt19937 generator(seed);
  GraphMaker m({1, 2, 6, 6}, "small_conv");
  m.node("BipolarQuant", {number(1)});
  m.dense("Conv", random(generator, {4, 2, 3, 3}, 0.0, 1.0), 1, 1.0, {{"kernel_shape", std::vector<int64_t>{3, 3}}});
  m.node("BatchNormalization", batch_norm(generator, 4));
  m.node("BipolarQuant", {number(1)});
  m.dense("Conv", random(generator, {5, 4, 3, 3}, 0.0, 1.0), 1, 1.0);
  m.node("MaxPool", {}, {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
  m.node("BatchNormalization", batch_norm(generator, 5));
  m.node("BipolarQuant", {number(1)});
  m.node("Flatten", {}, {{"axis", int64_t{1}}});
  m.dense("MatMul", random(generator, {5, 3}, 0.0, 1.0), 1, 1.0);
  return m.finished();
}

Graph padded_conv_graph(unsigned seed) {
  std::mt19937 generator(seed);
  using List = std::vector<int64_t>;
  const List around = {1, 1, 1, 1};
  GraphMaker m({1, 2, 5, 5}, "padded_conv");
  m.node("BipolarQuant", {number(1)});
  m.dense("Conv", random(generator, {4, 2, 3, 3}, 0.0, 1.0), 2, 0.5, {{"pads", around}});
  m.node("BatchNormalization", batch_norm(generator, 4));
  m.node("MaxPool", {}, {{"kernel_shape", List{3, 3}}, {"strides", List{2, 2}}, {"pads", around}});
  m.node("BipolarQuant", {number(1)});
  m.dense("Conv", random(generator, {4, 1, 3, 3}, 0.0, 1.0), 2, 0.5, {{"pads", around}, {"group", int64_t{4}}});
  m.node("BatchNormalization", batch_norm(generator, 4));
  m.node("MultiThreshold", {numbers({1, 3}, {-1.0, 0.0, 1.5})}, {{"out_bias", 1.0}});
  m.dense("Conv", random(generator, {6, 2, 2, 2}, 0.0, 1.0), 2, 0.5,
          {{"pads", List{1, 0, 0, 1}}, {"strides", List{1, 2}}, {"group", int64_t{2}}});
  m.node("BatchNormalization", batch_norm(generator, 6));
  m.node("MultiThreshold", {numbers({1, 2}, {-1.0, 1.0})}, {{"out_scale", 2.0}, {"out_bias", -1.0}});
  m.dense("Conv", random(generator, {3, 6, 3, 3}, 0.0, 1.0), 2, 0.5, {{"pads", around}});
  m.quant(2, 1.0, true);
  m.node("MaxPool", {}, {{"kernel_shape", List{2, 2}}, {"strides", List{2, 2}}, {"ceil_mode", int64_t{1}}});
  m.node("Flatten", {}, {{"axis", int64_t{1}}});
  m.dense("Gemm", random(generator, {3, 6}, 0.0, 1.0), 2, 1.0, {{"transB", int64_t{1}}});
  return m.finished();
}

}  // namespace bitgrid::test
