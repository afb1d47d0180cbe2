#include "python/arrays.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "ir/error.h"

namespace bitgrid::python {
namespace {

/// numpy.asarray of whatever it is.
py::array array_from(const py::object& values, const std::string& what, const char* cure) {
  py::array array = py::array::ensure(values);
  if (!array) {
    PyErr_Clear();
    throw Error(what, "numpy makes no array of it", cure);
  }
  return array;
}

bool is_kind(const py::array& array, const char* kinds) {
  return std::string_view(kinds).find(array.dtype().kind()) != std::string_view::npos;
}

std::string shape_text(const py::array& array) {
  std::string text;
  for (py::ssize_t i = 0; i < array.ndim(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", array.shape(i));
  return "[" + text + "]";
}

/// A word or row of bits for each invocation; one row: for all of them.
struct PortValues {
  py::array array;
  bool bits = false;
  size_t rows = 0;
  bool for_all = false;
};

std::string range_text(uint32_t width) {
  return width >= 64 ? fmt::format("0 .. 2^{} - 1", width) : fmt::format("0 .. {}", (uint64_t{1} << width) - 1);
}

PortValues port_values(const py::object& values, const std::string& place, uint32_t width) {
  const std::string cure =
      width <= 64 ? fmt::format("give whole numbers {}, one for each invocation, or bits [invocations, {}]", range_text(width), width)
                  : fmt::format("give bits [invocations, {}], bit 0 first", width);
  PortValues port{array_from(values, place, cure.c_str())};
  if (!is_kind(port.array, "biu")) throw Error(place, "these are not whole numbers", cure);
  const py::ssize_t dimensions = port.array.ndim();
  port.bits = dimensions == 2 || (dimensions == 1 && width > 64);
  if (dimensions > 2 || (dimensions < 2 && width > 64 && dimensions != 1))
    throw Error(place, "the array has the shape " + shape_text(port.array), cure);
  if (port.bits && port.array.shape(dimensions - 1) != static_cast<py::ssize_t>(width))
    throw Error(place, fmt::format("the array has the shape {}, and the port {} bits", shape_text(port.array), width), cure);
  port.for_all = dimensions == 0 || (port.bits && dimensions == 1);
  port.rows = port.for_all ? 1 : static_cast<size_t>(port.array.shape(0));
  return port;
}

/// Writes the port's columns of all rows.
void write_port(const PortValues& port, const std::string& place, uint32_t first, uint32_t width, BitMatrix& rows) {
  const py::array_t<int64_t, py::array::c_style | py::array::forcecast> words(port.array);
  const bool is_unsigned = port.array.dtype().kind() == 'u' && port.array.itemsize() == 8;
  const int64_t* at = words.data();
  const uint64_t most = port.bits ? 1 : width >= 64 ? UINT64_MAX : (uint64_t{1} << width) - 1;
  const size_t each = port.bits ? width : 1;
  for (size_t row = 0; row < rows.rows; ++row) {
    for (size_t i = 0; i < each; ++i) {
      const int64_t value = at[(port.for_all ? 0 : row * each) + i];
      if ((value < 0 && !is_unsigned) || static_cast<uint64_t>(value) > most)
        throw Error(place,
                    is_unsigned ? fmt::format("{} does not fit", static_cast<uint64_t>(value)) : fmt::format("{} does not fit", value),
                    port.bits ? "bits are 0 or 1" : fmt::format("the port has {} bits: {}", width, range_text(width)));
      if (port.bits)
        rows.set(row, first + i, value != 0);
      else
        rows.set_word(row, first, width, static_cast<uint64_t>(value));
    }
  }
}

/// Columns first .. first + width - 1 of each row as a number.
template <typename Number>
py::array_t<Number> words_array(const BitMatrix& rows, uint32_t first, uint32_t width) {
  py::array_t<Number> words(static_cast<py::ssize_t>(rows.rows));
  Number* at = words.mutable_data();
  for (size_t row = 0; row < rows.rows; ++row) at[row] = static_cast<Number>(rows.get_word(row, first, width));
  return words;
}

/// The ports of one direction.
struct PortList {
  const char* word;  // "input"
  const std::vector<NodeId>& ids;
  const Dag& dag;

  std::string names() const {
    std::string text;
    for (const NodeId id : ids) text += (text.empty() ? "" : ", ") + dag.node(id).name;
    return text.empty() ? "none" : text;
  }
  void require_known(const py::dict& values) const {
    for (const auto& [key, value] : values) {
      const std::string name = py::str(key);
      if (std::none_of(ids.begin(), ids.end(), [&](NodeId id) { return dag.node(id).name == name; }))
        throw Error(fmt::format("{} {}", word, name), fmt::format("{} has no such {}", dag.name, word), "its names are " + names());
    }
  }
};

}  // namespace

frontend::NpyArray numbers_of(const py::object& values, const std::string& what) {
  const char* cure = "give an array of real numbers";
  const py::array array = array_from(values, what, cure);
  if (!is_kind(array, "biuf")) throw Error(what, "these are not real numbers", cure);
  const py::array_t<double, py::array::c_style | py::array::forcecast> doubles(array);
  frontend::NpyArray numbers;
  for (py::ssize_t i = 0; i < doubles.ndim(); ++i) numbers.shape.push_back(static_cast<size_t>(doubles.shape(i)));
  numbers.values.assign(doubles.data(), doubles.data() + doubles.size());
  return numbers;
}

std::vector<int64_t> whole_numbers_of(const py::object& values, const std::string& what) {
  const frontend::NpyArray numbers = numbers_of(values, what);
  std::vector<int64_t> whole;
  for (const double v : numbers.values) {
    if (!(std::abs(v) < 9e15) || v != std::floor(v))
      throw Error(what, fmt::format("{} is not a whole number of at most 53 bits", v), "give integers");
    whole.push_back(static_cast<int64_t>(v));
  }
  return whole;
}

py::array_t<int64_t> array_of(const std::vector<std::vector<int64_t>>& rows) {
  py::array_t<int64_t> array({rows.size(), rows.empty() ? size_t{0} : rows[0].size()});
  int64_t* at = array.mutable_data();
  for (const std::vector<int64_t>& row : rows) at = std::copy(row.begin(), row.end(), at);
  return array;
}

BitMatrix input_rows(const Dag& dag, const py::dict& values) {
  const PortList list{"input", dag.inputs, dag};
  list.require_known(values);
  std::vector<PortValues> ports;
  std::optional<size_t> rows;
  std::string first_name;
  for (const NodeId id : dag.inputs) {
    const Node& node = dag.node(id);
    const std::string place = "input " + node.name;
    if (!values.contains(node.name)) throw Error(place, "it is missing", "give all of " + list.names());
    ports.push_back(port_values(values[node.name.c_str()], place, node.width));
    if (ports.back().for_all) continue;
    if (rows && *rows != ports.back().rows)
      throw Error(place, fmt::format("it has {} invocations, and {} has {}", ports.back().rows, first_name, *rows),
                  "give arrays of equal length");
    if (!rows) first_name = node.name;
    rows = ports.back().rows;
  }
  BitMatrix matrix(rows.value_or(1), input_bits(dag));
  uint32_t first = 0;
  for (size_t i = 0; i < ports.size(); ++i) {
    const Node& node = dag.node(dag.inputs[i]);
    write_port(ports[i], "input " + node.name, first, node.width, matrix);
    first += node.width;
  }
  return matrix;
}

py::dict output_arrays(const Dag& dag, const BitMatrix& rows) {
  py::dict arrays;
  uint32_t first = 0;
  for (const NodeId id : dag.outputs) {
    const Node& node = dag.node(id);
    const std::string& name = node.name;
    if (node.width < 64) {
      arrays[name.c_str()] = words_array<int64_t>(rows, first, node.width);
    } else if (node.width == 64) {
      arrays[name.c_str()] = words_array<uint64_t>(rows, first, node.width);
    } else {
      py::array_t<uint8_t> bits({rows.rows, size_t{node.width}});
      uint8_t* at = bits.mutable_data();
      for (size_t row = 0; row < rows.rows; ++row)
        for (uint32_t i = 0; i < node.width; ++i) *at++ = rows.get(row, first + i);
      arrays[node.name.c_str()] = bits;
    }
    first += node.width;
  }
  return arrays;
}

BitMatrix expected_rows(const Dag& dag, const py::dict& values, const BitMatrix& rest) {
  PortList{"output", dag.outputs, dag}.require_known(values);
  BitMatrix rows = rest;
  uint32_t first = 0;
  for (const NodeId id : dag.outputs) {
    const Node& node = dag.node(id);
    if (values.contains(node.name)) {
      const std::string place = "output " + node.name;
      const PortValues port = port_values(values[node.name.c_str()], place, node.width);
      if (!port.for_all && port.rows != rows.rows)
        throw Error(place, fmt::format("it has {} invocations, and the inputs have {}", port.rows, rows.rows),
                    "give arrays of equal length");
      write_port(port, place, first, node.width, rows);
    }
    first += node.width;
  }
  return rows;
}

}  // namespace bitgrid::python
