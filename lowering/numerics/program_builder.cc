#include "lowering/numerics/program_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ir/index.h"
#include "lowering/numerics/kernel_dag.h"
#include "lowering/numerics/tiling_parts.h"

namespace bitgrid::numerics {
namespace {

/// Reads from row `row` of the source on.
void from_row(Source& source, int row) {
  if (auto* t = std::get_if<TensorSource>(&source)) t->first += row;
  if (auto* k = std::get_if<TokenSource>(&source)) k->first += row;
}

}  // namespace

Source source_of(const Stream& stream) {
  if (stream.embedding) return *stream.embedding;
  return TensorSource{stream.tensor, 0, 0};
}

std::vector<std::vector<int64_t>> weights_of(const Matrix& m) {
  std::vector<std::vector<int64_t>> rows(index_of(m.outputs));
  for (int r = 0; r < m.outputs; ++r) {
    for (int c = 0; c < m.inputs; ++c) rows[index_of(r)].push_back(m.at(r, c));
  }
  return rows;
}

int block_rows(int rows, int columns, int planes, bool strips) {
  constexpr int kStripRows = 4;  // of a clamp
  const auto cells = [&](int block) { return (rows / block) * mapping::bit_serial_cells(columns, block, planes, strips, kStripRows); };
  int64_t least = INT64_MAX;
  for (int block = 1; block <= rows; ++block) {
    if (rows % block == 0) least = std::min(least, cells(block));
  }
  for (int block = rows; block >= 1; --block) {
    if (rows % block == 0 && cells(block) <= least + least / 10) return block;
  }
  return rows;
}

int ProgramBuilder::add_tensor(const std::string& name, int count, const Encoding& encoding, const std::vector<uint64_t>& max_code) {
  program.tensors.push_back({name, count, encoding, max_code});
  return count_of(program.tensors) - 1;
}

int ProgramBuilder::add_kernel(Kernel kernel) {
  program.kernels.push_back(std::move(kernel));
  return count_of(program.kernels) - 1;
}

int ProgramBuilder::shared_kernel(const Kernel& kernel) {
  const auto [known, added] = shared_.try_emplace(kernel.name, -1);
  if (added) known->second = add_kernel(kernel);
  return known->second;
}

int ProgramBuilder::add_cache(int of_tensor, int window) {
  program.caches.push_back({of_tensor, window});
  return count_of(program.caches) - 1;
}

int ProgramBuilder::add_code_table(CodeTable table) {
  program.tables.push_back(std::move(table));
  return count_of(program.tables) - 1;
}

void ProgramBuilder::add_matrix(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name,
                                const std::vector<Source>& sources, int raw_tensor, int result_tensor) {
  const int rows = count_of(layer.weights), columns = layer.operand ? layer.operand->count : 0;
  size_t planes = 1;
  for (const auto& row : plan.weights) planes = std::max(planes, row.empty() ? 1 : digit_planes(row).size());
  // Sums with a sign at the row end leave east; clamps and residual words need a corner.
  const bool turns = layer.residual || (plan.end && !(plan.end->sign && plan.strip_constant == 0));
  const int block = layer.operand ? block_rows(rows, columns, int_of(planes), turns) : rows;
  if (params.tile.bounded()) return add_cut_matrix(layer, plan, name, sources, raw_tensor, result_tensor, block);
  for (int first = 0; first < rows; first += block) {
    const std::string part = block == rows ? name : fmt::format("{}.{}", name, first / block);
    add_rows(layer, plan, part, sources, raw_tensor, result_tensor, first, block);
  }
}

void ProgramBuilder::add_rows(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const std::vector<Source>& sources,
                              int raw_tensor, int result_tensor, int first, int count) {
  const int kernel = add_kernel(matrix_kernel(layer, plan, name, first, count));
  Step step{name, kernel, 1, stage, sources, {}};
  if (layer.residual) from_row(step.inputs.back(), first);
  if (raw_tensor >= 0) step.outputs.push_back({raw_tensor, first, 0});
  if (result_tensor >= 0) step.outputs.push_back({result_tensor, first, 0});
  program.steps.push_back(std::move(step));
}

void ProgramBuilder::add_cut_matrix(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name,
                                    const std::vector<Source>& sources, int raw_tensor, int result_tensor, int most_rows) {
  const auto blocks = cut_layer(layer, plan, most_rows, params);
  size_t stages = 1;
  for (size_t b = 0; b < blocks.size(); ++b) {
    const RowBlock& block = blocks[b];
    const std::string rows = blocks.size() == 1 ? name : fmt::format("{}.{}", name, b);
    if (block.form == CutForm::kWhole) {
      add_rows(layer, plan, rows, sources, raw_tensor, result_tensor, block.first, block.count);
      program.kernels.back().form.parallel.reset();  // its other form need not fit
      continue;
    }
    int state = -1;
    for (size_t p = 0; p < block.parts.size(); ++p) {
      const bool last = p + 1 == block.parts.size();
      const std::string part = block.parts.size() == 1 ? rows : fmt::format("{}.part{}", rows, p);
      const int kernel = add_kernel(part_kernel(layer, plan, part, block, p));
      Step step{part, kernel, 1, stage + int_of(p), {sources[0]}, {}};
      from_row(step.inputs[0], int_of(block.parts[p].first));
      if (p > 0) step.inputs.push_back(TensorSource{state, 0, 0});
      if (!last) {
        const Tensor t = part_state(layer, plan, part + ".state", block, p);
        state = add_tensor(t.name, t.count, t.encoding, t.max_code);
        step.outputs.push_back({state, 0, 0});
      } else {
        if (layer.residual) {
          step.inputs.push_back(sources.back());
          from_row(step.inputs.back(), block.first);
        }
        if (raw_tensor >= 0) step.outputs.push_back({raw_tensor, block.first, 0});
        if (result_tensor >= 0) step.outputs.push_back({result_tensor, block.first, 0});
      }
      program.steps.push_back(std::move(step));
    }
    stages = std::max(stages, block.parts.size());
  }
  stage += int_of(stages) - 1;
}

int ProgramBuilder::add_linear(const Linear& linear, int operand, const std::string& name, const std::string& result) {
  const Tensor x = tensor(operand);
  const MatrixLayer layer{name, &x, weights_of(linear.weights), nullptr, linear.activation, false, {}};
  const MatrixPlan plan = plan_matrix(layer);
  const int rows = linear.weights.outputs;
  const bool table = linear.table.has_value();
  const int out = add_tensor(table ? result + ".before_table" : result, rows, plan.end->encoding, {plan.end->max_code});
  add_matrix(layer, plan, name, {TensorSource{operand, 0, 0}}, -1, out);
  return table ? add_table(*linear.table, out, name + ".table", result) : out;
}

int ProgramBuilder::add_table(const Table& table, int operand, const std::string& name, const std::string& result) {
  const Tensor in = tensor(operand);
  const auto [lo, hi] = std::minmax_element(table.values.begin(), table.values.end());
  // Offset binary where a value is negative, so that the result may become resident; plain from 0 up.
  Encoding e;
  if (*lo >= 0) {
    e = {std::max(1u, id_of(std::bit_width(id_of(*hi)))), 1, {0}};
  } else {
    e.bits = 1 + id_of(std::bit_width(id_of(std::max(*hi, -*lo - 1))));
    e.zero = {-(int64_t{1} << (e.bits - 1))};
  }
  std::vector<BitVector> words;
  uint64_t max_code = 0;
  for (uint64_t code = 0; code < uint64_t{1} << in.encoding.bits; ++code) {
    const int64_t index = std::clamp<int64_t>(decode(in.encoding, 0, code) - table.lo, 0, std::ssize(table.values) - 1);
    const auto value = static_cast<uint64_t>(table.values[index_of(index)] - e.zero[0]);
    max_code = std::max(max_code, value);
    words.emplace_back(e.bits, value);
  }
  Kernel kernel;
  kernel.name = kernel.dag.name = name;
  Dag& dag = kernel.dag;
  add_output(dag, "y", add_lut(dag, add_input(dag, "x", in.encoding.bits), words));
  kernel.inputs.push_back({1, in.encoding.bits, {(uint64_t{1} << in.encoding.bits) - 1}});
  kernel.outputs.push_back({1, e.bits, {}});
  const int id = add_kernel(std::move(kernel));
  const int out = add_tensor(result, in.count, e, {max_code});
  ++stage;
  program.steps.push_back({name, id, in.count, stage, {TensorSource{operand, 0, 1}}, {{out, 0, 1}}});
  return out;
}

Stream ProgramBuilder::add_streams(const Stream& a, const Stream& b, const std::string& name) {
  ++stage;
  const int count = a.numbers.count;
  const uint32_t a_bits = a.numbers.encoding.bits, b_bits = b.numbers.encoding.bits;
  Stream sum;
  sum.numbers = {name, count, {0, 1, {}}, {}};
  for (size_t c = 0; c < index_of(count); ++c) {
    sum.numbers.max_code.push_back(a.numbers.max_code[c] + b.numbers.max_code[c]);
    sum.numbers.encoding.zero.push_back(a.numbers.encoding.zero[c] + b.numbers.encoding.zero[c]);
  }
  const uint64_t largest = *std::max_element(sum.numbers.max_code.begin(), sum.numbers.max_code.end());
  const uint32_t bits = std::max({id_of(std::bit_width(largest)), a_bits, b_bits});
  sum.numbers.encoding.bits = bits;
  Kernel kernel;
  BitSerialForm& form = kernel.form.serial.emplace();
  kernel.name = kernel.dag.name = name;
  kernel.inputs = {{count, b_bits, b.numbers.max_code}, {count, a_bits, a.numbers.max_code}};
  kernel.outputs = {{count, bits, {}}};
  Dag& dag = kernel.dag;
  const auto n = id_of(count);
  const NodeId x = add_input(dag, "x", n * b_bits), r = add_input(dag, "r", n * a_bits);
  std::vector<NodeId> sums;
  for (uint32_t c = 0; c < n; ++c) {
    sums.push_back(add_node(dag, Op::kAdd, bits, {add_slice(dag, x, c * b_bits, b_bits), add_slice(dag, r, c * a_bits, a_bits)}));
    RowGroup group;
    group.planes.push_back({{}, {}, 0, Word{c * b_bits, b_bits, 0, b.numbers.max_code[c]}});
    group.residual = Word{n * b_bits + c * a_bits, a_bits, 0, a.numbers.max_code[c]};
    form.groups.push_back(std::move(group));
  }
  add_output(dag, "sum", pack(dag, sums));
  form.raw_bits = bits;
  form.word_slots = int_of(bits);
  const int id = add_kernel(std::move(kernel));
  sum.tensor = add_tensor(name, count, sum.numbers.encoding, sum.numbers.max_code);
  program.steps.push_back({name, id, 1, stage, {source_of(b), source_of(a)}, {{sum.tensor, 0, 0}}});
  return sum;
}

}  // namespace bitgrid::numerics
