// Reader of combinational BLIF (Berkeley Logic Interchange Format, University of California, 1992).
#pragma once

#include <string>
#include <string_view>

#include "ir/cover_network.h"

namespace bitgrid::frontend {

/// Reads one `.model` with `.inputs`, `.outputs` and `.names`, with covers of either output polarity. `\` continues a line, `#` starts a
/// comment, and nodes may come in any order. Of extended BLIF, `.conn A B` makes B the signal A. `.attr`, `.cname` and `.param` are
/// skipped, as are lines that state only delays, loads or areas. Latches, subcircuits, library gates, external don't-cares and second
/// models are refused. Every error gives source and line. `source` names the text in messages.
CoverNetwork parse_blif(std::string_view text, const std::string& source = "blif");

/// Returns whether a reader that knows only BLIF sees the same network in the text, that is, if it has no byte-order mark and nothing of
/// extended BLIF.
bool is_plain_blif(std::string_view text);

/// Reads a file. Throws Error as parse_blif does, or if it cannot be read.
CoverNetwork read_blif(const std::string& path);

}  // namespace bitgrid::frontend
