// A tile: a grid behind a border that prefetches operands from SRAM and writes results behind it.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "bitgrid_sim/kernel_simulator.h"
#include "bitgrid_sim/systemc/configuration.h"
#include "bitgrid_sim/systemc/context.h"
#include "bitgrid_sim/systemc/residency.h"
#include "bitgrid_sim/systemc/tlm_support.h"

namespace bitgrid::platform {

/// One execution of a step.
struct Job {
  size_t stream = 0;
  int step = 0;
  int64_t position = 0;
  Configuration configuration;
  uint64_t ready = 0;  // cycle in which it could begin

  // The tile sets these.
  uint64_t configured = 0;
  uint64_t lead = 0;   // cycles that constant streams need to run up after a load
  uint64_t begun = 0;  // cycle from which it had the grid to itself
  uint64_t last_start = 0;
  uint64_t done = 0;
  bool completed = false;
  CycleParts parts;
  sc_core::sc_event finished;

  void wait_for_completion() {
    while (!completed) sc_core::wait(finished);
  }
};

class TileModule : public sc_core::sc_module {
 public:
  tlm_utils::simple_initiator_socket<TileModule> memory{"memory"};
  tlm_utils::simple_target_socket<TileModule> configuration{"configuration"};

  /// The tile adds its intervals to `track`, unresolved.
  TileModule(const sc_core::sc_module_name& name, size_t index, Context& context, Dma& dma, Track& track);

  /// Queues a job, which must live until it is completed. Then `on_completed` is called.
  void submit(Job& job);
  std::function<void(TileModule&)> on_completed;

  /// Loads and writes cells, and waits, until the tile holds `c` with the resident bits of `position` (-1: none yet). Does nothing if the
  /// tile already does. The tile must be drained.
  CycleParts configure(const Configuration& c, int64_t position);

  const Configuration& last_submitted() const { return last_submitted_; }
  size_t jobs() const { return jobs_under_way_; }
  uint64_t last_used() const { return last_used_; }
  /// Restarts the counters.
  void restart();
  TileResult result() const;

 private:
  /// A kernel as it was sent to this tile.
  struct Loaded {
    std::vector<CellWord> cells;
    std::unordered_map<uint32_t, CellWord> flips;  // by cell: its bits that change with resident bits
    std::vector<std::vector<const ResidentSlot*>> by_bit;
    BitVector resident_bits;
    std::unique_ptr<sim::KernelSimulator> simulator;
    GridConfig simulated;  // the configuration that the simulator was made from
  };
  struct Operands {
    Job* job = nullptr;
    int repetition = 0;
    BitMatrix bits;
    uint64_t arrived = 0;
  };
  struct Results {
    Job* job = nullptr;
    int repetition = 0;
    BitMatrix bits;
    uint64_t finish = 0;
  };

  void fetch();
  void run();
  void write();
  Operands read_operands(Job& job, int repetition);
  void start(Operands& operands);
  uint64_t write_results(const Results& results);
  void complete(Job& job, uint64_t finish, uint64_t done);
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  Loaded& loaded(int kernel);
  bool is_configured(const Configuration& c, int64_t position) const;
  std::vector<WordWrite> resident_writes(const Configuration& c, int64_t position);
  void decode_residents(Loaded& l, const MappedKernel& kernel);
  void make_simulator(Loaded& l, const MappedKernel& kernel);
  void draw(Activity activity, int kernel, uint64_t begin, uint64_t end);

  size_t index_;
  Context& context_;
  Dma& dma_;
  Track& track_;
  std::map<int, Loaded> loaded_;  // behaves as if each kernel were loaded afresh; kept because simulators take long to make
  Configuration held_, last_submitted_;
  int64_t held_position_ = -1;
  uint64_t lead_ = 0;  // cycles to run up before the next start

  Queue<Job*> jobs_;
  Queue<Operands> operands_;
  Queue<Results> results_;
  size_t jobs_under_way_ = 0;
  sc_core::sc_event job_completed_;
  uint64_t next_start_ = 0;  // II after the last start
  uint64_t last_used_ = 0;
  TileResult result_;
};

}  // namespace bitgrid::platform
