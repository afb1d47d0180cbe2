#include "lowering/mapping/problem.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/dag.h"
#include "ir/error.h"
#include "lowering/mapping/matrix/trailing_zero_bits.h"

namespace bitgrid::mapping {

const BitSerialForm& MappingProblem::words() const {
  if (!words_) words_ = drop_trailing_zero_bits(*kernel.form.serial);
  return *words_;
}

const synthesis::LogicGraph& MappingProblem::graph() const {
  if (!graph_) graph_ = synthesis::logic_graph(kernel.dag);
  return *graph_;
}

bool MappingProblem::has_table() const {
  return input_bits(kernel.dag) > 0 && input_bits(kernel.dag) <= params.plane_inputs && output_bits(kernel.dag) > 0;
}

const std::vector<BitVector>& MappingProblem::table() const {
  if (!table_) table_ = truth_table(kernel.dag, params.plane_inputs);
  return *table_;
}

const LutNetwork& MappingProblem::network() const {
  if (!network_) network_ = synthesis::map_to_luts(graph(), {}, &techmap_);
  return *network_;
}

const synthesis::TechmapStats& MappingProblem::techmap() const {
  network();
  return techmap_;
}

const NetlistSize& MappingProblem::luts() const {
  if (!luts_) luts_ = netlist_size(network());
  return *luts_;
}

std::vector<BitVector> truth_table(const Dag& dag, uint32_t max_inputs) {
  const uint32_t inputs = input_bits(dag), outputs = output_bits(dag);
  if (inputs > max_inputs)
    throw Error("kernel " + dag.name, fmt::format("{} input bits are too many for one table (limit {})", inputs, max_inputs),
                "split the kernel, or map it as a netlist");
  if (outputs == 0) throw Error("kernel " + dag.name, "it has no outputs", "add an output");
  const size_t rows = size_t{1} << inputs;
  BitMatrix all(rows, inputs);
  for (size_t r = 0; r < rows; ++r)
    if (inputs > 0) all.set_word(r, 0, inputs, r);
  const BitMatrix values = evaluate(dag, all);
  std::vector<BitVector> table(rows, BitVector(outputs));
  for (size_t r = 0; r < rows; ++r)
    std::copy_n(values.words.begin() + static_cast<std::ptrdiff_t>(r * values.stride), values.stride, table[r].words.begin());
  return table;
}

}  // namespace bitgrid::mapping
