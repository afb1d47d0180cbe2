// A kernel from a file of unknown origin, run on every engine.
#pragma once

#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "tests/fuzz/check.h"
#include "tests/support/random_dag.h"

namespace bitgrid::fuzz {

/// Runs the kernel, where that takes not too long.
inline void run_kernel(const MappedKernel& kernel) {
  const sim::KernelSchedule schedule = sim::make_schedule(kernel);
  const int64_t phases = schedule.lead_phases + schedule.last_phase + 8 * schedule.period;
  if (phases * static_cast<int64_t>(kernel.grid.cells.size()) > 1 << 16) return;
  std::mt19937_64 random(1);
  const BitMatrix inputs = test::random_rows(random, 3, kernel.input_bits), one = test::random_rows(random, 1, kernel.input_bits);
  const auto run = [&](sim::GridEngine engine, const BitMatrix& batch) {
    sim::KernelSimulatorParams params;
    params.engine = engine;
    return sim::KernelSimulator(kernel, params).run(batch);
  };
  require(run(sim::GridEngine::kScalar, inputs) == run(sim::GridEngine::kSliced, inputs), "scalar and sliced differ");
  // Lanes share a batch out: what a kernel keeps from one invocation to the next is another thing there.
  require(run(sim::GridEngine::kScalar, one) == run(sim::GridEngine::kLanes, one), "scalar and lanes differ");
}

}  // namespace bitgrid::fuzz
