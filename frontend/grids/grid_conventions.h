// Grids of other BitGrid programs, in the formats that these programs write. All are translated into configuration words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "frontend/grids/grid_io.h"

namespace bitgrid::frontend {

struct ConventionGrid {
  std::string convention;  // in words
  GridFile file;
};

/// Reads the program JSON of the Python toolchain: "cells" with "inputs" (where each input comes from), "op" and "params". A cell's inputs
/// must be constants, outputs of neighbours that face the cell, or, at a border, named inputs. They are moved to the sides that they come
/// from. If a cell reads any other cell, the file is a netlist and is refused.
ConventionGrid parse_python_program(std::string_view text, const std::string& source);

/// Reads grid-state.json of the browser simulator: rows of cells {"leds": [4 booleans], "values": [4 tables in hexadecimal]}. Outputs are
/// in the order top, right, left, bottom; a table's index is 1 bottom, 2 top, 4 right, 8 left.
ConventionGrid parse_browser_grid(std::string_view text, const std::string& source);

/// Reads a .bitgrid file of the Visual Basic simulator: four lines of 16 times True or False, the tables of one cell, for bottom, top,
/// left, right; a table's index is 8 bottom, 4 top, 2 left, 1 right.
ConventionGrid parse_basic_cell(std::string_view text, const std::string& source);

/// Reads "Program Dump:" of the original engine's window: lines "y: WORD WORD ..", then "inputs:" and "outputs:" with nibbles.
ConventionGrid parse_window_dump(std::string_view text, const std::string& source);

/// Reads "Program State:" of the Delphi simulator: lines of four-digit words, one table per cell, which drives all four sides.
ConventionGrid parse_delphi_state(std::string_view text, const std::string& source);

/// Reads any of those that are texts without JSON, by how they begin. Returns nullopt for any other text.
std::optional<ConventionGrid> parse_text_convention(std::string_view text, const std::string& source);

}  // namespace bitgrid::frontend
