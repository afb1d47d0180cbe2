#include "frontend/npy.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <optional>
#include <regex>

#include "frontend/checkpoint/half.h"
#include "frontend/safetensors_writer.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/number.h"

namespace bitgrid::frontend {
namespace {

constexpr uint64_t kMostNpyBytes = uint64_t{1} << 33;
constexpr size_t kMostHeader = 4096, kMostDimensions = 16;

/// What the header's Python dictionary says.
struct NpyHeader {
  char kind = 'f';
  size_t width = 8;
  bool big = false;
  bool fortran = false;
  std::vector<size_t> shape;
};

[[noreturn]] void refuse_npy(const std::string& source, const std::string& problem, const std::string& cure = "write it with numpy.save") {
  throw Error(source, problem, cure);
}

NpyHeader parse_header(const std::string& text, const std::string& source) {
  NpyHeader h;
  std::smatch m;
  static const std::regex descr(R"('descr'\s*:\s*'([<>|=]?)([a-zA-Z])([0-9]{1,2})')"), order(R"('fortran_order'\s*:\s*(True|False))"),
      shape(R"('shape'\s*:\s*\(([0-9,\sL]*)\))"), size("[0-9]+");
  if (!std::regex_search(text, m, descr)) refuse_npy(source, "its header does not name a number type", "save an array of one number type");
  h.big = m[1] == ">";
  h.kind = m[2].str()[0];
  h.width = static_cast<size_t>(std::stoi(m[3]));
  if (!std::regex_search(text, m, order)) refuse_npy(source, "its header does not name an order");
  h.fortran = m[1] == "True";
  if (!std::regex_search(text, m, shape)) refuse_npy(source, "its header does not name a shape");
  const std::string list = m[1];
  uint64_t count = 1;
  for (std::sregex_iterator it(list.begin(), list.end(), size), end; it != end; ++it) {
    const auto n = parse_whole(it->str(), uint64_t{0}, kMostNpyBytes);
    if (!n || (*n > 0 && count > kMostNpyBytes / *n) || h.shape.size() == kMostDimensions) refuse_npy(source, "its shape is too large");
    count *= *n;
    h.shape.push_back(*n);
  }
  return h;
}

template <typename T>
double as(uint64_t bits) {
  if constexpr (std::is_floating_point_v<T>) {
    if constexpr (sizeof(T) == 4) return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    return std::bit_cast<double>(bits);
  } else {
    return static_cast<double>(static_cast<T>(bits));
  }
}
double as_half(uint64_t bits) {
  return static_cast<double>(half_to_float(static_cast<uint16_t>(bits)));
}

using Conversion = double (*)(uint64_t);

/// nullptr: no number that is read.
Conversion conversion(char kind, size_t width) {
  if (kind == 'f') return width == 4 ? as<float> : width == 8 ? as<double> : width == 2 ? as_half : nullptr;
  if (kind == 'i')
    return width == 1 ? as<int8_t> : width == 2 ? as<int16_t> : width == 4 ? as<int32_t> : width == 8 ? as<int64_t> : nullptr;
  if (kind == 'u')
    return width == 1 ? as<uint8_t> : width == 2 ? as<uint16_t> : width == 4 ? as<uint32_t> : width == 8 ? as<uint64_t> : nullptr;
  if (kind == 'b' && width == 1) return as<uint8_t>;
  return nullptr;
}

}  // namespace

size_t NpyArray::row_size() const {
  size_t n = 1;
  for (size_t i = 1; i < shape.size(); ++i) n *= shape[i];
  return n;
}

NpyArray parse_npy(const std::string& bytes, const std::string& source) {
  if (bytes.size() < 10 || bytes.compare(0, 6, "\x93NUMPY") != 0) refuse_npy(source, "it is not a .npy file");
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(bytes[i])); };
  const size_t version = byte(6), before = version == 1 ? 10 : 12;
  if (version < 1 || version > 3 || bytes.size() < before) refuse_npy(source, "its version is not 1, 2 or 3");
  const size_t length = byte(8) | byte(9) << 8 | (version == 1 ? 0 : byte(10) << 16 | byte(11) << 24);
  if (length > kMostHeader || before + length > bytes.size()) refuse_npy(source, "its header is truncated or too long");
  const NpyHeader h = parse_header(bytes.substr(before, length), source);
  const Conversion convert = conversion(h.kind, h.width);
  if (convert == nullptr)
    refuse_npy(source, fmt::format("its numbers have type {}{}, which is not supported", h.kind, h.width),
               "save it as float32, float64 or integers (x.astype(..))");
  if (h.fortran && h.shape.size() > 1) refuse_npy(source, "its elements are in Fortran order", "save numpy.ascontiguousarray(x)");
  NpyArray out{h.shape, {}};
  size_t count = 1;
  for (const size_t n : h.shape) count *= n;
  if (bytes.size() - before - length != count * h.width)
    refuse_npy(source, fmt::format("it has {} bytes of data, but its shape needs {}", bytes.size() - before - length, count * h.width),
               "save the array again");
  out.values.reserve(count);
  for (size_t i = 0, at = before + length; i < count; ++i, at += h.width) {
    uint64_t word = 0;
    for (size_t b = 0; b < h.width; ++b) word |= static_cast<uint64_t>(byte(at + b)) << (8 * (h.big ? h.width - 1 - b : b));
    out.values.push_back(convert(word));
  }
  return out;
}

NpyArray read_npy(const std::string& path) {
  return parse_npy(bitgrid::read_file(path, kMostNpyBytes), path);
}

std::string npy_bytes(const std::vector<uint64_t>& shape, const std::vector<int64_t>& values) {
  std::string dimensions;
  for (const uint64_t n : shape) dimensions += fmt::format("{}, ", n);
  std::string text = fmt::format("{{'descr': '<i8', 'fortran_order': False, 'shape': ({}), }}", dimensions);
  constexpr size_t kBefore = 10;  // the header is padded so that the data begin at a multiple of 64 bytes
  text.resize((kBefore + text.size() + 1 + 63) / 64 * 64 - kBefore - 1, ' ');
  text += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  append_little_endian(out, text.size(), 2);
  out += text;
  out.reserve(out.size() + values.size() * 8);
  for (const int64_t v : values) append_little_endian(out, static_cast<uint64_t>(v), 8);
  return out;
}

}  // namespace bitgrid::frontend
