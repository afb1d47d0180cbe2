#include "estimate/shape_plans.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <tuple>

#include "ir/index.h"
#include "lowering/mapping/matrix/popcount_ii2.h"
#include "lowering/mapping/matrix/sum_difference.h"
#include "lowering/mapping/matrix/trailing_zero_bits.h"
#include "lowering/numerics/kernel_dag.h"
#include "lowering/numerics/program_builder.h"
#include "lowering/numerics/tiling.h"

namespace bitgrid::estimate {
namespace {

std::string key_of(const Tensor* t) {
  if (!t) return "-";
  const Encoding& e = t->encoding;
  return fmt::format("{} {} {} {} {}", t->count, e.bits, e.scale, fmt::join(e.zero, ","), fmt::join(t->max_code, ","));
}

std::string key_of(const Activation& a) {
  if (const auto* r = std::get_if<Requantise>(&a))
    return fmt::format("{} {} {} {} {}", r->shift, r->lo, r->hi, fmt::join(r->multiplier, ","), fmt::join(r->bias, ","));
  if (const auto* s = std::get_if<Sign>(&a)) return fmt::format("sign {}", fmt::join(s->bias, ","));
  return "-";
}

std::string key_of(const ShapeMatrix& m) {
  return fmt::format("{};{};{};{};{};{};{};{}", key_of(m.operand), m.rows, fmt::join(m.entries, ","), m.filled, m.no_zeros,
                     key_of(m.residual), key_of(m.activation), m.raw);
}

std::string key_of(const numerics::ResidentLayer& l) {
  std::string key = fmt::format("{} {} {} {} {} {};{} {} {};{}", l.matrix.rows, l.matrix.columns, l.matrix.encoding.bits,
                                l.matrix.encoding.scale, fmt::join(l.matrix.encoding.zero, ","), l.matrix.slots_are_rows, l.stream_bits,
                                l.stream_shift, l.stream_max, key_of(l.activation));
  if (l.start) key += fmt::format(";{} {}", l.start->lo, l.start->hi);
  if (l.term) key += fmt::format(";{} {} {}", l.term->bits, l.term->max, l.term->zero);
  return key;
}

/// Inputs of a kernel and whether partial sums come from the part before it and go on to the next.
struct Columns {
  uint32_t count = 0;
  bool first = true, last = true;
};

/// What the sizes of a matrix's kernels follow from.
struct Maker {
  const ShapeMatrix& matrix;
  const numerics::MatrixPlan& plan;
  const BitSerialForm first_row;  // and its first column, if there are any
  int planes = 1;

  /// A kernel of `rows` rows like the first; its columns have no weights.
  BitSerialForm form(int rows, const Columns& part) const {
    BitSerialForm form = first_row;
    if (matrix.operand) form.columns.assign(part.count, Word(form.columns[0]));
    RowGroup& group = form.groups[0];
    const auto slots = id_of(plan.word_slots);
    PlaneRow row{{}, {}, plan.start[0], std::nullopt};
    if (!part.first) row = {{}, {}, 0, Word{0, slots, 0, (uint64_t{1} << slots) - 1}};
    if (part.last) {
      group.planes.assign(index_of(planes), row);
      form.groups.assign(index_of(rows), RowGroup(group));
      return form;
    }
    BitSerialForm sums;
    sums.columns = std::move(form.columns);
    sums.groups.assign(index_of(rows) * index_of(planes), RowGroup{{row}, std::nullopt});
    sums.raw_bits = slots;
    sums.word_slots = plan.word_slots;
    return sums;
  }

