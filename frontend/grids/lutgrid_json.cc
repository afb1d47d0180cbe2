#include "frontend/grids/lutgrid_json.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <vector>

#include "ir/error.h"
#include "ir/json_reader.h"

namespace bitgrid::frontend {
namespace {

using Json = nlohmann::json;

/// What both passes share: where in the tree the reader is. Derived readers get values with their depth: 1 for those at the top.
class LutgridReader : public JsonEvents {
 public:
  bool null() override { return value(Json()); }
  bool boolean(bool v) override { return value(v); }
  bool number_integer(number_integer_t v) override { return value(v); }
  bool number_unsigned(number_unsigned_t v) override { return value(v); }
  bool number_float(number_float_t v, const string_t&) override { return value(v); }
  bool string(string_t& v) override { return value(v); }
  bool binary(binary_t&) override { return true; }
  bool key(string_t& k) override {
    on_key(k);
    return true;
  }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 protected:
  virtual void on_key(const std::string& key) = 0;
  /// A scalar, or a container that opens.
  virtual void on_value(const Json& v) = 0;
  virtual void on_close() = 0;
  size_t depth() const { return depth_; }

 private:
  bool value(const Json& v) {
    on_value(v);
    return true;
  }
  bool open(const Json& v) {
    on_value(v);
    ++depth_;
    return true;
  }
  bool close() {
    --depth_;
    on_close();
    return true;
  }

  size_t depth_ = 0;
};

class TopReader : public LutgridReader {
 public:
  JsonTop top;

 protected:
  void on_key(const std::string& key) override {
    if (depth() == 1) key_ = key;
  }
  void on_value(const Json& v) override {
    if (depth() == 0) {
      top.is_object = v.is_object();
      top.is_array = v.is_array();
    } else if (depth() == 1 && top.is_object) {
      top.values[key_] = v;
    }
  }
  void on_close() override {}

 private:
  std::string key_;
};

int64_t integer(const Json& v, bool present, const char* key, const std::string& where) {
  if (!present) throw Error(where, fmt::format("key \"{}\" is missing", key), "add it (lutgrid-v1)");
  // Numbers beyond int64 come as unsigned or double.
  const auto value = whole_number(v, INT64_MIN, INT64_MAX);
  if (!value) throw Error(where, fmt::format("\"{}\" is not an integer", key), "write a plain decimal number");
  return *value;
}

class CellReader : public LutgridReader {
 public:
  CellReader(const std::string& source, GridSize size, const std::function<void(int, int, CellWord)>& cell)
      : source_(source), size_(size), cell_(cell), seen_(static_cast<size_t>(size.width) * static_cast<size_t>(size.height)) {}

 protected:
  void on_key(const std::string& key) override {
    if (depth() == 1) in_cells_ = key == "cells";
    if (depth() == 3) key_ = key;
  }
  void on_value(const Json& v) override {
    if (!in_cells_) return;
    if (depth() == 2) {
      if (!v.is_object()) throw Error(where(), "is not an object", "write {\"x\":..,\"y\":..,\"luts\":[N,E,S,W]}");
      entry_ = {};
    } else if (depth() == 3) {
      if (key_ == "x") entry_.x = v, entry_.has_x = true;
      if (key_ == "y") entry_.y = v, entry_.has_y = true;
      if (key_ == "luts") {
        entry_.is_list = v.is_array();
        entry_.luts = 0;
      }
    } else if (depth() == 4 && key_ == "luts") {
      if (entry_.luts < 4) entry_.lut[entry_.luts] = v;
      ++entry_.luts;
    }
  }
  void on_close() override {
    if (depth() == 1) in_cells_ = false;
    if (depth() == 2 && in_cells_) take();
  }

 private:
  struct Entry {
    Json x, y;
    bool has_x = false, has_y = false, is_list = false;
    size_t luts = 0;
    std::array<Json, 4> lut;
  };

  std::string where() const { return fmt::format("{}: cells[{}]", source_, index_); }

