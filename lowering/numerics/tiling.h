// How layers that are larger than a tile are cut.
#pragma once

#include <string>
#include <vector>

#include "lowering/numerics/lower.h"
#include "lowering/numerics/matrix.h"

namespace bitgrid::numerics {

/// How rows and columns of a matrix are distributed over tiles.
enum class CutForm : uint8_t { kWhole, kSerial, kParallel, kInterleaved };

/// Rows first .. first + count - 1, computed part by part from west to east. kWhole: one part, whose form is still open.
struct RowBlock {
  int first = 0;
  int count = 0;
  CutForm form = CutForm::kWhole;
  std::vector<InputPart> parts;  // none without an operand
};

/// Returns blocks of at most `most_rows` rows that fit the tile, in a parallel form for layers that have one, by `params.optimize`. Throws
/// Error (layer, what does not fit, cure) if not even one row fits.
std::vector<RowBlock> cut_layer(const MatrixLayer& layer, const MatrixPlan& plan, int most_rows, const LowerParams& params);

/// The same for the serial form, without weights. `first_row` is the form of row 0 (its weights are ignored), and planes[r] is the number
/// of digit planes of row r.
std::vector<RowBlock> cut_serial(const std::string& layer, const BitSerialForm& first_row, const std::vector<int>& planes, int most_rows,
                                 const mapping::Tile& tile);

}  // namespace bitgrid::numerics