  ShapePiece serial(int rows, const Columns& part) const {
    const BitSerialForm words = mapping::drop_trailing_zero_bits(form(rows, part));
    ShapePiece piece{"bit-serial", mapping::bit_serial_size(words)};
    const auto paired = matrix.no_zeros && matrix.operand ? mapping::sum_difference_size(words) : std::nullopt;
    if (paired && paired->cells() < piece.size.cells()) piece = {"sum-difference", *paired};
    const int64_t state = int64_t{rows} * planes * plan.word_slots;
    const int64_t in = matrix.operand ? int64_t{part.count} * matrix.operand->encoding.bits : 0;
    piece.port_bits = in + (part.first ? 0 : state) + (part.last ? rows * end_bits() : state);
    piece.bit_macs = in * rows;
    return piece;
  }

  /// Bits that a row exchanges with memory besides the operand's.
  int64_t end_bits() const {
    return (matrix.residual ? matrix.residual->encoding.bits : 0) + (matrix.raw ? plan.raw_encoding.bits : 0) +
           (plan.end ? plan.end->encoding.bits : 0);
  }

  /// One-bit operands and a sign at the row ends, which the parallel forms take.
  bool counts_bits() const {
    return matrix.operand && matrix.operand->encoding.bits == 1 && std::holds_alternative<Sign>(matrix.activation) && !matrix.residual &&
           !matrix.raw && matrix.operand->count >= static_cast<int>(mapping::kLeastPart) &&
           std::all_of(matrix.entries.begin(), matrix.entries.end(), [](int64_t w) { return w == 1 || w == -1; });
  }

  /// The cheapest form of a whole kernel.
  ShapePiece cheapest(int rows, mapping::Optimize optimize) const {
    ShapePiece piece = serial(rows, {columns(), true, true});
    if (!counts_bits()) return piece;
    const std::pair<const char*, mapping::BitSerialSize> forms[] = {
        {nullptr, piece.size}, {"popcount-wave", count_size(rows, false)}, {"popcount-ii2", count_size(rows, true)}};
    std::vector<mapping::FormSize> sizes;
    for (const auto& [name, size] : forms) sizes.push_back({size.cells(), size.ii});
    const auto& [name, size] = forms[bitgrid::mapping::cheapest(optimize, sizes)];
    piece.size = size;
    if (name) piece.strategy = name;
    return piece;
  }

  /// Thresholds in the middle, where counts are longest. Sizes and latencies are affine in the number of pairs of rows.
  mapping::BitSerialSize count_size(int rows, bool interleaved) const {
    const auto of = [&](size_t n) {
      PopcountForm form;
      form.inputs = columns();
      PopcountRow row{std::vector<int8_t>(form.inputs, 1), (form.inputs + 1) / 2};
      for (size_t c = 0; c < form.inputs; c += 2) row.weights[c] = -1;
      if (!matrix.no_zeros) row.weights[0] = 0;
      form.rows.assign(n, row);
      const MappedKernel m = interleaved ? mapping::map_popcount_ii2("", form) : mapping::map_popcount_wave("", form);
      return mapping::BitSerialSize{m.grid.width, m.grid.height, m.ii, latency_cycles(m)};
    };
    const mapping::BitSerialSize two = of(2), four = of(4), six = of(6);
    const int pairs = (rows + 1) / 2 - 2;  // beyond four rows
    return {two.width, four.height + pairs * (four.height - two.height), two.ii,
            std::max(two.latency_cycles, four.latency_cycles + pairs * (six.latency_cycles - two.latency_cycles) / 2)};
  }

