// Runs a mapped kernel on the verilated fabric, as hardware would: the configuration through the chains, then bits at the border ports.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ir/bits.h"
#include "ir/mapped_kernel.h"
#include "rtl/fabric_grid.h"

namespace bitgrid::rtl {

/// The fabric that a kernel needs. Chains of 16 bits: a simulated load costs as much as 1 / chain_bits.
inline FabricShape fabric_shape(const MappedKernel& kernel) {
  return {kernel.grid.width, kernel.grid.height, 16};
}

struct FabricKernelStats {
  uint64_t invocations = 0;
  uint64_t reconfigurations = 0;    // times that columns were loaded to change resident bits
  uint64_t reconfigured_cells = 0;  // of which the word changed then
};

/// Invocations enter ii cycles apart; constant streams run in every phase, from lead_cycles before the first invocation on. Where resident
/// bits change, the last output is awaited and the columns of the changed cells are loaded again; all others keep their words, and every
/// cell its latches. Reads a MappedKernel by its definition alone and shares no code with bitgrid_sim.
class FabricKernel {
 public:
  /// Throws Error if verify(kernel) objects or `model` is not a fabric of that size.
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
  int64_t now_ = 0;  // next phase; phase 0 of invocations are multiples of the period
};

}  // namespace bitgrid::rtl
