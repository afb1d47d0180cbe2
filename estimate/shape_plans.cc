#include "estimate/shape_plans.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <tuple>

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
  int planes = 1;

  /// A kernel of `rows` rows, all alike; its columns have no weights.
  BitSerialForm form(int rows, const Columns& part) const {
    BitSerialForm form;
    if (matrix.operand) {
      const Tensor& x = *matrix.operand;
      const auto shift = static_cast<uint32_t>(std::countr_zero(static_cast<uint64_t>(x.encoding.scale)));
      form.columns.assign(part.count, {0, x.encoding.bits, shift + word_shift(), x.max_code[0]});
    }
    PlaneRow row{{}, {}, plan.start[0], std::nullopt};
    const auto slots = static_cast<uint32_t>(plan.word_slots);
    if (!part.first) row = {{}, {}, 0, Word{0, slots, 0, (uint64_t{1} << slots) - 1}};
    form.word_slots = plan.word_slots;
    if (!part.last) {
      form.raw_bits = slots;
      form.groups.assign(static_cast<size_t>(rows) * static_cast<size_t>(planes), RowGroup{{row}, std::nullopt});
      return form;
    }
    RowGroup group;
    group.planes.assign(static_cast<size_t>(planes), row);
    if (matrix.residual) group.residual = Word{0, matrix.residual->encoding.bits, word_shift(), matrix.residual->max_code[0]};
    if (plan.end) {
      group.multiplier = plan.end->multiplier[0];
      group.multiplier_constant = plan.end->multiplier_constant[0];
      form.sign = plan.end->sign;
      form.multiply = plan.end->multiply;
      if (!form.sign) form.clamp = plan.end->clamp;
    }
    form.groups.assign(static_cast<size_t>(rows), group);
    if (matrix.raw) form.raw_bits = plan.raw_encoding.bits;
    form.raw_shift = word_shift();
    form.strip_constant = plan.strip_constant;
    return form;
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

  uint32_t word_shift() const { return static_cast<uint32_t>(plan.word_shift); }
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
  const auto columns = static_cast<size_t>(m.operand ? m.operand->count : 0);
  numerics::MatrixLayer layer{name, m.operand, {}, m.residual, m.activation, m.raw, {}};
  for (const int64_t entry : m.entries) {
    layer.weights.emplace_back(columns);
    std::fill_n(layer.weights.back().begin(), m.filled >= 0 && m.operand ? static_cast<size_t>(m.filled) : columns, entry);
  }
  PlannedMatrix planned{numerics::plan_matrix(layer), {}};
  Maker maker{m, planned.plan};
  for (const auto& row : planned.plan.weights)
    maker.planes = std::max(maker.planes, row.empty() ? 1 : static_cast<int>(numerics::digit_planes(row).size()));
  planned.plan.weights.clear();
  const auto& end = planned.plan.end;
  const bool turns = m.residual || (end && !(end->sign && planned.plan.strip_constant == 0));
  const int block = m.operand ? numerics::block_rows(m.rows, m.operand->count, maker.planes, turns) : m.rows;
  if (params_.tile.bounded()) {
    const std::vector<int> planes(static_cast<size_t>(m.rows), maker.planes);
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
  const numerics::RowEnd& end = planned.plan.end;
  const numerics::ResidentMatrix& m = layer.matrix;
  const size_t planes = m.encoding.scale == 2 ? 1 : m.encoding.bits;
  BitSerialForm form;
  const auto left = static_cast<uint32_t>(planned.plan.left);
  form.columns.assign(static_cast<size_t>(m.columns), {0, layer.stream_bits, layer.stream_shift + left, layer.stream_max});
  RowGroup group;
  group.planes.assign(planes, {{}, {}, 1, std::nullopt});
  if (layer.start) group.planes.back().start_word = Word{0, planned.plan.start_bits, 0, 0};
  if (layer.term) group.residual = Word{0, layer.term->bits, left, layer.term->max};
  group.multiplier = end.multiplier[0];
  group.multiplier_constant = end.multiplier_constant[0];
  form.groups.assign(static_cast<size_t>(m.rows), group);
  form.sign = end.sign;
  form.multiply = end.multiply;
  if (!form.sign) form.clamp = end.clamp;
  form.word_slots = planned.plan.word_slots;
  planned.size = mapping::bit_serial_size(mapping::drop_trailing_zero_bits(std::move(form)));
  planned.resident_cells = int64_t{m.rows} * m.columns * static_cast<int64_t>(planes);
  return residents_.emplace(key, std::move(planned)).first->second;
}

}  // namespace bitgrid::estimate
