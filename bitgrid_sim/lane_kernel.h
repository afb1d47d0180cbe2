// Runs a mapped kernel on batches of invocations that are spread over the lanes. Every lane is a separate grid with its own stream of
// back-to-back invocations and its own resident bits.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bitgrid_sim/kernel_schedule.h"
#include "bitgrid_sim/lanes.h"
#include "ir/bits.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::sim {

struct LaneKernelParams {
  size_t lanes = 512;  // or 64
  SimdTarget target = SimdTarget::kAuto;
  bool lead_after_reconfiguration = false;
  std::optional<uint64_t> latch_seed = {};  // latches start at random bits, different ones in each lane, instead of 0
  bool delay_lines = false;                 // long wires become rings: faster, but state() does not show their cells
  bool shared_residents = false;            // set_residents gives the resident bits to all lanes; batches do not contain them
};

struct LaneKernelStats {
  uint64_t phases = 0;              // of all lanes, which step together
  uint64_t lane_phases = 0;         // summed over the lanes that had invocations
  uint64_t reconfigurations = 0;    // number of times that a lane was drained to change resident bits
  uint64_t reconfigured_cells = 0;  // resident bits times the cells that hold them
};

/// Returns what the lanes drive and sample for a kernel.
LaneProgramParams lane_program_params(const MappedKernel& kernel, const KernelSchedule& schedule);

class LaneKernel {
 public:
  /// `kernel` must be verified and need not outlive the call. Throws Error if the number of lanes is wrong.
  explicit LaneKernel(const MappedKernel& kernel, const LaneKernelParams& params = {});

  /// Like KernelSimulator::run: rows = invocations. The batch is cut into one run of consecutive rows per lane.
  BitMatrix run(const BitMatrix& inputs);

  /// For shared_residents: sets the resident bits, in their order, for all invocations from now on. The statistics do not count this.
  void set_residents(const BitVector& bits);

  const LaneKernelStats& stats() const { return stats_; }
  GridState state(size_t lane) const { return grid_.state(lane); }

  /// Returns how many phases a batch will take on this number of lanes.
  int64_t estimate(const BitMatrix& inputs) const;

 private:
  /// Says which row each lane starts at which turn (its phase 0 is turn * period after the batch's start).
  struct Plan {
    int64_t start = 0;  // phase 0 of the first invocation of every lane
    int64_t end = 0;    // after the last bit of the last invocation
    size_t turns = 0;
    std::vector<int32_t> rows;  // [turn * lanes + lane]: row, -1: none
    struct Switch {
      int64_t phase = 0;
      uint32_t lane = 0;
      uint32_t row = 0;
    };
    std::vector<Switch> switches;  // of resident bits, ascending phases
    uint64_t lane_phases = 0;
  };
  struct Ring {
    int32_t least = 0, most = 0;  // ages
    size_t depth = 1;
    size_t columns = 0;
    AlignedVector<uint64_t> words;  // [turn modulo depth][column][lane word]
  };

  bool same_residents(const BitMatrix& inputs, size_t a, size_t b) const;
  int64_t drain_phases() const;
  Plan make_plan(const BitMatrix& inputs);
  static Ring make_ring(const KernelSchedule::Timetable& table, size_t columns, size_t lane_words);
  uint64_t* slot(Ring& ring, int64_t turn);
  void load(const BitMatrix& inputs, const Plan& plan, int64_t turn);
  void store(const Plan& plan, int64_t turn, BitMatrix& outputs);
  void switch_residents(const BitMatrix& inputs, const Plan::Switch& change);
  void simulate(const BitMatrix& inputs, const Plan& plan, BitMatrix& outputs);

  LaneKernelParams params_;
  LaneKernelStats stats_;
  KernelSchedule schedule_;
  LaneGrid grid_;
  uint32_t output_bits_ = 0;
  int64_t now_ = 0;
  bool fresh_ = true;
  Ring in_, out_;
  std::vector<uint64_t> resident_mask_;   // marks the resident columns, in the word layout of a BitMatrix row
  std::vector<uint32_t> resident_cells_;  // how many cells hold a bit
  std::vector<uint32_t> shared_bits_;     // with shared residents: the resident bits
};

}  // namespace bitgrid::sim
