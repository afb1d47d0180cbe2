// Keys of the JSON objects of a Hugging Face folder. A key whose value is null is absent, as in Python.
#pragma once

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ir/error.h"
#include "ir/json_reader.h"

namespace bitgrid::frontend {

/// One object. The functions throw Error (file, key, required type) for a value of another type.
class HfKeys {
 public:
  /// `prefix` goes before the names of keys in messages, such as "rope_scaling.".
  HfKeys(const nlohmann::json& object, std::string path, std::string prefix = "")
      : object_(object), path_(std::move(path)), prefix_(std::move(prefix)) {}

  const nlohmann::json& json() const { return object_; }
  const std::string& path() const { return path_; }

  const nlohmann::json* find(const char* key) const {
    const auto at = object_.find(key);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }
  /// Returns whether the key is there, null or not.
  bool states(const char* key) const { return object_.contains(key); }

  std::optional<uint64_t> whole(const char* key, uint64_t least, uint64_t most) const {
    const nlohmann::json* value = find(key);
    if (!value) return std::nullopt;
    const auto number = whole_number(*value, least, most);
    if (!number) fail(key, "is not a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return number;
  }
  /// Returns a number from `least` to `most`.
  std::optional<double> number(const char* key, double least, double most) const {
    const nlohmann::json* value = find(key);
    if (!value) return std::nullopt;
    const double number = value->is_number() ? value->get<double>() : NAN;
    if (!(number >= least && number <= most)) fail(key, "is not a number that can be meant");
    return number;
  }
  std::optional<bool> flag(const char* key) const {
    const nlohmann::json* value = find(key);
    if (value && !value->is_boolean()) fail(key, "is neither true nor false");
    return value ? std::optional(value->get<bool>()) : std::nullopt;
  }
  std::optional<std::string> text(const char* key) const {
    const nlohmann::json* value = find(key);
    if (value && !value->is_string()) fail(key, "is not a text");
    return value ? std::optional(value->get<std::string>()) : std::nullopt;
  }
  std::optional<HfKeys> object(const char* key) const {
    const nlohmann::json* value = find(key);
    if (value && !value->is_object()) fail(key, "is not an object");
    return value ? std::optional(HfKeys(*value, path_, prefix_ + key + ".")) : std::nullopt;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& problem) const {
    throw Error(path_ + ": " + prefix_ + key, problem, "correct it, or fetch the file again");
  }

 private:
  const nlohmann::json& object_;
  std::string path_, prefix_;
};

/// Returns the object of a JSON file. Throws Error if it is not one.
inline nlohmann::json parse_hf_object(std::string_view text, const std::string& path) {
  nlohmann::json object = parse_json(text, {path, "the file is damaged; fetch it again"});
  if (!object.is_object()) throw Error(path, "it holds no JSON object", "the file is damaged; fetch it again");
  return object;
}

/// Reads token ids from a number, a list of numbers, or a missing key. Negative ones, which mean none, are left out.
inline std::vector<int64_t> hf_token_ids(const HfKeys& keys, const char* key) {
  const nlohmann::json* value = keys.find(key);
  std::vector<int64_t> ids;
  if (!value) return ids;
  const nlohmann::json list = value->is_array() ? *value : nlohmann::json::array({*value});
  for (const nlohmann::json& id : list) {
    const auto number = whole_number(id, int64_t{INT32_MIN}, int64_t{INT32_MAX});
    if (!number) keys.fail(key, "is neither the id of a token nor a list of ids");
    if (*number >= 0) ids.push_back(*number);
  }
  return ids;
}

}  // namespace bitgrid::frontend
