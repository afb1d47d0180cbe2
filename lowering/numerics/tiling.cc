#include "lowering/numerics/tiling.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/mapping/matrix/bit_serial.h"
#include "lowering/mapping/matrix/popcount_ii2.h"
#include "lowering/numerics/kernel_dag.h"

namespace bitgrid::numerics {
namespace {

constexpr int kPairHeader = 2;  // rows that pairs of columns take more than single ones

struct Size {
  int64_t width = 0, height = 0;
};

bool fits(const Size& size, const mapping::Tile& tile) {
  return (tile.width == 0 || size.width <= tile.width) && (tile.height == 0 || size.height <= tile.height);
}

/// What the size of a word-serial kernel depends on besides its columns and rows.
class SerialSizes {
 public:
  SerialSizes(const BitSerialForm& first_row, const std::vector<int>& planes)
      : columns_(count_of(first_row.columns)), planes_before_(planes.size() + 1) {
    const RowGroup& group = first_row.groups[0];
    const bool sign_east = first_row.sign && first_row.strip_constant == 0;
    strips_ = first_row.clamp || (first_row.sign && !sign_east);
    residual_ = group.residual.has_value();
    const int array_rows = columns_ > 0 ? count_of(group.planes) + 1 + residual_ : 0;
    strip_rows_ = mapping::bit_serial_size(first_row).height - array_rows;
    std::partial_sum(planes.begin(), planes.end(), planes_before_.begin() + 1);
    combine_ = *std::max_element(planes.begin(), planes.end()) > 1;
  }

  /// Cells east of the columns.
  int64_t end_width(int rows) const { return (combine_ ? 2 : 0) + (strips_ || residual_ ? 2 * int64_t{rows} + strips_ : 0); }
  int64_t height(int first, int rows) const {
    return 1 + kPairHeader + residual_ + strip_rows_ + planes_before_[index_of(first + rows)] - planes_before_[index_of(first)];
  }
  Size whole(int first, int rows) const { return {2 * int64_t{columns_} + end_width(rows), height(first, rows)}; }
  int columns() const { return columns_; }

 private:
  int columns_;
  bool strips_ = false, residual_ = false, combine_ = false;
  int strip_rows_ = 0;
  std::vector<int64_t> planes_before_;  // row r: digit planes of the rows above it
};

/// `count` inputs in the fewest parts of at most `most`, the last of at most `last`: as equal as can be.
std::vector<InputPart> equal_parts(uint32_t count, uint32_t most, uint32_t last) {
  std::vector<InputPart> parts;
  uint32_t number = 1;
  while (count > (number - 1) * most + last) ++number;
  uint32_t tail = std::min(last, (count + number - 1) / number), rest = count - tail, first = 0;
  if (number == 1) tail = count, rest = 0;
  for (uint32_t left = number - 1; left > 0; --left) {
    const uint32_t n = (rest + left - 1) / left;
    parts.push_back({first, n});
    first += n;
    rest -= n;
  }
  parts.push_back({first, tail});
  return parts;
}

Error too_small(const std::string& layer, const mapping::Tile& tile, const Size& needed) {
  return Error(layer,
               fmt::format("one row of it takes {} x {} cells, and a tile has {} x {}", needed.width, needed.height,
                           tile.width ? std::to_string(tile.width) : "any", tile.height ? std::to_string(tile.height) : "any"),
               "give a larger tile in the architecture file");
}

/// Rows of the next of the fewest, equally high blocks of `left` rows for which `good` holds, each of at most `most`; it holds for fewer
/// rows too. 0: for none.
template <typename Good>
int equal_rows_that(int left, int most, Good good) {
  int low = 0, high = std::min(left, most);
  while (low < high) {
    const int middle = low + (high - low + 1) / 2;
    (good(middle) ? low : high) = good(middle) ? middle : middle - 1;
  }
  if (low == 0) return 0;
  const int blocks = (left + low - 1) / low;
  return (left + blocks - 1) / blocks;
}

/// Cuts word-serial layers.
class SerialCutter {
 public:
  SerialCutter(const std::string& layer, const BitSerialForm& first_row, const std::vector<int>& planes, int most_rows,
               const mapping::Tile& tile)
      : layer_(layer), sizes_(first_row, planes), most_rows_(most_rows), tile_(tile) {}

  Size whole(int rows) const { return sizes_.whole(0, rows); }

  /// Rows of one kernel share its columns; sums that turn south take columns too, so cut rows are as many as leave half the tile.
  RowBlock block(int first, int left) const {
    const int64_t width = tile_.width ? tile_.width : std::numeric_limits<int32_t>::max();
    const int columns = sizes_.columns();
    const auto good = [&](int n) {
      const int64_t end = sizes_.end_width(n);
      return fits({0, sizes_.height(first, n)}, tile_) && (2 * columns + end <= width || (columns > 0 && end <= width / 2));
    };
    int count = equal_rows_that(left, most_rows_, good);
    if (count == 0 && columns > 0 && fits({0, sizes_.height(first, 1)}, tile_) && sizes_.end_width(1) + 2 <= width) count = 1;
    if (count == 0) throw too_small(layer_, tile_, {2 + sizes_.end_width(1), sizes_.height(first, 1)});
    const auto last = id_of((width - sizes_.end_width(count)) / 2), part = id_of(width / 2);
    RowBlock block{first, count, CutForm::kSerial, {}};
    if (columns > 0) block.parts = equal_parts(id_of(columns), part, last);
    if (block.parts.size() <= 1) block.form = CutForm::kWhole;
    return block;
  }

