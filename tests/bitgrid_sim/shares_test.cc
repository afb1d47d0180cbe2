// Batches of wide arrays: fed 64 invocations at a time, and shared out to grids of their own, a thread each.
#include <gtest/gtest.h>

#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "ir/dag_eval.h"
#include "ir/index.h"
#include "lowering/mapping/map.h"
#include "lowering/scales/stream_kernels.h"

namespace bitgrid::sim {
namespace {

class Shares : public testing::Test {
 protected:
  static BitMatrix random_rows(size_t rows, size_t bits, uint64_t seed) {
    std::mt19937_64 random(seed);
    BitMatrix m(rows, bits);
    for (size_t r = 0; r < rows; ++r)
      for (size_t c = 0; c < bits; ++c) m.set(r, c, random() & 1);
    return m;
  }
  KernelSimulatorStats run(size_t rows, size_t threads, GridEngine engine, BitMatrix& outputs) {
    KernelSimulatorParams params;
    params.engine = engine;
    params.threads = threads;
    params.latch_seed = 5;
    params.shared_residents = true;
    KernelSimulator grid(mapped_, params);
    for (const uint64_t seed : {1u, 2u}) {  // the second batch finds other residents in cells that are warm
      BitVector residents(resident_bits_);
      std::mt19937_64 random(seed);
      for (uint32_t i = 0; i < resident_bits_; ++i) residents.set(i, random() & 1);
      grid.set_residents(residents);
      outputs = grid.run(random_rows(rows, mapped_.input_bits - resident_bits_, seed + 7));
    }
    return grid.stats();
  }

  const Kernel kernel_ = mapping::streamed_kernel("stream", scales::ternary_shape(400, 8));
  const MappedKernel mapped_ = mapping::map_kernel(kernel_, {});
  const uint32_t resident_bits_ = id_of(resident_input_bits(mapped_).size());
};

TEST_F(Shares, TwoThreadsGiveTheBitsAndCyclesOfOne) {
  BitMatrix one, two;
  const KernelSimulatorStats a = run(1001, 1, GridEngine::kAuto, one), b = run(1001, 2, GridEngine::kAuto, two);
  EXPECT_EQ(one, two);
  EXPECT_EQ(a.tile_phases, b.tile_phases);
  EXPECT_EQ(a.invocations, b.invocations);
  EXPECT_LT(b.phases, a.phases);  // it was shared
  EXPECT_GT(b.cell_updates(), a.cell_updates());
}

TEST_F(Shares, ManyRowsAreFedAsFewAre) {
  BitMatrix sliced, scalar;
  run(67, 1, GridEngine::kSliced, sliced);
  run(67, 1, GridEngine::kScalar, scalar);
  EXPECT_EQ(sliced, scalar);
}

}  // namespace
}  // namespace bitgrid::sim