  void take() {
    const Entry& e = entry_;
    const auto coordinate = [&](const Json& v, bool present, const char* key) {
      if (present && v.is_number_unsigned() && v.get<uint64_t>() < 0x7FFF'FFFF) return v.get<int64_t>();
      return integer(v, present, key, where());
    };
    const int64_t x = coordinate(e.x, e.has_x, "x"), y = coordinate(e.y, e.has_y, "y");
    if (x < 0 || y < 0 || x >= size_.width || y >= size_.height) {
      throw Error(where(), fmt::format("cell ({}, {}) is outside the {} x {} grid", x, y, size_.width, size_.height),
                  "correct x, y or the size");
    }
    if (!e.is_list || e.luts != 4) throw Error(where(), "\"luts\" is not a list of four numbers", "write [N,E,S,W]");
    std::array<Lut, 4> tables{};
    for (size_t side = 0; side < 4; ++side) {
      const Json& v = e.lut[side];
      if (!v.is_number_unsigned() || v.get<uint64_t>() > 0xFFFF)
        throw Error(where(), fmt::format("LUT {} is not a number from 0 to 65535", letter(kSides[side])), "a LUT has 16 bits");
      tables[side] = v.get<Lut>();
    }
    const size_t at = static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x);
    if (seen_[at]) throw Error(where(), fmt::format("cell ({}, {}) is given twice", x, y), "remove one");
    seen_[at] = true;
    cell_(static_cast<int>(x), static_cast<int>(y), cell_word(tables));
    ++index_;
  }

  const std::string& source_;
  GridSize size_;
  const std::function<void(int, int, CellWord)>& cell_;
  std::vector<bool> seen_;
  std::string key_;
  Entry entry_;
  size_t index_ = 0;
  bool in_cells_ = false;
};

const std::string kCure = "write a lutgrid-v1 object";

}  // namespace

JsonText json_of_string(std::string_view text, const std::string& source) {
  return [text, source](JsonEvents& reader) { read_json(text, {source, kCure}, reader); };
}

JsonText json_of_file(const std::string& path) {
  return [path](JsonEvents& reader) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw Error(path, "cannot be opened", "check the path and its permissions");
    std::vector<char> piece(size_t{1} << 20);
    const auto next = [&] {
      in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      return std::string_view(piece.data(), static_cast<size_t>(in.gcount()));
    };
    read_json(next, {path, kCure}, reader);
  };
}

bool JsonTop::has_list(const std::string& key) const {
  const auto it = values.find(key);
  return it != values.end() && it->second.is_array();
}

JsonTop read_json_top(const JsonText& text) {
  TopReader reader;
  text(reader);
  return std::move(reader.top);
}

GridSize lutgrid_size(const JsonTop& top, const std::string& source, int64_t most) {
  if (!top.is_object) throw Error(source, "is not JSON object", "write a lutgrid-v1 object");
  const auto value = [&](const char* key) {
    const auto it = top.values.find(key);
    return it == top.values.end() ? std::pair(Json(), false) : std::pair(it->second, true);
  };
  if (value("format").first != "lutgrid-v1") throw Error(source, "\"format\" is not \"lutgrid-v1\"", "write \"format\": \"lutgrid-v1\"");
  const auto [w, has_w] = value("width");
  const auto [h, has_h] = value("height");
  const int64_t width = integer(w, has_w, "width", source), height = integer(h, has_h, "height", source);
  const bool ok = width >= 1 && height >= 1 && width <= most && height <= most && width * height <= most;
  if (!ok)
    throw Error(source, fmt::format("the size {} x {} is out of range", width, height), fmt::format("use 1 to {} cells in all", most));
  if (!top.has_list("cells")) throw Error(source, "\"cells\" is not a list", "list the cells, [] for none");
  return {static_cast<int>(width), static_cast<int>(height)};
}

void read_lutgrid_cells(const JsonText& text, const std::string& source, GridSize size,
                        const std::function<void(int x, int y, CellWord word)>& cell) {
  CellReader reader(source, size, cell);
  text(reader);
}

}  // namespace bitgrid::frontend
