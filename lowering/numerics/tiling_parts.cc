#include "lowering/numerics/tiling_parts.h"

#include <algorithm>
#include <bit>

#include "ir/index.h"
#include "lowering/mapping/matrix/popcount_ii2.h"
#include "lowering/numerics/kernel_dag.h"

namespace bitgrid::numerics {
namespace {

mapping::CountState state_of(const PopcountForm& form, const RowBlock& block) {
  return block.form == CutForm::kInterleaved ? mapping::popcount_ii2_state(form) : mapping::popcount_wave_state(form);
}

/// Agreements of inputs with weights.
void add_agreements(Sum& sum, const std::vector<NodeId>& x, const std::vector<int8_t>& weights) {
  sum.add_products(x, {weights.begin(), weights.end()}, 0);
  sum.add_constant(std::count(weights.begin(), weights.end(), -1));
}

class CountKernel {
 public:
  CountKernel(const PopcountForm& form, const RowBlock& block, size_t part, const std::string& name)
      : state_(state_of(form, block)), part_(block.parts[part]), first_(part == 0), last_(part + 1 == block.parts.size()) {
    kernel_.name = kernel_.dag.name = name;
    kernel_.bit_macs = std::ssize(form.rows) * part_.count;
  }

  Kernel build() {
    x_ = add_input(dag(), "x", part_.count);
    kernel_.inputs.push_back({int_of(part_.count), 1, {1}});
    if (!first_) {
      s_ = add_input(dag(), "s", state_.bits);
      kernel_.inputs.push_back({int_of(state_.bits), 1, {1}});
    }
    std::vector<NodeId> handed(last_ ? 0 : state_.bits), answers(state_.constant.size());
    if (state_.parity && !last_) handed[0] = parity();
    for (size_t r = 0; r < answers.size(); ++r) {
      if (state_.constant[r] && last_) answers[r] = add_constant(dag(), 1, *state_.constant[r]);
    }
    for (const mapping::RunningCount& count : state_.counts) {
      const std::vector<NodeId> bits = add(count);
      if (last_) answers[count.output] = count.invert ? complement(bits.back()) : bits.back();
      for (size_t b = 0; b < bits.size() && !last_; ++b) {
        if (count.bit[b] >= 0) handed[index_of(count.bit[b])] = bits[b];
      }
    }
    const auto& out = last_ ? answers : handed;
    add_output(dag(), last_ ? "y" : "s.next", pack(dag(), out));
    kernel_.outputs.push_back({count_of(out), 1, {}});
    return std::move(kernel_);
  }

 private:
  Dag& dag() { return kernel_.dag; }
  NodeId complement(NodeId a) { return add_node(dag(), Op::kXor, 1, {a, add_constant(dag(), 1, 1)}); }

  NodeId parity() {
    Sum ones(dag(), 1);
    ones.add(add_slice(dag(), add_node(dag(), Op::kPopcount, id_of(std::bit_width(part_.count)), {x_}), 0, 1));
    if (!first_) ones.add(add_slice(dag(), s_, 0, 1));
    return ones.finish();
  }

  /// Bit b of a count as it enters this part.
  NodeId before(const mapping::RunningCount& count, int b) {
    if (first_) return add_constant(dag(), 1, count.start >> b & 1);
    const int at = count.bit[index_of(b)];
    if (at >= 0) return add_slice(dag(), s_, id_of(at), 1);
    bool flip = count.start & 1;
    for (uint32_t i = 0; i < part_.first; ++i) flip ^= count.weights[i] < 0;
    const NodeId shared = add_slice(dag(), s_, 0, 1);
    return flip ? complement(shared) : shared;
  }

  /// Bits 0 .. top after this part.
  std::vector<NodeId> add(const mapping::RunningCount& count) {
    const auto top = id_of(count.top);
    const uint32_t width = std::max(top, id_of(std::bit_width(part_.count))) + 1;
    Sum sum(dag(), width);
    std::vector<NodeId> low;
    for (int b = 0; b < count.top; ++b) low.push_back(before(count, b));
    if (!low.empty()) sum.add(pack(dag(), low));
    const auto from = count.weights.begin() + part_.first;
    add_agreements(sum, {x_}, {from, from + part_.count});
    const NodeId total = sum.finish();
    std::vector<NodeId> bits;
    for (uint32_t b = 0; b < top; ++b) bits.push_back(add_slice(dag(), total, b, 1));
    const NodeId reached = add_node(dag(), Op::kLess, 1, {add_constant(dag(), width, (uint64_t{1} << top) - 1), total});
    bits.push_back(add_node(dag(), Op::kOr, 1, {before(count, count.top), reached}));
    return bits;
  }

