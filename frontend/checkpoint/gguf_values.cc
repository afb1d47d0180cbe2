// Values of metadata as numbers and texts.
#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "frontend/checkpoint/gguf.h"
#include "ir/error.h"

namespace bitgrid::frontend {
namespace {

constexpr const char* kValueTypeNames[] = {"u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64"};

[[noreturn]] void other_type(const GgufFile& file, std::string_view key, const GgufValue& value, const char* wanted) {
  const bool array = value.type == GgufType::kArray;
  throw Error(
      fmt::format("{}: byte {}: key {}", file.path, value.at, key),
      fmt::format("it is {} {}, not {}", array ? "an array of" : "of type", kValueTypeNames[static_cast<uint32_t>(value.element)], wanted),
      "convert the model again with a current converter");
}

const GgufValue* find_value(const GgufFile& file, std::string_view key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? nullptr : &found->second;
}

template <typename T>
T stored_number(std::string_view bytes, uint64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// Element `index` as a whole number; nullopt if it is none, or larger than an int64_t.
std::optional<int64_t> stored_whole(const GgufValue& value, uint64_t index) {
  switch (value.element) {
    case GgufType::kU8:
      return stored_number<uint8_t>(value.bytes, index);
    case GgufType::kI8:
      return stored_number<int8_t>(value.bytes, index);
    case GgufType::kU16:
      return stored_number<uint16_t>(value.bytes, index);
    case GgufType::kI16:
      return stored_number<int16_t>(value.bytes, index);
    case GgufType::kU32:
      return stored_number<uint32_t>(value.bytes, index);
    case GgufType::kI32:
      return stored_number<int32_t>(value.bytes, index);
    case GgufType::kU64: {
      const auto number = stored_number<uint64_t>(value.bytes, index);
      return number > INT64_MAX ? std::nullopt : std::optional<int64_t>(static_cast<int64_t>(number));
    }
    case GgufType::kI64:
      return stored_number<int64_t>(value.bytes, index);
    default:
      return std::nullopt;
  }
}

/// 1e-5 is what somebody wrote, not 9.99999974737875163555e-06: folders of the same model have it so.
double shortest_decimal(float value) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  double result = value;
  std::from_chars(digits, end.ptr, result);
  return result;
}

}  // namespace

std::optional<uint64_t> gguf_whole(const GgufFile& file, std::string_view key) {
  const GgufValue* value = find_value(file, key);
  if (!value) return std::nullopt;
  const std::optional<int64_t> number = value->type == GgufType::kArray ? std::nullopt : stored_whole(*value, 0);
  if (!number || *number < 0) other_type(file, key, *value, "a whole number from 0 up");
  return static_cast<uint64_t>(*number);
}

std::optional<double> gguf_real(const GgufFile& file, std::string_view key) {
  const GgufValue* value = find_value(file, key);
  if (!value) return std::nullopt;
  if (value->type == GgufType::kF32) return shortest_decimal(stored_number<float>(value->bytes, 0));
  if (value->type == GgufType::kF64) return stored_number<double>(value->bytes, 0);
  const std::optional<int64_t> number = value->type == GgufType::kArray ? std::nullopt : stored_whole(*value, 0);
  if (!number) other_type(file, key, *value, "a number");
  return static_cast<double>(*number);
}

std::optional<bool> gguf_bool(const GgufFile& file, std::string_view key) {
  const GgufValue* value = find_value(file, key);
  if (!value) return std::nullopt;
  if (value->type != GgufType::kBool) other_type(file, key, *value, "a truth value");
  return value->bytes[0] != 0;
}

std::optional<std::string> gguf_text(const GgufFile& file, std::string_view key) {
  const GgufValue* value = find_value(file, key);
  if (!value) return std::nullopt;
  if (value->type != GgufType::kString) other_type(file, key, *value, "a string");
  return std::string(value->bytes);
}

std::vector<std::string> gguf_texts(const GgufFile& file, std::string_view key) {
  const GgufValue* value = find_value(file, key);
  if (!value) return {};
  if (value->type != GgufType::kArray || value->element != GgufType::kString) other_type(file, key, *value, "an array of strings");
  std::vector<std::string> texts;
  texts.reserve(value->count);
  std::string_view rest = value->bytes;  // checked when the file was parsed
  for (uint64_t i = 0; i < value->count; ++i) {
    const auto length = stored_number<uint64_t>(rest, 0);
    texts.emplace_back(rest.substr(8, length));
    rest.remove_prefix(8 + length);
  }
  return texts;
}

std::vector<float> gguf_floats(const GgufFile& file, std::string_view key) {
  const GgufValue* value = find_value(file, key);
  if (!value) return {};
  if (value->type != GgufType::kArray || value->element != GgufType::kF32) other_type(file, key, *value, "an array of f32");
  std::vector<float> numbers(value->count);
  if (value->count > 0) std::memcpy(numbers.data(), value->bytes.data(), value->bytes.size());
  return numbers;
}

std::vector<int64_t> gguf_wholes(const GgufFile& file, std::string_view key) {
  const GgufValue* value = find_value(file, key);
  if (!value) return {};
  std::vector<int64_t> numbers;
  numbers.reserve(value->count);
  for (uint64_t i = 0; i < value->count; ++i) {
    const std::optional<int64_t> number = stored_whole(*value, i);
    if (!number) other_type(file, key, *value, "a whole number or an array of them");
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace bitgrid::frontend
