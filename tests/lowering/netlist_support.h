// Test support of planes and netlists: batches of invocations, and running them on a mapped kernel.
#pragma once

#include <filesystem>
#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "frontend/blif.h"
#include "ir/dag.h"
#include "ir/mapped_kernel.h"
#include "lowering/mapping/map.h"

namespace bitgrid::mapping {

inline BitMatrix random_batch(size_t rows, size_t cols, uint64_t seed) {
  std::mt19937_64 rng(seed);
  BitMatrix m(rows, cols);
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < cols; ++c) m.set(r, c, rng() & 1);
  return m;
}

/// Every value of `cols` <= 16 bits, in a scrambled order, so that neighbours in time differ in many bits.
inline BitMatrix all_values(uint32_t cols) {
  BitMatrix m(size_t{1} << cols, cols);
  for (size_t r = 0; r < m.rows; ++r)
    if (cols > 0) m.set_word(r, 0, cols, (r * 0x9E37u + 0x55u) & (m.rows - 1));
  return m;
}

/// Invocations back to back at the kernel's ii, on the grid. Checks the kernel first.
inline BitMatrix run_kernel(const MappedKernel& kernel, const BitMatrix& inputs) {
  return sim::KernelSimulator(kernel).run(inputs);
}

inline BitMatrix run_kernel(const MappedKernel& kernel, const BitMatrix& inputs, const Defects& defects) {
  sim::KernelSimulatorParams params;
  params.defects = defects;
  return sim::KernelSimulator(kernel, params).run(inputs);
}

inline Dag dag_of(const std::string& body) {
  return parse_dag("dag test\n" + body);
}

inline MapParams in_wave_mode() {
  MapParams params;
  params.mode = MapMode::kWave;
  return params;
}

/// A circuit of the EPFL suite, where the cases are present.
inline CoverNetwork epfl(const std::string& name) {
  return frontend::read_blif(std::string(BITGRID_SHARED_CASES) + "/epfl/" + name + ".blif");
}
inline bool have_epfl() {
  return std::filesystem::exists(std::filesystem::path(BITGRID_SHARED_CASES) / "epfl");
}

}  // namespace bitgrid::mapping
