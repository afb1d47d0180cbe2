// The kernel to be mapped, and facts about it that several strategies need, computed once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/bits.h"
#include "ir/defects.h"
#include "ir/lut_network.h"
#include "ir/program.h"
#include "lowering/mapping/effort.h"
#include "lowering/mapping/netlist/map_netlist.h"
#include "lowering/mapping/objective.h"
#include "lowering/mapping/stop_point.h"
#include "lowering/synthesis/logic_graph.h"
#include "lowering/synthesis/techmap.h"

namespace bitgrid::mapping {

/// Returns the Dag's outputs for every value of its input bits: 2^k words. Throws Error if it has more than max_inputs input bits, or no
/// outputs.
std::vector<BitVector> truth_table(const Dag& dag, uint32_t max_inputs = 12);

struct Strategy;  // strategy.h

/// How kernels without a matrix form are timed.
enum class MapMode : uint8_t {
  kAuto,
  kWave,    // II = 1
  kSettle,  // inputs held until everything has settled
};

struct MapParams {
  uint64_t seed = 1;
  Optimize optimize = Optimize::kArea;
  MapMode mode = MapMode::kAuto;     // of kernels of unknown structure; matrices have no modes
  uint32_t plane_inputs = 12;        // kernels with at most this many input bits are tried as planes
  Defects defects = {};              // of a tile: every kernel lies at its north-west corner and avoids them
  Effort effort = Effort::kDefault;  // of netlists
  std::string strategy = {};         // from the table in strategy.h, for kernels of the kind that it takes; empty: chosen for each kernel
  StopPoint stop_point = nullptr;    // not part of mapping_key
  const std::vector<Strategy>* table = nullptr;  // of strategies, instead of strategies(); must outlive the mapping
};

/// A kernel with the parameters of its mapping. Both must outlive this object. Threads must not share it.
class MappingProblem {
 public:
  MappingProblem(const Kernel& a_kernel, const MapParams& map_params) : kernel(a_kernel), params(map_params) {}
  MappingProblem(const MappingProblem&) = delete;
  MappingProblem& operator=(const MappingProblem&) = delete;

  const Kernel& kernel;
  const MapParams& params;

  /// Has the form of a matrix, of a part of one, or of a product.
  bool matrix() const { return kernel.form.serial || kernel.form.parallel || kernel.form.streamed || kernel.form.product; }
  /// The word-serial form, without slots that only carry zeros.
  const BitSerialForm& words() const;
  const synthesis::LogicGraph& graph() const;
  /// Returns whether there are few enough input bits for `table`.
  bool has_table() const;
  const std::vector<BitVector>& table() const;
  /// Returns the kernel as LUT4s, before and after simplification.
  const LutNetwork& network() const;
  const synthesis::TechmapStats& techmap() const;
  const NetlistSize& luts() const;

 private:
  mutable std::optional<BitSerialForm> words_;
  mutable std::optional<synthesis::LogicGraph> graph_;
  mutable std::optional<std::vector<BitVector>> table_;
  mutable std::optional<LutNetwork> network_;
  mutable synthesis::TechmapStats techmap_;
  mutable std::optional<NetlistSize> luts_;
};

}  // namespace bitgrid::mapping
