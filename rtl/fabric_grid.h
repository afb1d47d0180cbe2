// Drives the verilated fabric pin by pin: configuration through its chains, border ports phase by phase.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ir/grid_config.h"
#include "rtl/fabric.h"
#include "rtl/verilator.h"

namespace bitgrid::rtl {

struct FabricStats {
  uint64_t phases = 0;
  uint64_t configuration_clocks = 0;
  uint64_t loaded_columns = 0;
};

/// An instance of a model of fabric_source(shape). It starts in reset state: latches 0, phase 0, configuration unknown.
class FabricGrid {
 public:
  FabricGrid(std::shared_ptr<const RtlModel> model, const FabricShape& shape);

  /// Shifts the words of the columns in `columns` (all if empty) into them, southernmost cell first. Other columns keep their words, and
  /// outputs stay. Throws Error if the grid has another size.
  void load(const GridConfig& grid, const std::vector<int>& columns = {});

  /// Returns what the chains hold, by shifting them around once. For fabrics with flip-flops.
  GridConfig read_back();

  /// Sets the bit that the port carries in the next phases.
  void drive(Side side, int position, bool bit);
  /// Runs one phase.
  void step();
  /// Returns the bit that the border cell drives outward.
  bool sample(Side side, int position) const;

  const FabricStats& stats() const { return stats_; }

 private:
  void clock(bool rst, bool run);

  std::shared_ptr<const RtlModel> model_;
  FabricShape shape_;
  std::unique_ptr<void, void (*)(void*)> instance_;
  std::vector<uint32_t> in_, out_;
  // The first words of the ports in in_ and out_.
  size_t load_ = 0, config_in_ = 0, config_out_ = 0, side_in_[4] = {}, side_out_[4] = {};
  FabricStats stats_;
};

}  // namespace bitgrid::rtl
