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

/// `json` is an object. `where` gives the place for messages; there are millions of cells, so it is made only for those.
int64_t integer(const Json& json, const char* key, const auto& where) {
  const auto it = json.find(key);
  if (it == json.end()) throw Error(where(), fmt::format("key \"{}\" is missing", key), "add it (lutgrid-v1)");
  const auto value = whole_number(*it, INT64_MIN, INT64_MAX);
  if (!value) throw Error(where(), fmt::format("\"{}\" is not an integer", key), "write a plain decimal number");
  return *value;
}

std::array<Lut, 4> tables_of(const Json& cell, const auto& where) {
  const auto luts = cell.find("luts");
  if (luts == cell.end() || !luts->is_array() || luts->size() != 4)
    throw Error(where(), "\"luts\" is not a list of four numbers", "write [N,E,S,W]");
  std::array<Lut, 4> tables{};
  for (size_t side = 0; side < 4; ++side) {
    const auto table = whole_number<Json, int>((*luts)[side], 0, 0xFFFF);
    if (!table) throw Error(where(), fmt::format("LUT {} is not a number from 0 to 65535", letter(kSides[side])), "a LUT has 16 bits");
    tables[side] = static_cast<Lut>(*table);
  }
  return tables;
}

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

Json read_json_top(const JsonText& text) {
  JsonTree<Json> top(1);
  text(top);
  return top.take();
}

GridSize lutgrid_size(const Json& top, const std::string& source, int64_t most) {
  if (!top.is_object()) throw Error(source, "is not a JSON object", "write a lutgrid-v1 object");
  if (!top.contains("format") || top["format"] != "lutgrid-v1")
    throw Error(source, "\"format\" is not \"lutgrid-v1\"", "write \"format\": \"lutgrid-v1\"");
  const auto where = [&] { return source; };
  const int64_t width = integer(top, "width", where), height = integer(top, "height", where);
  const bool ok = width >= 1 && height >= 1 && width <= most && height <= most && width * height <= most;
  if (!ok)
    throw Error(source, fmt::format("the size {} x {} is out of range", width, height), fmt::format("use 1 to {} cells in total", most));
  if (!top.contains("cells") || !top["cells"].is_array()) throw Error(source, "\"cells\" is not a list", "list the cells, [] for none");
  return {static_cast<int>(width), static_cast<int>(height)};
}

void read_lutgrid_cells(const JsonText& text, const std::string& source, GridSize size,
                        const std::function<void(int x, int y, CellWord word)>& cell) {
  std::vector<bool> seen(static_cast<size_t>(size.width) * static_cast<size_t>(size.height));
  size_t index = 0;
  JsonTree<Json> tree(1);
  const auto where = [&] { return fmt::format("{}: cells[{}]", source, index); };
  tree.stream({"cells"}, [&](const std::string&, Json&& entry) {
    if (!entry.is_object()) throw Error(where(), "is not an object", "write {\"x\":..,\"y\":..,\"luts\":[N,E,S,W]}");
    const int64_t x = integer(entry, "x", where), y = integer(entry, "y", where);
    if (x < 0 || y < 0 || x >= size.width || y >= size.height)
      throw Error(where(), fmt::format("cell ({}, {}) is outside the {} x {} grid", x, y, size.width, size.height),
                  "correct x, y or the size");
    const std::array<Lut, 4> tables = tables_of(entry, where);
    const size_t at = static_cast<size_t>(y) * static_cast<size_t>(size.width) + static_cast<size_t>(x);
    if (seen[at]) throw Error(where(), fmt::format("cell ({}, {}) is given twice", x, y), "remove one");
    seen[at] = true;
    cell(static_cast<int>(x), static_cast<int>(y), cell_word(tables));
    ++index;
  });
  text(tree);
}

}  // namespace bitgrid::frontend
