// Defect files: a YAML list of a tile's bad cells and bad edges.
//
//   cells:
//     - [3, 7]        # cell x = 3, y = 7: none of its outputs can be relied on
//   edges:
//     - [4, 7, E]     # the eastern output of cell (4, 7)
#pragma once

#include <string>

#include "ir/defects.h"

namespace bitgrid::frontend {

/// Both keys are optional; coordinates are 0 .. kMaxDefectPlace. Throws Error (FILE:LINE, cure). `file` names the file in messages.
Defects parse_defects(const std::string& text, const std::string& file);
Defects load_defects(const std::string& path);
inline constexpr int kMaxDefectPlace = (1 << 24) - 1;

/// Returns the text of such a file. parse_defects reads the same defects back.
std::string print_defects(const Defects& defects);

}  // namespace bitgrid::frontend
