#include "frontend/defects_file.h"

#include <fmt/format.h>

#include "frontend/yaml_reader.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::frontend {
namespace {

int place(const YamlValue& value) {
  return static_cast<int>(value.integer(0, kMaxDefectPlace));
}

Side side_of(const YamlValue& value) {
  const std::string text = value.text();
  for (const Side side : kSides) {
    if (text == std::string(1, letter(side))) return side;
  }
  throw Error(value.where(), value.path + " is not a side of a cell", "write N, E, S or W");
}

std::vector<YamlValue> tuple(const YamlValue& value, size_t size, const std::string& form) {
  std::vector<YamlValue> parts = value.list();
  if (parts.size() != size) throw Error(value.where(), fmt::format("{} has {} entries", value.path, parts.size()), "write " + form);
  return parts;
}

}  // namespace

Defects parse_defects(const std::string& text, const std::string& file) {
  const YamlMap map(parse_yaml(text, file, "docs/defects.md"), {"cells", "edges"});
  Defects defects;
  if (map.has("cells")) {
    for (const YamlValue& cell : map.get("cells").list()) {
      const auto parts = tuple(cell, 2, "[x, y]");
      defects.cells.push_back({place(parts[0]), place(parts[1])});
    }
  }
  if (map.has("edges")) {
    for (const YamlValue& edge : map.get("edges").list()) {
      const auto parts = tuple(edge, 3, "[x, y, SIDE] with SIDE one of N, E, S, W");
      defects.edges.push_back({place(parts[0]), place(parts[1]), side_of(parts[2])});
    }
  }
  normalise(defects);
  return defects;
}

Defects load_defects(const std::string& path) {
  constexpr size_t kMaxBytes = size_t{1} << 26;
  return parse_defects(read_file(path, kMaxBytes), path);
}

std::string print_defects(const Defects& defects) {
  std::string text = defects.cells.empty() ? "cells: []\n" : "cells:\n";
  for (const BadCell& c : defects.cells) text += fmt::format("  - [{}, {}]\n", c.x, c.y);
  text += defects.edges.empty() ? "edges: []\n" : "edges:\n";
  for (const BadEdge& e : defects.edges) text += fmt::format("  - [{}, {}, {}]\n", e.x, e.y, letter(e.side));
  return text;
}

}  // namespace bitgrid::frontend