  const mapping::CountState state_;
  const InputPart part_;
  const bool first_, last_;
  Kernel kernel_;
  NodeId x_ = 0, s_ = 0;
};

/// A plane of a row between two parts.
struct PlaneState {
  int64_t low = 0, high = 0;  // partial sums that occur
};

/// Ranges of the partial sums before input `end`.
std::vector<PlaneState> states_before(const BitSerialForm& form, uint32_t end) {
  std::vector<PlaneState> states;
  for (const RowGroup& group : form.groups) {
    for (const PlaneRow& row : group.planes) {
      PlaneState state{row.start, row.start};
      for (uint32_t c = 0; c < end; ++c) {
        const auto largest = static_cast<int64_t>(form.columns[c].max << form.columns[c].shift);
        if (row.weights[c] < 0) state.low -= largest;
        if (row.weights[c] > 0) state.high += largest;
      }
      states.push_back(state);
    }
  }
  return states;
}

/// Partial sums are tensors of P-bit words.
KernelPort state_port(const BitSerialForm& form, uint32_t end) {
  const auto states = states_before(form, end);
  KernelPort port{count_of(states), id_of(form.word_slots), {}};
  for (const PlaneState& s : states) {
    port.min_code.push_back(static_cast<uint64_t>(s.low));
    port.max_code.push_back(static_cast<uint64_t>(s.high));
  }
  return port;
}

class SerialKernel {
 public:
  SerialKernel(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const RowBlock& block, size_t part)
      : layer_(layer),
        plan_(plan),
        block_(block),
        whole_(matrix_form(layer, plan, block.first, block.count)),
        part_(block.parts[part]),
        first_(part == 0),
        last_(part + 1 == block.parts.size()) {
    kernel_.name = kernel_.dag.name = name;
  }

  Kernel build() {
    add_inputs();
    std::vector<NodeId> states, sums, results;
    size_t plane = 0;
    for (size_t i = 0; i < whole_.groups.size(); ++i) {
      const RowGroup& group = whole_.groups[i];
      if (!last_) {
        for (const PlaneRow& row : group.planes) states.push_back(partial_sum(row, plane++, width()));
      } else {
        lay_end(group, i, plane, sums, results);
        plane += group.planes.size();
      }
    }
    add_results("s.next", states, width());
    add_results("sum", sums, plan_.raw_encoding.bits);
    add_results("y", results, plan_.end ? plan_.end->encoding.bits : 0);
    kernel_.form.serial = sliced_form();
    return std::move(kernel_);
  }

 private:
  Dag& dag() { return kernel_.dag; }
  uint32_t width() const { return id_of(whole_.word_slots); }
  uint32_t operand_bits() const { return part_.count * layer_.operand->encoding.bits; }

  void add_inputs() {
    const Tensor& x = *layer_.operand;
    const auto count = int_of(part_.count);
    const NodeId port = add_input(dag(), "x", operand_bits());
    for (uint32_t b = 0; b < x.encoding.bits; ++b) x_.push_back(bit_plane(dag(), port, 0, count, x.encoding.bits, b));
    KernelPort words{count, x.encoding.bits, x.max_code};
    if (words.max_code.size() > 1) words.max_code = {x.max_code.begin() + part_.first, x.max_code.begin() + part_.first + count};
    kernel_.inputs.push_back(std::move(words));
    kernel_.bit_macs = int64_t{block_.count} * operand_bits();
    if (!first_) {
      const KernelPort state = state_port(whole_, part_.first);
      s_ = add_input(dag(), "s", id_of(state.words) * state.bits);
      state_words_ = id_of(state.words);
      kernel_.inputs.push_back(state);
    }
    if (last_ && layer_.residual) {
      const Tensor& r = *layer_.residual;
      r_ = add_input(dag(), "r", id_of(block_.count) * r.encoding.bits);
      KernelPort residual{block_.count, r.encoding.bits, r.max_code};
      if (residual.max_code.size() > 1)
        residual.max_code = {r.max_code.begin() + block_.first, r.max_code.begin() + block_.first + block_.count};
      kernel_.inputs.push_back(std::move(residual));
    }
  }

  uint32_t slot_shift(const Tensor& t) const { return id_of(std::countr_zero(static_cast<uint64_t>(t.encoding.scale)) + plan_.word_shift); }

  void add_products(Sum& sum, const PlaneRow& row, uint32_t shift) {
    const auto from = row.weights.begin() + part_.first;
    sum.add_products(x_, {from, from + part_.count}, slot_shift(*layer_.operand) + shift);
  }

  NodeId partial_sum(const PlaneRow& row, size_t plane, uint32_t bits) {
    Sum sum(dag(), bits);
    add_start(sum, row, plane, 0);
    add_products(sum, row, 0);
    return sum.finish();
  }

  void add_start(Sum& sum, const PlaneRow& row, size_t plane, uint32_t shift) {
    if (first_) {
      sum.add_constant(row.start << shift);
    } else {
      sum.add(add_slice(dag(), s_, id_of(plane) * width(), width()), shift);
    }
  }

