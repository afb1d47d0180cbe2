// Strict reading of JSON, for every JSON text that the program reads: no key twice in an object, no integer beyond 64 bits, nothing behind
// the value (bytes of 0 included), at most kMostJsonDepth containers in one another.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bitgrid {

inline constexpr size_t kMostJsonDepth = 64;

/// What stands in the text, in its order.
using JsonEvents = nlohmann::json_sax<nlohmann::json>;

/// Where a JSON text stands, for messages.
struct JsonPlace {
  std::string source;               // the file
  std::string cure;                 // what to do about a text that is not JSON
  size_t line = 1;                  // where the text begins
  std::optional<size_t> byte = {};  // the same in a file that is not all text: messages give bytes then, not lines
};

/// Reads the text. Throws Error: FILE:LINE or FILE: byte N, what is wrong there, and the cure.
void read_json(std::string_view text, const JsonPlace& place, JsonEvents& events);

/// The same, for a text in pieces: `next` gives the next one, which lives until the next call; an empty one is the end.
void read_json(const std::function<std::string_view()>& next, const JsonPlace& place, JsonEvents& events);

/// The whole value.
template <typename Json = nlohmann::json>
Json parse_json(std::string_view text, const JsonPlace& place);

/// The whole number from `least` to `most` that `json` is; nullopt if it is anything else.
template <typename Json, std::integral T>
std::optional<T> whole_number(const Json& json, T least, T most) {
  if (!json.is_number_integer()) return std::nullopt;
  const auto in_range = [&](auto value) { return !std::cmp_less(value, least) && !std::cmp_greater(value, most); };
  if (json.is_number_unsigned()) {
    const uint64_t value = json.template get<uint64_t>();
    return in_range(value) ? std::optional(static_cast<T>(value)) : std::nullopt;
  }
  const int64_t value = json.template get<int64_t>();
  return in_range(value) ? std::optional(static_cast<T>(value)) : std::nullopt;
}

/// The integer that a value is. Throws Error: `name` is not an integer from `lo` to `hi`. (The library itself turns 1.5 and true into 1.)
int64_t json_integer(const nlohmann::json& value, const std::string& name, int64_t lo, int64_t hi, const std::string& where);

/// What an exception of the JSON library says, without its name and number.
std::string json_reason(const nlohmann::json::exception& e);

/// Builds a value out of events.
template <typename Json>
class JsonTree : public JsonEvents {
 public:
  Json take() { return std::move(root_); }

  bool null() override { return add(Json()); }
  bool boolean(bool v) override { return add(v); }
  bool number_integer(number_integer_t v) override { return add(v); }
  bool number_unsigned(number_unsigned_t v) override { return add(v); }
  bool number_float(number_float_t v, const string_t&) override { return add(v); }
  bool string(string_t& v) override { return add(std::move(v)); }
  bool binary(binary_t&) override { return false; }
  bool key(string_t& k) override {
    key_ = std::move(k);
    return true;
  }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  Json* place(Json&& v) {
    if (open_.empty()) return &(root_ = std::move(v));
    if (!open_.back()->is_array()) return &((*open_.back())[key_] = std::move(v));
    open_.back()->push_back(std::move(v));
    return &open_.back()->back();
  }
  bool add(Json&& v) {
    place(std::move(v));
    return true;
  }
  bool open(Json&& v) {
    open_.push_back(place(std::move(v)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;
  std::string key_;
};

template <typename Json>
Json parse_json(std::string_view text, const JsonPlace& place) {
  JsonTree<Json> tree;
  read_json(text, place, tree);
  return tree.take();
}

}  // namespace bitgrid
