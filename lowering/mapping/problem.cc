#include "lowering/mapping/problem.h"

#include "ir/dag.h"
#include "lowering/mapping/matrix/trailing_zero_bits.h"
#include "lowering/mapping/planes/plane.h"

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

}  // namespace bitgrid::mapping
