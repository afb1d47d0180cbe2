// ONNX files: messages of protobuf's wire format, of which graphs use few. Debian's libprotobuf cannot be in one program with its
// libsentencepiece, which exports a protobuf of its own (docs/rejected.md).
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <string_view>

#include "frontend/checkpoint/half.h"
#include "frontend/onnx/graph.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::frontend::onnx {

size_t element_count(const std::vector<int64_t>& shape) {
  size_t n = 1;
  for (const int64_t d : shape) n *= static_cast<size_t>(d);
  return n;
}

bool is_onnx(const std::string& path) {
  return path.ends_with(".onnx");
}

namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 30;
constexpr int64_t kMostExact = int64_t{1} << 53;

/// Types of a tensor's numbers.
enum DataType : uint64_t {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13
};

/// A field of a message: a number, or bytes (also messages and packed numbers).
struct Field {
  uint64_t number = 0;
  uint64_t value = 0;  // of varints and of numbers of 32 and 64 bits
  std::string_view bytes;
  bool has_bytes = false;
};

/// Where a message is no message.
struct BadMessage {};

class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  bool next(Field& f) {
    if (rest_.empty()) return false;
    const uint64_t tag = varint();
    f = {tag >> 3, 0, {}, false};
    switch (tag & 7) {
      case 0:
        f.value = varint();
        return true;
      case 1:
        f.value = fixed(8);
        return true;
      case 2:
        f.bytes = take(varint());
        f.has_bytes = true;
        return true;
      case 5:
        f.value = fixed(4);
        return true;
      default:
        throw BadMessage{};
    }
  }

  bool empty() const { return rest_.empty(); }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      const auto byte = static_cast<uint8_t>(take(1)[0]);
      if (shift < 64) value |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw BadMessage{};
  }
  uint64_t fixed(size_t bytes) {
    uint64_t value = 0;
    const std::string_view b = take(bytes);
    for (size_t i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(static_cast<uint8_t>(b[i])) << (8 * i);
    return value;
  }

 private:
  std::string_view take(uint64_t n) {
    if (n > rest_.size()) throw BadMessage{};
    const std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }
  std::string_view rest_;
};

double float_of(uint64_t bits) {
  const auto narrow = static_cast<uint32_t>(bits);
  float f;
  std::memcpy(&f, &narrow, 4);
  return static_cast<double>(f);
}
double double_of(uint64_t bits) {
  double d;
  std::memcpy(&d, &bits, 8);
  return d;
}
/// Bounds of slices are written as the largest int64; those saturate.
double whole(uint64_t bits) {
  const auto v = static_cast<int64_t>(bits);
  if (v > kMostExact) return static_cast<double>(kMostExact);
  if (v < -kMostExact) return -static_cast<double>(kMostExact);
  return static_cast<double>(v);
}

/// Varints of a repeated field, packed or one by one.
void append_varints(const Field& f, std::vector<uint64_t>& values) {
  if (!f.has_bytes) {
    values.push_back(f.value);
    return;
  }
  for (Message packed(f.bytes); !packed.empty();) values.push_back(packed.varint());
}
/// Numbers of a fixed width, likewise.
void append_fixed(const Field& f, size_t width, std::vector<uint64_t>& values) {
  if (!f.has_bytes) {
    values.push_back(f.value);
    return;
  }
  for (Message packed(f.bytes); !packed.empty();) values.push_back(packed.fixed(width));
}

class GraphReader {
 public:
  explicit GraphReader(const std::string& source) : source_(source) {}

  Graph read(std::string_view bytes) {
    std::string_view graph_bytes;
    Graph graph;
    std::string version;
    try {
      Message model(bytes);
      for (Field f; model.next(f);) {
        if (f.number == 2) graph.producer = f.bytes;
        if (f.number == 3) version = f.bytes;
        if (f.number == 7) graph_bytes = f.bytes;
        if (f.number == 8) read_opset(f.bytes, graph);
      }
      if (graph_bytes.empty()) throw BadMessage{};
      read_graph(graph_bytes, graph);
    } catch (const BadMessage&) {
      throw Error(source_, "it is not an ONNX file, or it is cut off", "export the model again");
    }
    if (!version.empty()) graph.producer += " " + version;
    return graph;
  }

