// Runs a mapped kernel on batches of invocations, phase by phase on the simulated grid.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/sliced.h"
#include "bitgrid_sim/vcd.h"
#include "ir/bits.h"
#include "ir/mapped_kernel.h"

namespace bitgrid {

enum class GridEngine : uint8_t { kScalar /* the definition */, kSliced /* fast */ };

struct KernelSimulatorParams {
  GridEngine engine = GridEngine::kSliced;
  bool lead_after_reconfiguration = false;  // wait lead_cycles again after resident cells have changed
};

struct KernelSimulatorStats {
  uint64_t phases = 0;
  uint64_t invocations = 0;
  uint64_t reconfigurations = 0;    // times that the pipeline was drained to change resident cells
  uint64_t reconfigured_cells = 0;  // cells written then
  uint64_t cells = 0;               // W * H

  uint64_t cycles() const { return (phases + 1) / 2; }
  uint64_t cell_updates() const { return phases * cells / 2; }
};

/// Invocations enter back to back, ii cycles apart; constant streams run all the time, from lead_cycles before the first one. Before an
/// invocation whose resident bits differ from what the cells hold, the last output of the one before is awaited and the cells are
/// rewritten. Latches, cells and the phase of the constant streams live on from run to run: a new batch starts at the next multiple of ii.
class KernelSimulator {
 public:
  /// Keeps no reference to the kernel. Throws Error if verify(kernel) objects.
  explicit KernelSimulator(const MappedKernel& kernel, const KernelSimulatorParams& params = {});

  /// inputs: rows = invocations, columns = kernel.input_bits, resident bits included. Returns rows x kernel.output_bits.
  /// Throws Error if the number of columns is wrong.
  BitMatrix run(const BitMatrix& inputs);

  const KernelSimulatorStats& stats() const { return stats_; }

  /// Samples the writer's ports in every phase from now on; nullptr ends it. The writer must outlive the recording.
  void record(VcdWriter* vcd);

  /// Latched outputs of all cells, for looking inside.
  GridState state() const;

 private:
  /// A bit that enters or leaves in one phase modulo 2 * ii, `age` invocations after that of its phase 0.
  struct Event {
    uint32_t bit = 0;
    int32_t age = 0;
    size_t port = 0;
  };
  /// Events by phase modulo 2 * ii: those of r are events[first[r]] .. events[first[r + 1] - 1].
  struct Timetable {
    std::vector<size_t> first;
    std::vector<Event> events;
  };
  struct ResidentCell {
    int x = 0;
    int y = 0;
    CellWord words[2] = {};
  };
  using TimedEvent = std::pair<int64_t, Event>;

  static Timetable timetable(std::vector<TimedEvent> events, int64_t period);
  void compile_slots(const MappedKernel& kernel);
  void compile_residents(const MappedKernel& kernel);
  size_t resident_group(const BitMatrix& inputs, size_t first) const;
  bool reconfigure(const BitMatrix& inputs, size_t row);
  template <typename Grid>
  void run_group(Grid& grid, const BitMatrix& inputs, size_t first, size_t count, int64_t start, BitMatrix& outputs);
  template <typename Grid>
  void sample_vcd_inputs(const Grid& grid);
  template <typename Grid>
  void sample_vcd_outputs(const Grid& grid);

  KernelSimulatorParams params_;
  KernelSimulatorStats stats_;
  std::variant<ScalarGrid, SlicedGrid> grid_;
  uint32_t input_bits_ = 0;
  uint32_t output_bits_ = 0;
  int64_t period_ = 2;       // phases from invocation to invocation
  int64_t lead_phases_ = 0;  // before the first invocation
  int64_t first_phase_ = 0;  // of the earliest slot, <= 0
  int64_t last_phase_ = 0;   // of the latest slot
  int64_t now_ = 0;          // next phase; invocations start at multiples of the period
  Timetable inputs_, constants_, outputs_;

  std::vector<uint64_t> resident_mask_;  // columns that are resident, as words of a BitMatrix row
  std::vector<uint64_t> resident_now_;   // what the cells hold
  std::vector<size_t> resident_first_;   // resident_cells_ of bit b: resident_first_[b] .. resident_first_[b + 1] - 1
  std::vector<ResidentCell> resident_cells_;

  VcdWriter* vcd_ = nullptr;
  std::vector<size_t> vcd_ports_;
  std::vector<uint8_t> vcd_values_;
};

}  // namespace bitgrid
