// Strict reading of every JSON text that the program takes. It refuses duplicate keys, integers beyond 64 bits, anything after the value
// (zero bytes included), and more than kMostJsonDepth nested containers.
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

/// Receives the contents of the text in order.
using JsonEvents = nlohmann::json_sax<nlohmann::json>;

/// Where a JSON text comes from, for messages.
struct JsonPlace {
  std::string source;               // the file
  std::string cure;                 // what to do if the text is not JSON
  size_t line = 1;                  // where the text begins
  std::optional<size_t> byte = {};  // where the text begins in a file that is not all text; messages then give bytes instead of lines
};

/// Reads the text. Throws Error with FILE:LINE or "FILE: byte N", what is wrong there, and the cure.
void read_json(std::string_view text, const JsonPlace& place, JsonEvents& events);

/// Reads a text in pieces. `next` returns the next piece, which must live until the next call. An empty piece ends the text.
void read_json(const std::function<std::string_view()>& next, const JsonPlace& place, JsonEvents& events);

/// Returns the whole value.
template <typename Json = nlohmann::json>
Json parse_json(std::string_view text, const JsonPlace& place);

/// Returns `json` as a whole number from `least` to `most`, or nullopt if it is anything else.
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

/// Returns the value as an integer. Throws Error if `name` is not an integer from `lo` to `hi`. (The library alone would turn 1.5 and true
/// into 1.)
int64_t json_integer(const nlohmann::json& value, const std::string& name, int64_t lo, int64_t hi, const std::string& where);

/// Returns the message of a JSON library exception without its name and number.
std::string json_reason(const nlohmann::json::exception& e);

/// Builds a value from events. Long lists and objects can go to a function element by element instead, so that they need not fit in memory.
template <typename Json>
class JsonTree : public JsonEvents {
 public:
  using EachElement = std::function<void(const std::string& key, Json&& element)>;

  /// Leaves out values that are nested in more than `most_depth` containers.
  explicit JsonTree(size_t most_depth = kMostJsonDepth) : most_depth_(most_depth) {}

  /// Sends the elements of the list or object at `path` (keys from the top) to `each`, whole and in order. The value keeps an empty
  /// container.
  void stream(std::vector<std::string> path, EachElement each) { streams_.push_back({std::move(path), std::move(each)}); }

  Json take() { return std::move(root_); }

  bool null() override { return add(Json()); }
  bool boolean(bool v) override { return add(v); }
  bool number_integer(number_integer_t v) override { return add(v); }
  bool number_unsigned(number_unsigned_t v) override { return add(v); }
  bool number_float(number_float_t v, const string_t&) override { return add(v); }
  bool string(string_t& v) override { return add(std::move(v)); }
  bool binary(binary_t&) override { return false; }
  bool key(string_t& k) override {
    open_.back().key = std::move(k);
    return true;
  }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  struct Stream {
    std::vector<std::string> path;
    EachElement each;
  };
  struct Level {
    Json* value = nullptr;  // nullptr: left out
    std::string key;        // the last one; empty in a list
  };

  bool in_stream() const { return active_ != nullptr && open_.size() == active_->path.size() + 1; }

  /// Adds a value and returns its place, or nullptr if the value is left out.
  Json* place(Json&& v) {
    if (open_.empty()) return &(root_ = std::move(v));
    if (in_stream()) return &(element_ = std::move(v));
    Level& level = open_.back();
    if (level.value == nullptr || (active_ == nullptr && open_.size() > most_depth_)) return nullptr;
    if (!level.value->is_array()) return &((*level.value)[level.key] = std::move(v));
    level.value->push_back(std::move(v));
    return &level.value->back();
  }
  bool add(Json&& v) {
    place(std::move(v));
    return end_value();
  }
  bool open(Json&& v) {
    open_.push_back({place(std::move(v)), {}});
    if (active_ == nullptr) active_ = stream_here();
    return true;
  }
  bool close() {
    if (in_stream()) active_ = nullptr;
    open_.pop_back();
    return end_value();
  }
  bool end_value() {
    if (in_stream()) active_->each(open_.back().key, std::move(element_));
    return true;
  }
  /// Returns the stream of the container that was just opened.
  const Stream* stream_here() const {
    for (const Stream& stream : streams_) {
      if (stream.path.size() + 1 != open_.size()) continue;
      size_t k = 0;
      while (k < stream.path.size() && open_[k].key == stream.path[k]) ++k;
      if (k == stream.path.size()) return &stream;
    }
    return nullptr;
  }

  size_t most_depth_;
  std::vector<Stream> streams_;
  Json root_, element_;
  std::vector<Level> open_;
  const Stream* active_ = nullptr;  // the one whose container is open
};

template <typename Json>
Json parse_json(std::string_view text, const JsonPlace& place) {
  JsonTree<Json> tree;
  read_json(text, place, tree);
  return tree.take();
}

}  // namespace bitgrid