 private:
  static void read_opset(std::string_view bytes, Graph& graph) {
    std::string_view domain;
    uint64_t version = 0;
    Message m(bytes);
    for (Field f; m.next(f);) {
      if (f.number == 1) domain = f.bytes;
      if (f.number == 2) version = f.value;
    }
    if (domain.empty()) graph.opset = static_cast<int64_t>(version);
  }

  void read_graph(std::string_view bytes, Graph& graph) {
    std::vector<GraphInput> inputs;
    Message m(bytes);
    for (Field f; m.next(f);) {
      switch (f.number) {
        case 1:
          graph.nodes.push_back(read_node(f.bytes));
          break;
        case 2:
          graph.name = f.bytes;
          break;
        case 5: {
          std::string name;
          Constant value = tensor(f.bytes, "an initialiser", &name);
          graph.constants[name] = std::move(value);
          break;
        }
        case 11:
          inputs.push_back(read_info(f.bytes));
          break;
        case 12:
          graph.outputs.push_back(read_info(f.bytes).name);
          break;
        case 15:
          throw Error(source_, "it has sparse initialisers", "export dense tensors");
        default:
          break;
      }
    }
    for (GraphInput& in : inputs)
      if (!graph.constants.contains(in.name)) graph.inputs.push_back(std::move(in));
  }

  static GraphInput read_info(std::string_view bytes) {
    GraphInput info;
    Message m(bytes);
    for (Field f; m.next(f);) {
      if (f.number == 1) info.name = f.bytes;
      if (f.number == 2) info.shape = read_shape(f.bytes);
    }
    return info;
  }

  /// Of a type: its tensor's shape.
  static std::vector<int64_t> read_shape(std::string_view type) {
    std::vector<int64_t> shape;
    Message m(type);
    for (Field t; m.next(t);) {
      if (t.number != 1) continue;
      Message tensor(t.bytes);
      for (Field s; tensor.next(s);) {
        if (s.number != 2) continue;
        Message dims(s.bytes);
        for (Field d; dims.next(d);) {
          int64_t size = -1;
          Message dim(d.bytes);
          for (Field v; dim.next(v);)
            if (v.number == 1 && static_cast<int64_t>(v.value) > 0) size = static_cast<int64_t>(v.value);
          shape.push_back(size);
        }
      }
    }
    return shape;
  }

  GraphNode read_node(std::string_view bytes) {
    GraphNode node;
    std::vector<std::string_view> attributes;
    Message m(bytes);
    for (Field f; m.next(f);) {
      if (f.number == 1) node.inputs.emplace_back(f.bytes);
      if (f.number == 2) node.outputs.emplace_back(f.bytes);
      if (f.number == 3) node.name = f.bytes;
      if (f.number == 4) node.op = f.bytes;
      if (f.number == 5) attributes.push_back(f.bytes);
      if (f.number == 7) node.domain = f.bytes;
    }
    if (node.name.empty()) node.name = fmt::format("{} of {}", node.op, node.outputs.empty() ? "nothing" : node.outputs[0]);
    for (const std::string_view a : attributes) read_attribute(a, node);
    return node;
  }

  void read_attribute(std::string_view bytes, GraphNode& node) {
    std::string name;
    uint64_t type = 0, i = 0, real = 0;
    std::string_view text, value;
    std::vector<uint64_t> floats, ints;
    Message m(bytes);
    for (Field f; m.next(f);) {
      if (f.number == 1) name = f.bytes;
      if (f.number == 2) real = f.value;
      if (f.number == 3) i = f.value;
      if (f.number == 4) text = f.bytes;
      if (f.number == 5) value = f.bytes;
      if (f.number == 7) append_fixed(f, 4, floats);
      if (f.number == 8) append_varints(f, ints);
      if (f.number == 20) type = f.value;
    }
    Attribute& out = node.attributes[name];
    if (type == 1) {
      out = float_of(real);
    } else if (type == 2) {
      out = static_cast<int64_t>(i);
    } else if (type == 3) {
      out = std::string(text);
    } else if (type == 4) {
      out = tensor(value, "attribute " + name + " of node " + node.name, nullptr);
    } else if (type == 6) {
      std::vector<double> list;
      for (const uint64_t f : floats) list.push_back(float_of(f));
      out = list;
    } else if (type == 7) {
      out = std::vector<int64_t>(ints.begin(), ints.end());
    } else {
      out = std::string("(a value of another kind)");
    }
  }

