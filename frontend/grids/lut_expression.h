// A cell's truth tables as people write them: "w & ~(e | n)".
#pragma once

#include <string>
#include <string_view>

#include "ir/grid_config.h"

namespace bitgrid::frontend {

/// The table of an expression over n, e, s, w (or N, E, S, W), 0 and 1, with ~ before & before ^ before |, and parentheses. Throws Error
/// naming `source`, the place in the text and what may stand there.
Lut parse_lut_expression(std::string_view text, const std::string& source);

/// Such an expression for a table, a sum of products; parse_lut_expression of it gives the table.
std::string print_lut_expression(Lut table);

}  // namespace bitgrid::frontend
