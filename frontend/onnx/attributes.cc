// What nodes state: attributes, windows, shapes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/onnx/evaluate.h"

namespace bitgrid::frontend::onnx {
namespace {

const Attribute* find(const GraphNode& node, const std::string& name) {
  const auto it = node.attributes.find(name);
  return it == node.attributes.end() ? nullptr : &it->second;
}

template <typename T>
T read(const GraphNode& node, const std::string& name, const T& absent, const char* kind) {
  const Attribute* a = find(node, name);
  if (a == nullptr) return absent;
  if (const T* value = std::get_if<T>(a)) return *value;
  throw NodeProblem{
      node.name, node.op, "attribute " + name, "it is of another kind", kind, "export the node with the attribute that its definition has"};
}

}  // namespace

int64_t whole_attribute(const GraphNode& node, const std::string& name, int64_t absent) {
  return read<int64_t>(node, name, absent, "a whole number");
}

double real_attribute(const GraphNode& node, const std::string& name, double absent) {
  const Attribute* a = find(node, name);
  if (a != nullptr && std::holds_alternative<int64_t>(*a)) return static_cast<double>(std::get<int64_t>(*a));
  return read<double>(node, name, absent, "a number");
}

std::string text_attribute(const GraphNode& node, const std::string& name, const std::string& absent) {
  return read<std::string>(node, name, absent, "a text");
}

std::vector<int64_t> list_attribute(const GraphNode& node, const std::string& name, const std::vector<int64_t>& absent) {
  return read<std::vector<int64_t>>(node, name, absent, "a list of whole numbers");
}

SlidingWindow sliding_window(const GraphNode& node, int64_t height, int64_t width, int64_t kernel_height, int64_t kernel_width) {
  constexpr int64_t kMost = 1 << 14;
  const auto refuse = [&](const std::string& where, const std::string& found, const std::string& expected) -> NodeProblem {
    return {node.name, node.op, where, found, expected, "export the layer with such a window"};
  };
  const auto pair = [&](const std::string& name, const std::vector<int64_t>& absent) {
    const auto values = list_attribute(node, name, absent);
    if (values.size() != absent.size())
      throw refuse("attribute " + name, fmt::format("it has {} numbers", values.size()),
                   fmt::format("{}: maps of two dimensions", absent.size()));
    for (const int64_t v : values)
      if (v < 0 || v > kMost) throw refuse("attribute " + name, fmt::format("it holds {}", v), fmt::format("0 to {}", kMost));
    return values;
  };
  const auto strides = pair("strides", {1, 1}), dilations = pair("dilations", {1, 1}), pads = pair("pads", {0, 0, 0, 0});
  if (dilations != std::vector<int64_t>{1, 1}) throw refuse("attribute dilations", "the window has gaps", "dilations 1");
  SlidingWindow w{kernel_height, kernel_width, strides[0], strides[1], pads[0], pads[1], pads[2], pads[3]};
  if (w.height < 1 || w.width < 1 || w.stride_y < 1 || w.stride_x < 1 || w.height > kMost || w.width > kMost)
    throw refuse("", "its window or stride is empty", "at least 1");
  const std::string automatic = text_attribute(node, "auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const auto split = [&](int64_t size, int64_t kernel, int64_t stride, int64_t& before, int64_t& after) {
      const int64_t all = std::max<int64_t>(0, ((size + stride - 1) / stride - 1) * stride + kernel - size);
      before = automatic == "SAME_UPPER" ? all / 2 : all - all / 2;
      after = all - before;
    };
    split(height, w.height, w.stride_y, w.top, w.bottom);
    split(width, w.width, w.stride_x, w.left, w.right);
  } else if (automatic != "NOTSET" && automatic != "VALID") {
    throw refuse("attribute auto_pad", "it is " + automatic, "NOTSET, VALID, SAME_UPPER or SAME_LOWER");
  }
  const bool ceil = whole_attribute(node, "ceil_mode", 0) != 0;
  const auto positions = [&](int64_t size, int64_t kernel, int64_t stride, int64_t before, int64_t after) {
    const int64_t room = size + before + after - kernel;
    if (room < 0) throw refuse("", "its window is larger than the map", "a window that fits");
    int64_t n = (ceil ? (room + stride - 1) / stride : room / stride) + 1;
    if (ceil && (n - 1) * stride >= size + before) --n;  // the last window may not begin in the padding behind
    return n;
  };
  if (w.top >= w.height || w.bottom >= w.height || w.left >= w.width || w.right >= w.width)
    throw refuse("attribute pads", "a window could lie in the padding alone", "padding smaller than the window");
  w.out_height = positions(height, w.height, w.stride_y, w.top, w.bottom);
  w.out_width = positions(width, w.width, w.stride_x, w.left, w.right);
  return w;
}

