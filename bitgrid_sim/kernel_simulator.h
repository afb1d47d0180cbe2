// Runs a mapped kernel on batches of invocations, phase by phase, on the simulated grid.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "bitgrid_sim/faults.h"
#include "bitgrid_sim/garbage.h"
#include "bitgrid_sim/kernel_schedule.h"
#include "bitgrid_sim/lane_kernel.h"
#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/sliced.h"
#include "bitgrid_sim/vcd.h"
#include "ir/bits.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::sim {

/// kScalar is the definition. kSliced evaluates 512 cells of one grid together. kLanes evaluates one cell of 64 or 512 grids together, each
/// with its own share of the batch. kAuto uses lanes for batches where they are faster.
enum class GridEngine : uint8_t { kScalar, kSliced, kLanes, kAuto };

struct KernelSimulatorParams {
  GridEngine engine = GridEngine::kSliced;
  bool lead_after_reconfiguration = false;  // wait lead_cycles again after a change of resident cells
  size_t threads = 1;                       // lanes divide a batch among them; a large sliced grid divides its phases
  std::vector<Fault> faults = {};           // of the fabric; phase 0 is that of the first invocation; not available in lanes
  Defects defects = {};                     // their outputs latch random bits; not available in lanes
  uint64_t garbage_seed = 1;                // seed of those bits
  std::optional<uint64_t> latch_seed = {};  // latches start at random bits instead of 0; in lanes, each lane has its own
  bool shared_residents = false;            // set_residents gives the resident bits; batches do not contain them
};

struct KernelSimulatorStats {
  uint64_t phases = 0;       // of the grid, or of all lanes in step
  uint64_t tile_phases = 0;  // that one grid would have needed for all invocations
  uint64_t grid_phases = 0;  // summed over the lanes (and threads) that had invocations
  uint64_t invocations = 0;
  uint64_t reconfigurations = 0;    // number of times that the pipeline was drained to change resident cells
  uint64_t reconfigured_cells = 0;  // cells written by those
  uint64_t cells = 0;               // W * H

  uint64_t cycles() const { return (phases + 1) / 2; }
  uint64_t tile_cycles() const { return (tile_phases + 1) / 2; }
  uint64_t cell_updates() const { return grid_phases * cells / 2; }
};

/// Invocations enter back to back, ii cycles apart. Constant streams run all the time, starting lead_cycles before the first invocation.
/// While no invocation enters, the input bits have the kernel's resting values. If an invocation's resident bits differ from what the cells
/// hold, the simulator waits for the last output of the previous invocation and then rewrites the cells. Latches, cells and the phase of
/// the constant streams persist between runs: a new batch starts at the next multiple of ii. In lanes, all of this applies to each lane and
/// its consecutive rows.
class KernelSimulator {
 public:
  /// Keeps no reference to the kernel. Throws Error if verify(kernel) does.
  explicit KernelSimulator(const MappedKernel& kernel, const KernelSimulatorParams& params = {});

  /// inputs: rows = invocations, columns = kernel.input_bits, including resident bits. Returns rows x kernel.output_bits. Throws Error if
  /// the number of columns is wrong.
  BitMatrix run(const BitMatrix& inputs);

  /// For shared_residents: sets the resident bits, in their order, for all invocations from now on. Cells are rewritten between batches.
  void set_residents(const BitVector& bits);

  const KernelSimulatorStats& stats() const { return stats_; }

  /// Sets the latches of all cells that are not idle to random bits, as after a new start. The next run waits for the lead again. `kernel`
  /// must be the one given to the constructor. Throws Error in lanes.
  void restart(const MappedKernel& kernel, uint64_t latch_seed);

  /// Samples the writer's ports in every phase from now on; nullptr ends the recording. The writer must outlive it. Throws Error in lanes.
  void record(VcdWriter* vcd);

  /// Returns the latched outputs of all cells, for inspection. With kLanes it returns those of the first lane; outputs that reach no port
  /// are 0.
  GridState state() const;

 private:
  struct ResidentCell {
    int x = 0;
    int y = 0;
    CellWord flip = 0;
    uint32_t word = 0;  // index into resident_words_
  };

  void start_at_random(const GridConfig& config, uint64_t seed);
  void compile_residents(const MappedKernel& kernel);
  bool lanes_pay(const BitMatrix& inputs);
  BitMatrix run_lanes(const BitMatrix& inputs);
  size_t shares_of(size_t rows) const;
  BitMatrix run_shares(const BitMatrix& inputs, size_t shares);
  size_t resident_group(const BitMatrix& inputs, size_t first) const;
  bool reconfigure(const BitMatrix& inputs, size_t row);
  bool write_residents(const uint64_t* bits);
  template <typename Grid>
  void run_group(Grid& grid, const BitMatrix& inputs, size_t first, size_t count, int64_t start, BitMatrix& outputs);
  void run_swept(SlicedGrid& grid, const BitMatrix& inputs, size_t first, size_t count, int64_t start, int64_t end, BitMatrix& outputs);
  template <typename Grid>
  void sample_vcd_inputs(const Grid& grid);
  template <typename Grid>
  void sample_vcd_outputs(const Grid& grid);

  KernelSimulatorParams params_;
  KernelSimulatorStats stats_;
  std::variant<ScalarGrid, SlicedGrid> grid_;
  KernelSchedule schedule_;  // ports of its events are those of the grid
  uint32_t input_bits_ = 0;
  uint32_t output_bits_ = 0;
  bool cold_ = true;  // the next run begins with the lead
  double saved_ = 0;  // ns that lanes would have saved so far
  int64_t now_ = 0;   // next phase; invocations start at multiples of the period

  std::vector<uint64_t> resident_mask_;  // marks the resident columns, in the word layout of a BitMatrix row
  std::vector<uint64_t> resident_now_;   // what the cells hold
  std::vector<uint32_t> shared_bits_;    // with shared residents: the resident bits
  BitVector shared_residents_;           // their values
  bool shared_changed_ = false;
  std::vector<size_t> resident_first_;  // resident_cells_ of bit b: resident_first_[b] .. resident_first_[b + 1] - 1
  std::vector<ResidentCell> resident_cells_;
  std::vector<CellWord> resident_words_;  // of the cells that hold resident bits

  MappedKernel kernel_;                                     // for lanes that may still have to be compiled
  std::vector<std::unique_ptr<LaneKernel>> narrow_, wide_;  // of 64 and of 512 lanes, one per thread

  std::vector<std::unique_ptr<KernelSimulator>> copies_;  // grids that take shares of a batch beside this one

  FaultInjector faults_;
  GarbageInjector garbage_;
  VcdWriter* vcd_ = nullptr;
  std::vector<size_t> vcd_ports_;
  std::vector<uint8_t> vcd_values_;
};

}  // namespace bitgrid::sim