  [[noreturn]] void refuse(const std::string& what, const std::string& problem, const std::string& cure) const {
    throw Error(source_ + ", " + what, problem, cure);
  }

  Constant tensor(std::string_view bytes, std::string what, std::string* name) {
    Constant c;
    uint64_t type = 0, count = 1;
    std::vector<uint64_t> dims, floats, words, doubles, int64s, uint64s;
    std::string_view raw;
    bool external = false, has_raw = false;
    Message m(bytes);
    for (Field f; m.next(f);) {
      if (f.number == 1) append_varints(f, dims);
      if (f.number == 2) type = f.value;
      if (f.number == 4) append_fixed(f, 4, floats);
      if (f.number == 5) append_varints(f, words);
      if (f.number == 7) append_varints(f, int64s);
      if (f.number == 8 && name != nullptr) *name = f.bytes;
      if (f.number == 9) {
        raw = f.bytes;
        has_raw = true;
      }
      if (f.number == 10) append_fixed(f, 8, doubles);
      if (f.number == 11) append_varints(f, uint64s);
      if (f.number == 13 || (f.number == 14 && f.value == 1)) external = true;
    }
    if (name != nullptr) what = "initialiser " + *name;
    for (const uint64_t d : dims) {
      if (static_cast<int64_t>(d) < 0 || (d > 0 && count > kMostBytes / d))
        refuse(what, "its dimensions are no shape", "export the model again");
      count *= d;
      c.shape.push_back(static_cast<int64_t>(d));
    }
    if (external) refuse(what, "its data lie in another file", "save the model as one file (onnx.save(.., save_as_external_data=False))");
    if (has_raw) read_raw(raw, type, c, what);
    for (const uint64_t v : floats) c.values.push_back(float_of(v));
    for (const uint64_t v : doubles) c.values.push_back(double_of(v));
    for (const uint64_t v : words)
      c.values.push_back(type == kFloat16 ? static_cast<double>(half_to_float(static_cast<uint16_t>(v)))
                                          : static_cast<double>(static_cast<int32_t>(v)));
    for (const uint64_t v : int64s) c.values.push_back(whole(v));
    for (const uint64_t v : uint64s) c.values.push_back(static_cast<double>(v));
    if (c.values.size() != count)
      refuse(what, fmt::format("it has {} values where its shape says {}", c.values.size(), count), "export the model again");
    for (const double v : c.values)
      if (std::isnan(v)) refuse(what, "it holds what is not a number (NaN)", "train the model so that its parameters are numbers");
    return c;
  }

  /// Numbers of a type, little-endian.
  void read_raw(std::string_view raw, uint64_t type, Constant& c, const std::string& what) {
    const size_t width = type == kFloat || type == kInt32 || type == kUint32     ? 4
                         : type == kDouble || type == kInt64 || type == kUint64  ? 8
                         : type == kInt16 || type == kUint16 || type == kFloat16 ? 2
                         : type == kInt8 || type == kUint8 || type == kBool      ? 1
                                                                                 : 0;
    if (width == 0) refuse(what, "its numbers have a type that is not read", "use float, double, float16 or integers");
    c.values.reserve(raw.size() / width);
    for (Message m(raw.substr(0, raw.size() / width * width)); !m.empty();) {
      const uint64_t v = m.fixed(width);
      switch (type) {
        case kFloat:
          c.values.push_back(float_of(v));
          break;
        case kDouble:
          c.values.push_back(double_of(v));
          break;
        case kFloat16:
          c.values.push_back(static_cast<double>(half_to_float(static_cast<uint16_t>(v))));
          break;
        case kInt64:
          c.values.push_back(whole(v));
          break;
        case kInt32:
          c.values.push_back(static_cast<int32_t>(v));
          break;
        case kInt16:
          c.values.push_back(static_cast<int16_t>(v));
          break;
        case kInt8:
          c.values.push_back(static_cast<int8_t>(v));
          break;
        default:
          c.values.push_back(static_cast<double>(v));
      }
    }
  }

  const std::string& source_;
};

}  // namespace

Graph parse_graph(const std::string& bytes, const std::string& source) {
  return GraphReader(source).read(bytes);
}

Graph read_graph(const std::string& path) {
  return parse_graph(bitgrid::read_file(path, kMostBytes), path);
}

}  // namespace bitgrid::frontend::onnx