  uint32_t columns() const { return matrix.operand ? static_cast<uint32_t>(matrix.operand->count) : 0; }
};

/// Blocks of rows, and each of them part by part: equal ones together.
void add_cut(const Maker& maker, const std::vector<numerics::RowBlock>& blocks, PlannedMatrix& planned) {
  std::map<int, int64_t> rows;  // of a block -> blocks
  for (const numerics::RowBlock& block : blocks) ++rows[block.count];
  for (const auto& [count, number] : rows) {
    const auto block =
        std::find_if(blocks.begin(), blocks.end(), [count = count](const numerics::RowBlock& b) { return b.count == count; });
    std::vector<InputPart> parts = block->parts;
    if (parts.empty()) parts.push_back({0, maker.columns()});
    std::map<std::tuple<uint32_t, bool, bool>, ShapePiece> made;
    for (size_t p = 0; p < parts.size(); ++p) {
      const Columns columns{parts[p].count, p == 0, p + 1 == parts.size()};
      const auto [it, fresh] = made.try_emplace({columns.count, columns.first, columns.last});
      if (fresh) it->second = maker.serial(count, columns);
      ShapePiece piece = it->second;
      piece.count = number;
      piece.stage = static_cast<int>(p);
      planned.pieces.push_back(std::move(piece));
    }
    planned.stages = std::max(planned.stages, static_cast<int>(parts.size()));
  }
}

}  // namespace

PlannedMatrix ShapePlans::make(const std::string& name, const ShapeMatrix& m) const {
  const auto columns = index_of(m.operand ? m.operand->count : 0);
  numerics::MatrixLayer layer{name, m.operand, {}, m.residual, m.activation, m.raw, {}};
  for (const int64_t entry : m.entries) {
    layer.weights.emplace_back(columns);
    std::fill_n(layer.weights.back().begin(), m.filled >= 0 && m.operand ? index_of(m.filled) : columns, entry);
  }
  PlannedMatrix planned{numerics::plan_matrix(layer), {}};
  int digit_planes = 1;
  for (auto& row : planned.plan.weights) {
    digit_planes = std::max(digit_planes, row.empty() ? 1 : count_of(numerics::digit_planes(row)));
    row.resize(std::min<size_t>(row.size(), 1));
  }
  Tensor column;
  if (m.operand) {
    column = *m.operand;
    column.count = 1;
    layer.operand = &column;
  }
  const Maker maker{m, planned.plan, numerics::matrix_form(layer, planned.plan, 0, 1), digit_planes};
  planned.plan.weights.clear();
  const auto& end = planned.plan.end;
  const bool turns = m.residual || (end && !(end->sign && planned.plan.strip_constant == 0));
  const int block = m.operand ? numerics::block_rows(m.rows, m.operand->count, maker.planes, turns) : m.rows;
  if (params_.tile.bounded()) {
    const std::vector<int> planes(index_of(m.rows), maker.planes);
    add_cut(maker, numerics::cut_serial(name, maker.form(1, {maker.columns(), true, true}), planes, block, params_.tile), planned);
    return planned;
  }
  planned.pieces.push_back(maker.cheapest(block, params_.optimize));
  planned.pieces[0].count = m.rows / block;
  return planned;
}

const PlannedMatrix& ShapePlans::matrix(const std::string& name, const ShapeMatrix& matrix) {
  const std::string key = key_of(matrix);
  const auto found = matrices_.find(key);
  return found != matrices_.end() ? found->second : matrices_.emplace(key, make(name, matrix)).first->second;
}

const PlannedResident& ShapePlans::resident(const numerics::ResidentLayer& layer) {
  const std::string key = key_of(layer);
  if (const auto found = residents_.find(key); found != residents_.end()) return found->second;
  PlannedResident planned{numerics::plan_resident(layer), {}, 0};
  const numerics::ResidentMatrix& m = layer.matrix;
  numerics::ResidentLayer first_row = layer;
  first_row.matrix.rows = 1;
  BitSerialForm form = numerics::resident_form(first_row, planned.plan);
  RowGroup group = std::move(form.groups[0]);
  for (PlaneRow& row : group.planes) row.residents.clear();
  const int planes = count_of(group.planes);
  form.groups.assign(index_of(m.rows), group);
  planned.size = mapping::bit_serial_size(mapping::drop_trailing_zero_bits(std::move(form)));
  planned.resident_cells = int64_t{m.rows} * m.columns * planes;
  return residents_.emplace(key, std::move(planned)).first->second;
}

}  // namespace bitgrid::estimate