  /// Planes put together, the residual, and the activation: as matrix_kernel has them.
  void lay_end(const RowGroup& group, size_t i, size_t plane, std::vector<NodeId>& sums, std::vector<NodeId>& results) {
    const auto r = index_of(block_.first) + i;
    Sum sum(dag(), width() + (plan_.end && plan_.end->sign ? 0 : 1));
    for (size_t p = 0; p < group.planes.size(); ++p) {
      const auto shift = id_of(group.planes.size() - 1 - p);
      add_start(sum, group.planes[p], plane + p, shift);
      add_products(sum, group.planes[p], shift);
    }
    if (layer_.residual) {
      const uint32_t bits = layer_.residual->encoding.bits;
      sum.add(add_slice(dag(), r_, id_of(i) * bits, bits), slot_shift(*layer_.residual));
    }
    const NodeId node = sum.finish();
    if (layer_.raw) sums.push_back(add_slice(dag(), node, id_of(plan_.word_shift), plan_.raw_encoding.bits));
    if (plan_.end) results.push_back(result_node(dag(), node, *plan_.end, r, plan_.sum_offset[r]));
  }

  void add_results(const std::string& name, const std::vector<NodeId>& nodes, uint32_t bits) {
    if (nodes.empty()) return;
    add_output(dag(), name, pack(dag(), nodes));
    kernel_.outputs.push_back({count_of(nodes), bits, {}});
  }

  /// What the part's columns can take away from a partial sum, which never stands below it.
  uint64_t guard(const PlaneRow& row) const {
    uint64_t sum = 0;
    for (uint32_t c = part_.first; c < part_.first + part_.count; ++c)
      if (row.weights[c] < 0) sum += std::max<uint64_t>(1, whole_.columns[c].max) << whole_.columns[c].shift;
    return sum;
  }

  /// The whole form's columns and starts of this part; what happens at the row ends only in the last.
  BitSerialForm sliced_form() const {
    BitSerialForm form;
    form.word_slots = whole_.word_slots;
    const auto state_bit = operand_bits();
    for (uint32_t c = 0; c < part_.count; ++c) {
      Word word = whole_.columns[part_.first + c];
      word.first -= part_.first * layer_.operand->encoding.bits;
      form.columns.push_back(word);
    }
    const auto states = states_before(whole_, part_.first);
    uint32_t plane = 0;
    const auto sliced = [&](const PlaneRow& row) {
      PlaneRow out{{row.weights.begin() + part_.first, row.weights.begin() + part_.first + part_.count}, {}, row.start, std::nullopt};
      if (!first_) {
        out.start = 0;
        out.start_word = Word{state_bit + plane * width(), width(), 0, static_cast<uint64_t>(states[plane].high), guard(row)};
      }
      ++plane;
      return out;
    };
    for (const RowGroup& group : whole_.groups) {
      RowGroup out = group;
      out.planes.clear();
      for (const PlaneRow& row : group.planes) {
        out.planes.push_back(sliced(row));
        if (!last_) form.groups.push_back({{out.planes.back()}, std::nullopt});
      }
      if (!last_) continue;
      if (out.residual) {  // counted from the end of the operand, now behind the partial sums
        out.residual->first -= id_of(layer_.operand->count) * layer_.operand->encoding.bits;
        out.residual->first += operand_bits() + state_words_ * width();
      }
      form.groups.push_back(std::move(out));
    }
    if (last_) {
      form.raw_bits = whole_.raw_bits;
      form.raw_shift = whole_.raw_shift;
      form.strip_constant = whole_.strip_constant;
      form.multiply = whole_.multiply;
      form.clamp = whole_.clamp;
      form.sign = whole_.sign;
    } else {
      form.raw_bits = width();
    }
    return form;
  }

  const MatrixLayer& layer_;
  const MatrixPlan& plan_;
  const RowBlock& block_;
  const BitSerialForm whole_;
  const InputPart part_;
  const bool first_, last_;
  Kernel kernel_;
  std::vector<NodeId> x_;
  NodeId s_ = 0, r_ = 0;
  uint32_t state_words_ = 0;
};

}  // namespace

Kernel part_kernel(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const RowBlock& block, size_t part) {
  if (block.form == CutForm::kSerial) return SerialKernel(layer, plan, name, block, part).build();
  PopcountForm form = *popcount_form(layer, block.first, block.count);
  Kernel out = CountKernel(form, block, part, name).build();
  out.form.part = CountPart{block.parts[part], block.form == CutForm::kInterleaved};
  out.form.parallel = std::move(form);
  return out;
}

Tensor part_state(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const RowBlock& block, size_t part) {
  const uint32_t end = block.parts[part].first + block.parts[part].count;
  if (block.form != CutForm::kSerial) {
    const uint32_t bits = state_of(*popcount_form(layer, block.first, block.count), block).bits;
    return {name, int_of(bits), {1, 1, {0}}, {1}};
  }
  const KernelPort port = state_port(matrix_form(layer, plan, block.first, block.count), end);
  return {name, port.words, {port.bits, 1, {0}}, port.max_code};
}

}  // namespace bitgrid::numerics
