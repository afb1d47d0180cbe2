// Standard cells of a process, as Yosys and ABC read them.
#pragma once

#include <map>
#include <string>

namespace bitgrid::rtl {

/// Area in um2 by kind of cell: BUF, INV, NAND2, NAND3, NOR2, NOR3, AND2, OR2, AOI21, AOI22, OAI21, OAI22, XOR2, XNOR2, MUX2, DFF, DLATCH.
using StandardCells = std::map<std::string, double>;

/// Returns the cells as a Liberty file without timing, because mapping minimises area. DLATCH is left out, since Yosys maps no latches.
/// Throws Error if a kind is unknown, or if BUF, INV, NAND2 or DFF is missing.
std::string liberty(const StandardCells& cells);

}  // namespace bitgrid::rtl
