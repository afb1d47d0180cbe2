// The container: header, metadata, descriptions of tensors.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <set>

#include "frontend/checkpoint/gguf.h"
#include "ir/error.h"
#include "ir/text.h"

namespace bitgrid::frontend {
namespace {

constexpr uint32_t kValueTypes = 13;
constexpr uint64_t kMostDimensions = 4;
constexpr uint64_t kMostAlignment = uint64_t{1} << 30;
constexpr const char* kFetchAgain = "the file is truncated or damaged: fetch it again";

/// Bytes of a number of a type; 0: it is no number.
uint64_t bytes_of_value(GgufType type) {
  constexpr uint64_t kBytes[kValueTypes] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return kBytes[static_cast<uint32_t>(type)];
}

/// Reads on from a place of the file.
class GgufCursor {
 public:
  GgufCursor(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  uint64_t at() const { return at_; }
  uint64_t left() const { return bytes_.size() - at_; }
  /// What is being read, for messages.
  void reading(std::string what) { what_ = std::move(what); }

  [[noreturn]] void fail(uint64_t at, const std::string& problem, const std::string& cure = kFetchAgain) const {
    throw Error(fmt::format("{}: byte {}", path_, at), what_ + ": " + problem, cure);
  }

  std::string_view take(uint64_t count) {
    if (count > left()) fail(at_, fmt::format("{} bytes should follow, but the file has only {} more", count, left()));
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }

  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  /// A count of things that take at least `least` bytes each.
  uint64_t count(const char* things, uint64_t least) {
    const uint64_t at = at_, n = number<uint64_t>();
    if (n > left() / least) fail(at, fmt::format("{} {} are declared, more than the file has bytes for", n, things));
    return n;
  }

  std::string_view text() { return take(count("bytes of text", 1)); }

  GgufType type() {
    const uint64_t at = at_;
    const auto type = number<uint32_t>();
    if (type >= kValueTypes) fail(at, fmt::format("{} is not a value type", type), "take a file of version 3 by a current converter");
    return static_cast<GgufType>(type);
  }

 private:
  std::string_view bytes_;
  const std::string& path_;
  std::string what_ = "the header";
  uint64_t at_ = 0;
};

/// A name may be printed as it is.
std::string take_name(GgufCursor& in, const char* what) {
  const uint64_t at = in.at();
  const std::string_view name = in.text();
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!plain || name.empty() || name.size() > 65535)
    in.fail(at, fmt::format("a name of {} is empty, too long, or has invalid characters", what));
  return std::string(name);
}

void check_bools(GgufCursor& in, std::string_view bytes, uint64_t at) {
  for (size_t i = 0; i < bytes.size(); ++i)
    if (static_cast<uint8_t>(bytes[i]) > 1) in.fail(at + i, "a truth value is neither 0 nor 1");
}

GgufValue take_value(GgufCursor& in) {
  GgufValue value;
  value.type = value.element = in.type();
  if (value.type == GgufType::kArray) {
    const uint64_t at = in.at();
    value.element = in.type();
    if (value.element == GgufType::kArray) in.fail(at, "arrays of arrays are not supported", "remove this key from the file");
    const uint64_t each = bytes_of_value(value.element);
    value.count = in.count("elements", each == 0 ? 8 : each);
    value.at = in.at();
    if (each != 0) {
      value.bytes = in.take(value.count * each);
    } else {
      const char* begin = in.take(0).data();
      for (uint64_t i = 0; i < value.count; ++i) in.text();
      value.bytes = {begin, in.at() - value.at};
    }
  } else {
    value.at = in.at();
    value.bytes = value.type == GgufType::kString ? in.text() : in.take(bytes_of_value(value.type));
  }
  if (value.element == GgufType::kBool) check_bools(in, value.bytes, value.at);
  return value;
}

void check_version(GgufCursor& in, GgufFile& file) {
  if (file.bytes.substr(0, 4) != "GGUF")
    throw Error(file.path, "this is not a GGUF file: it does not begin with \"GGUF\"", "check the path");
  in.take(4);
  file.version = in.number<uint32_t>();
  if (file.version == 2 || file.version == 3) return;
  const std::string cure = "convert the model again with a current converter, or take a file of version 3";
  if (file.version == 1) throw Error(file.path, "GGUF version 1 is not supported, only versions 2 and 3", cure);
  if ((file.version & 0xFFFFu) == 0 && file.version != 0)
    throw Error(file.path, "the file is big-endian: it was written for another kind of machine", "take the little-endian file");
  throw Error(file.path, fmt::format("GGUF version {} is not supported, only versions 2 and 3", file.version), cure);
}

void read_metadata(GgufCursor& in, GgufFile& file, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    in.reading(fmt::format("key-value {}", i));
    const uint64_t at = in.at();
    std::string key = take_name(in, "a key");
    in.reading("key " + key);
    const GgufValue value = take_value(in);
    if (!file.metadata.emplace(std::move(key), value).second) in.fail(at, "this key appears twice", "remove one of them");
  }
  const std::string key = "general.alignment";
  file.alignment = gguf_whole(file, key).value_or(32);
  if (!std::has_single_bit(file.alignment) || file.alignment > kMostAlignment)
    throw Error(file.path + ": key " + key, fmt::format("{} is not a power of two up to {}", file.alignment, kMostAlignment), kFetchAgain);
}

void read_tensors(GgufCursor& in, GgufFile& file, uint64_t count) {
  std::set<std::string_view> names;
  file.tensors.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    in.reading(fmt::format("tensor {}", i));
    GgufTensor tensor;
    tensor.at = in.at();
    tensor.name = take_name(in, "a tensor");
    in.reading("tensor " + tensor.name);
    const uint64_t at = in.at();
    const auto dimensions = in.number<uint32_t>();
    if (dimensions < 1 || dimensions > kMostDimensions) in.fail(at, fmt::format("it has {} dimensions, not 1 to 4", dimensions));
    tensor.count = 1;
    for (uint32_t d = 0; d < dimensions; ++d) {
      const auto size = in.number<uint64_t>();
      if (size == 0 || __builtin_mul_overflow(tensor.count, size, &tensor.count) || tensor.count > uint64_t{1} << 56)
        in.fail(in.at() - 8, fmt::format("dimension {} of {} numbers: there are none, or more than any file holds", d, size));
      tensor.shape.insert(tensor.shape.begin(), size);
    }
    tensor.type = in.number<uint32_t>();
    tensor.offset = in.number<uint64_t>();
    file.tensors.push_back(std::move(tensor));
    if (!names.insert(file.tensors.back().name).second) in.fail(file.tensors.back().at, "this tensor appears twice", "remove one of them");
  }
}

}  // namespace

GgufFile parse_gguf(std::string_view bytes, const std::string& path) {
  GgufFile file;
  file.path = path;
  file.bytes = bytes;
  GgufCursor in(bytes, file.path);
  check_version(in, file);
  constexpr uint64_t kLeastTensor = 8 + 4 + 8 + 4 + 8, kLeastKeyValue = 8 + 4 + 1;
  const uint64_t tensors = in.count("tensors", kLeastTensor), keys = in.count("key-values", kLeastKeyValue);
  read_metadata(in, file, keys);
  read_tensors(in, file, tensors);
  file.data = (in.at() + file.alignment - 1) / file.alignment * file.alignment;
  return file;
}

}  // namespace bitgrid::frontend
