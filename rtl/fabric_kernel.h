// Runs a mapped kernel on the verilated fabric as hardware would: configuration through the chains, then bits at the border ports.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ir/bits.h"
#include "ir/mapped_kernel.h"
#include "rtl/fabric_grid.h"

namespace bitgrid::rtl {

/// Returns the fabric that a kernel needs. It has 16-bit chains, because the cost of a simulated load grows with 1 / chain_bits.
inline FabricShape fabric_shape(const MappedKernel& kernel) {
  return {kernel.grid.width, kernel.grid.height, 16};
}

struct FabricKernelStats {
  uint64_t invocations = 0;
  uint64_t reconfigurations = 0;    // number of times that columns were loaded to change resident bits
  uint64_t reconfigured_cells = 0;  // cells whose word then changed
};

/// Invocations enter ii cycles apart. Constant streams run in every phase, starting lead_cycles before the first invocation. If resident
/// bits change, it waits for the last output and reloads the columns of the changed cells. All other columns keep their words, and every
/// cell keeps its latches. It reads a MappedKernel only by its definition and shares no code with bitgrid_sim.
class FabricKernel {
 public:
  /// Throws Error if verify(kernel) does, or if `model` is not a fabric of that size.
  FabricKernel(const MappedKernel& kernel, std::shared_ptr<const RtlModel> model);

  /// inputs: rows = invocations, columns = kernel.input_bits. Returns rows x kernel.output_bits. Throws Error if the number of columns is
  /// wrong.
  BitMatrix run(const BitMatrix& inputs);

  const FabricKernelStats& stats() const { return stats_; }
  const FabricStats& fabric_stats() const { return fabric_.stats(); }

 private:
  struct Bit {
    uint32_t bit = 0;
    Side side = Side::N;
    int position = 0;
    int64_t phase = 0;
  };

  bool set_residents(const BitMatrix& inputs, size_t row);
  bool same_residents(const BitMatrix& inputs, size_t a, size_t b) const;
  void run_rows(const BitMatrix& inputs, size_t first, size_t end, int64_t start, BitMatrix& outputs);

  MappedKernel kernel_;
  FabricGrid fabric_;
  FabricKernelStats stats_;
  int64_t period_ = 2;
  int64_t first_phase_ = 0, last_phase_ = 0;               // of slots, relative to an invocation
  std::vector<std::vector<Bit>> inputs_, ones_, outputs_;  // by phase modulo the period; ones_: the ones of constant streams
  BitMatrix resting_;                                      // one row: input bits while no invocation enters
  bool loaded_ = false;
  int64_t now_ = 0;  // next phase; phase 0 of each invocation is a multiple of the period
};

}  // namespace bitgrid::rtl