std::vector<int64_t> reshaped(const GraphNode& node, const std::vector<int64_t>& shape, const std::vector<const Constant*>& inputs) {
  const auto refuse = [&](const std::string& found) -> NodeProblem {
    return {node.name, node.op, "", found, "a shape with as many elements", "export the graph with constant shapes"};
  };
  const auto whole = [&](double v) {
    if (v != std::floor(v) || std::abs(v) > 0x1p53) throw refuse(fmt::format("its shape or axes hold {}", v));
    return static_cast<int64_t>(v);
  };
  const auto axes = [&]() {
    std::vector<int64_t> list = list_attribute(node, "axes", {});
    if (inputs.size() > 1 && inputs[1] != nullptr)
      for (const double v : inputs[1]->values) list.push_back(whole(v));
    return list;
  };
  const auto rank = static_cast<int64_t>(shape.size());
  std::vector<int64_t> out;
  if (node.op == "Flatten") {
    int64_t axis = whole_attribute(node, "axis", 1);
    if (axis < 0) axis += rank;
    if (axis < 0 || axis > rank) throw refuse("its axis is none of the tensor");
    out = {1, 1};
    for (int64_t i = 0; i < rank; ++i) out[i < axis ? 0 : 1] *= shape[static_cast<size_t>(i)];
  } else if (node.op == "Squeeze") {
    std::vector<int64_t> list = axes();
    for (int64_t& a : list) a += a < 0 ? rank : 0;
    for (int64_t i = 0; i < rank; ++i) {
      const bool named = std::find(list.begin(), list.end(), i) != list.end();
      if (named && shape[static_cast<size_t>(i)] != 1) throw refuse("it squeezes a dimension that is not 1");
      if (!named && (!list.empty() || shape[static_cast<size_t>(i)] != 1)) out.push_back(shape[static_cast<size_t>(i)]);
    }
  } else if (node.op == "Unsqueeze") {
    std::vector<int64_t> list = axes();
    const auto total = rank + static_cast<int64_t>(list.size());
    if (total > 16) throw refuse("it has too many dimensions");
    for (int64_t& a : list) a += a < 0 ? total : 0;
    size_t at = 0;
    for (int64_t i = 0; i < total; ++i) {
      if (std::find(list.begin(), list.end(), i) != list.end())
        out.push_back(1);
      else if (at < shape.size())
        out.push_back(shape[at++]);
    }
    if (at != shape.size()) throw refuse("its axes are not those of a shape");
  } else {  // Reshape
    if (inputs.size() < 2 || inputs[1] == nullptr) throw refuse("its shape is not a constant");
    const std::vector<double>& wanted = inputs[1]->values;
    if (wanted.size() > 16) throw refuse("its shape has too many dimensions");
    int64_t rest = static_cast<int64_t>(element_count(shape)), open = -1;
    for (size_t i = 0; i < wanted.size(); ++i) {
      int64_t d = whole(wanted[i]);
      if (d == 0 && whole_attribute(node, "allowzero", 0) == 0) {
        if (i >= shape.size()) throw refuse("it copies a dimension that is not there");
        d = shape[i];
      }
      if (d == -1 && open < 0)
        open = static_cast<int64_t>(i);
      else if (d <= 0 || rest % d != 0)
        throw refuse("its shape does not hold the elements");
      else
        rest /= d;
      out.push_back(d);
    }
    if (open >= 0)
      out[static_cast<size_t>(open)] = rest;
    else if (rest != 1)
      throw refuse("its shape does not hold the elements");
  }
  if (element_count(out) != element_count(shape)) throw refuse("its shape does not hold the elements");
  return out;
}

}  // namespace bitgrid::frontend::onnx
