// Runs a mapped kernel on batches of invocations, phase by phase on the simulated grid.
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

/// kScalar is the definition; kSliced evaluates 512 cells of one grid together; kLanes evaluates one cell of 64 or 512 grids together, each
/// with its own share of the batch; kAuto takes lanes for batches where they are faster.
enum class GridEngine : uint8_t { kScalar, kSliced, kLanes, kAuto };

struct KernelSimulatorParams {
  GridEngine engine = GridEngine::kSliced;
  bool lead_after_reconfiguration = false;  // wait lead_cycles again after resident cells have changed
  size_t threads = 1;                       // lanes share out a batch; a large sliced grid its phases
  std::vector<Fault> faults = {};           // of the fabric; phase 0 is that of the first invocation. Not in lanes
  Defects defects = {};                     // their outputs latch random bits. Not in lanes
  uint64_t garbage_seed = 1;                // of those
  std::optional<uint64_t> latch_seed = {};  // latches start at random bits in place of 0; in lanes, other ones in each lane
  bool shared_residents = false;            // set_residents gives the resident bits; batches do not have them
};

struct KernelSimulatorStats {
  uint64_t phases = 0;       // of the grid, or of all lanes in step
  uint64_t tile_phases = 0;  // that one grid would have taken for all invocations
  uint64_t grid_phases = 0;  // summed over the lanes (and threads) that had invocations
  uint64_t invocations = 0;
  uint64_t reconfigurations = 0;    // times that the pipeline was drained to change resident cells
  uint64_t reconfigured_cells = 0;  // cells written then
  uint64_t cells = 0;               // W * H

  uint64_t cycles() const { return (phases + 1) / 2; }
  uint64_t tile_cycles() const { return (tile_phases + 1) / 2; }
  uint64_t cell_updates() const { return grid_phases * cells / 2; }
};

/// Invocations enter back to back, ii cycles apart; constant streams run all the time, from lead_cycles before the first one; input bits
/// rest as the kernel says while no invocation enters. Before an
/// invocation whose resident bits differ from what the cells hold, the last output of the one before is awaited and the cells are
/// rewritten. Latches, cells and the phase of the constant streams live on from run to run: a new batch starts at the next multiple of ii.
/// In lanes all of that holds for each lane and its consecutive rows.
class KernelSimulator {
 public:
  /// Keeps no reference to the kernel. Throws Error if verify(kernel) objects.
  explicit KernelSimulator(const MappedKernel& kernel, const KernelSimulatorParams& params = {});

  /// inputs: rows = invocations, columns = kernel.input_bits, resident bits included. Returns rows x kernel.output_bits.
  /// Throws Error if the number of columns is wrong.
  BitMatrix run(const BitMatrix& inputs);

  /// With shared_residents: the resident bits in their order, for all invocations from now on. Cells are rewritten between batches.
  void set_residents(const BitVector& bits);

  const KernelSimulatorStats& stats() const { return stats_; }

  /// Random bits in the latches of all cells that are not idle, as after another start: the next run waits for the lead again. `kernel` is
  /// that of the construction. Throws Error in lanes.
  void restart(const MappedKernel& kernel, uint64_t latch_seed);

  /// Samples the writer's ports in every phase from now on; nullptr ends it. The writer must outlive the recording. Throws Error in lanes.
  void record(VcdWriter* vcd);

  /// Latched outputs of all cells, for looking inside; of the first lane where the engine is kLanes, outputs that reach no port being 0.
  GridState state() const;

 private:
  struct ResidentCell {
    int x = 0;
    int y = 0;
    CellWord flip = 0;
    uint32_t word = 0;  // of resident_words_
  };

  void start_at_random(const GridConfig& config, uint64_t seed);
  void compile_residents(const MappedKernel& kernel);
  bool lanes_pay(const BitMatrix& inputs);
  BitMatrix run_lanes(const BitMatrix& inputs);
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
  KernelSchedule schedule_;  // its events' ports are those of the grid
  uint32_t input_bits_ = 0;
  uint32_t output_bits_ = 0;
  bool cold_ = true;  // the next run begins with the lead
  double saved_ = 0;  // ns that lanes would have saved so far
  int64_t now_ = 0;   // next phase; invocations start at multiples of the period

  std::vector<uint64_t> resident_mask_;  // columns that are resident, as words of a BitMatrix row
  std::vector<uint64_t> resident_now_;   // what the cells hold
  std::vector<uint32_t> shared_bits_;    // with shared residents: the resident bits
  BitVector shared_residents_;           // and what they are
  bool shared_changed_ = false;
  std::vector<size_t> resident_first_;  // resident_cells_ of bit b: resident_first_[b] .. resident_first_[b + 1] - 1
  std::vector<ResidentCell> resident_cells_;
  std::vector<CellWord> resident_words_;  // of the cells that hold resident bits

  MappedKernel kernel_;                                     // for lanes that may still have to be compiled
  std::vector<std::unique_ptr<LaneKernel>> narrow_, wide_;  // of 64 and of 512 lanes, one a thread

  FaultInjector faults_;
  GarbageInjector garbage_;
  VcdWriter* vcd_ = nullptr;
  std::vector<size_t> vcd_ports_;
  std::vector<uint8_t> vcd_values_;
};

}  // namespace bitgrid::sim
