#include "ir/json_reader.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/text.h"

namespace bitgrid {
namespace {

/// The characters of the text, counted.
class Input {
 public:
  Input(const std::function<std::string_view()>& next, const JsonPlace& place) : next_(next), place_(place), line_(place.line) {
    piece_ = without_bom(next_());
    column_ = byte_ = 0;
  }

  bool at_end() {
    if (piece_.empty() && !ended_) {
      piece_ = next_();
      ended_ = piece_.empty();
    }
    return piece_.empty();
  }
  char get() const { return piece_.front(); }
  void advance() {
    const char c = piece_.front();
    piece_.remove_prefix(1);
    ++byte_;
    ++column_;
    if (c == '\0') fail("unexpected zero byte");  // the library takes it for the end
    if (c != '\n') return;
    ++line_;
    column_ = 0;
  }

  [[noreturn]] void fail(const std::string& problem) const {
    if (place_.byte)
      throw Error(fmt::format("{}: byte {}", place_.source, *place_.byte + byte_ - std::min<size_t>(byte_, 1)), problem, place_.cure);
    throw Error(fmt::format("{}:{}", place_.source, line_), fmt::format("{} (column {})", problem, column_), place_.cure);
  }

 private:
  const std::function<std::string_view()>& next_;
  const JsonPlace& place_;
  std::string_view piece_;
  bool ended_ = false;
  size_t line_, column_ = 0, byte_ = 0;
};

/// What the library reads from; all copies stand at the same character.
class Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  explicit Iterator(Input* input) : input_(input) {}
  char operator*() const { return input_->get(); }
  Iterator& operator++() {
    input_->advance();
    return *this;
  }
  /// One of the two is the end.
  bool operator!=(const Iterator& other) const { return !(input_ ? input_ : other.input_)->at_end(); }
  bool operator==(const Iterator& other) const { return !(*this != other); }

 private:
  Input* input_;  // null: the end
};

/// Hands on what is right.
class Strict final : public JsonEvents {
 public:
  Strict(const Input& input, JsonEvents& to) : input_(input), to_(to) {}

  bool null() override { return to_.null(); }
  bool boolean(bool v) override { return to_.boolean(v); }
  bool number_integer(number_integer_t v) override { return to_.number_integer(v); }
  bool number_unsigned(number_unsigned_t v) override { return to_.number_unsigned(v); }
  bool number_float(number_float_t v, const string_t& digits) override {
    if (digits.find_first_of(".eE") == string_t::npos) input_.fail(fmt::format("the number {} does not fit 64 bits", shown(digits)));
    return to_.number_float(v, digits);
  }
  bool string(string_t& v) override { return to_.string(v); }
  bool binary(binary_t& v) override { return to_.binary(v); }
  bool key(string_t& k) override {
    if (!objects_[depth_ - 1].add(k)) input_.fail(fmt::format("the key \"{}\" appears twice in one object", shown(k)));
    return to_.key(k);
  }
  bool start_object(size_t n) override {
    open();
    return to_.start_object(n);
  }
  bool start_array(size_t n) override {
    open();
    return to_.start_array(n);
  }
  bool end_object() override {
    --depth_;
    return to_.end_object();
  }
  bool end_array() override {
    --depth_;
    return to_.end_array();
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& e) override {
    const std::string text = e.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: REASON"
    const size_t column = text.find(", column "), at = text.find(": ", column);
    const std::string reason =
        column == std::string::npos || at == std::string::npos ? text.substr(text.find("] ") + 2) : text.substr(at + 2);
    input_.fail("this is not JSON: " + reason);
  }

 private:
  /// Keys of an object so far. Objects are opened by the million: their memory is used again.
  class Keys {
   public:
    void clear() {
      count_ = 0;
      many_.clear();
    }
    bool add(const std::string& key) {
      constexpr size_t kFew = 16;
      if (count_ >= kFew) return (many_.empty() ? start_many() : many_).insert(key).second;
      const auto end = few_.begin() + static_cast<std::ptrdiff_t>(count_);
      if (std::find(few_.begin(), end, key) != end) return false;
      if (count_ == few_.size()) few_.emplace_back();
      few_[count_++] = key;
      return true;
    }

   private:
    std::unordered_set<std::string>& start_many() {
      many_.insert(few_.begin(), few_.begin() + static_cast<std::ptrdiff_t>(count_));
      return many_;
    }

    std::vector<std::string> few_;
    size_t count_ = 0;
    std::unordered_set<std::string> many_;
  };

  static std::string shown(const std::string& text) { return text.size() > 60 ? text.substr(0, 60) + "..." : text; }

  void open() {
    if (depth_ == kMostJsonDepth) input_.fail(fmt::format("lists and objects are nested more than {} deep", kMostJsonDepth));
    if (depth_ == objects_.size()) objects_.emplace_back();
    objects_[depth_++].clear();
  }

  const Input& input_;
  JsonEvents& to_;
  std::vector<Keys> objects_;  // by depth; those of lists are empty
  size_t depth_ = 0;
};

}  // namespace

void read_json(const std::function<std::string_view()>& next, const JsonPlace& place, JsonEvents& events) {
  Input input(next, place);
  Strict strict(input, events);
  nlohmann::json::sax_parse(Iterator(&input), Iterator(nullptr), &strict);
}

void read_json(std::string_view text, const JsonPlace& place, JsonEvents& events) {
  read_json([&] { return std::exchange(text, {}); }, place, events);
}

int64_t json_integer(const nlohmann::json& value, const std::string& name, int64_t lo, int64_t hi, const std::string& where) {
  const auto number = whole_number(value, lo, hi);
  if (!number) throw Error(where, fmt::format("{} is not an integer from {} to {}", name, lo, hi), "correct the number");
  return *number;
}

std::string json_reason(const nlohmann::json::exception& e) {
  const std::string text = e.what();
  const size_t at = text.find("] ");
  return at == std::string::npos ? text : text.substr(at + 2);
}

}  // namespace bitgrid
