// lutgrid-v1 as a stream of cells, so that a file need not fit in memory as a tree of values.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "ir/grid_config.h"
#include "ir/json_reader.h"

namespace bitgrid::frontend {

/// Passes a JSON text to a reader. Throws Error as read_json does.
using JsonText = std::function<void(JsonEvents&)>;
JsonText json_of_string(std::string_view text, const std::string& source);  // the text must outlive it
JsonText json_of_file(const std::string& path);

/// Reads the whole text once and keeps the top-level values. Lists and objects there are empty.
nlohmann::json read_json_top(const JsonText& text);

struct GridSize {
  int width = 0;
  int height = 0;
};
/// Throws Error at `source`, with `most` if there are more cells than that.
GridSize lutgrid_size(const nlohmann::json& top, const std::string& source, int64_t most);

/// Calls `cell` for each entry of "cells". Throws Error with the entry, also if a cell is given twice.
void read_lutgrid_cells(const JsonText& text, const std::string& source, GridSize size,
                        const std::function<void(int x, int y, CellWord word)>& cell);

}  // namespace bitgrid::frontend