 private:
  const std::string layer_;
  const SerialSizes sizes_;
  const int most_rows_;
  const mapping::Tile tile_;
};

std::vector<int> planes_of(const MatrixPlan& plan) {
  std::vector<int> planes;
  for (const auto& row : plan.weights) planes.push_back(row.empty() ? 1 : count_of(digit_planes(row)));
  return planes;
}

/// What a layout on a flawless fabric may take of a tile with defects. Rows and strips step aside: 1 % bad cells lengthen kernels by 10 to
/// 30 % in either direction (docs/defects.md).
mapping::Tile room_among(const Defects& defects, const mapping::Tile& tile) {
  constexpr double kGrowth = 30, kMostGrowth = 1;  // by the share of bad cells
  int width = tile.width, height = tile.height;
  for (const BadCell& c : defects.cells) {
    if (tile.width == 0) width = std::max(width, c.x + 1);
    if (tile.height == 0) height = std::max(height, c.y + 1);
  }
  const auto bad = static_cast<double>(clip(defects, width, height).cells.size());
  if (bad == 0) return tile;
  const double size = 1 + std::min(kMostGrowth, kGrowth * bad / (static_cast<double>(width) * height));
  const auto room = [&](int side) { return side == 0 ? 0 : std::max(1, static_cast<int>(side / size)); };
  return {room(tile.width), room(tile.height)};
}

class Cutter {
 public:
  Cutter(const MatrixLayer& layer, const MatrixPlan& plan, int most_rows, const LowerParams& params)
      : layer_(layer),
        word_slots_(plan.word_slots),
        serial_(layer.name, matrix_form(layer, plan, 0, 1), planes_of(plan), most_rows, room_among(params.defects, params.tile)),
        tile_(params.tile),
        form_(params.defects.empty() ? choose(params.optimize) : CutForm::kSerial) {}

  std::vector<RowBlock> run() const {
    const int rows = count_of(layer_.weights);
    std::vector<RowBlock> blocks;
    for (int first = 0; first < rows; first += blocks.back().count) {
      const int left = rows - first;
      blocks.push_back(form_ == CutForm::kSerial ? serial_.block(first, left) : count_block(first, left));
    }
    return blocks;
  }

 private:
  int rows() const { return count_of(layer_.weights); }

  /// The form of the uncut layer.
  CutForm choose(mapping::Optimize optimize) const {
    const auto form = popcount_form(layer_, 0, rows());
    if (!form) return CutForm::kSerial;
    if (layer_.operand->count < int_of(mapping::kLeastPart) || mapping::popcount_wave_state(*form).counts.empty()) return CutForm::kSerial;
    const Size whole = serial_.whole(rows());
    constexpr CutForm kForms[] = {CutForm::kSerial, CutForm::kParallel, CutForm::kInterleaved};
    return kForms[mapping::cheapest(optimize, {{whole.width * whole.height, word_slots_},
                                               {mapping::popcount_wave_cells(*form), 1},
                                               {mapping::popcount_ii2_size(*form).cells(), 2}})];
  }

  RowBlock count_block(int first, int left) const {
    const auto inputs = id_of(layer_.operand->count);
    const bool interleaved = form_ == CutForm::kInterleaved;
    const auto width = id_of(tile_.width ? tile_.width : std::numeric_limits<int32_t>::max() / 2);
    const uint32_t part = interleaved ? 2 * width : width;
    if (part < mapping::kLeastPart) throw too_small(layer_.name, tile_, {mapping::kLeastPart, 1});
    const auto height = [&](int n) {
      const PopcountForm form = *popcount_form(layer_, first, n);
      return int64_t{interleaved ? mapping::popcount_ii2_size(form).rows : mapping::popcount_wave_size(form, {0, inputs}).second};
    };
    const int count = equal_rows_that(left, left, [&](int n) { return fits({0, height(n)}, tile_); });
    if (count == 0) throw too_small(layer_.name, tile_, {1, height(1)});
    RowBlock block{first, count, form_, equal_parts(inputs, part, part)};
    if (interleaved && block.parts.size() > 1 && mapping::popcount_ii2_state_bits(*popcount_form(layer_, first, count)) == 0)
      return serial_.block(first, count);  // constants only: there is nothing to hand on
    return block;
  }

  const MatrixLayer& layer_;
  const int word_slots_;
  const SerialCutter serial_;
  const mapping::Tile tile_;
  const CutForm form_;
};

}  // namespace

std::vector<RowBlock> cut_layer(const MatrixLayer& layer, const MatrixPlan& plan, int most_rows, const LowerParams& params) {
  return Cutter(layer, plan, most_rows, params).run();
}

std::vector<RowBlock> cut_serial(const std::string& layer, const BitSerialForm& first_row, const std::vector<int>& planes, int most_rows,
                                 const mapping::Tile& tile) {
  const SerialCutter cutter(layer, first_row, planes, most_rows, tile);
  const int rows = count_of(planes);
  std::vector<RowBlock> blocks;
  for (int first = 0; first < rows; first += blocks.back().count) blocks.push_back(cutter.block(first, rows - first));
  return blocks;
}

}  // namespace bitgrid::numerics
