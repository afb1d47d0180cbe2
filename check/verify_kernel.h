// Checks a mapped kernel against its Dag on random invocations, back to back on the simulated grid.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "ir/program.h"

namespace bitgrid::check {

struct VerifyParams {
  int invocations = 64;      // back to back with one set of resident bits
  int resident_changes = 2;  // additional sets of resident bits, each with a few invocations
  int starts = 4;            // of the grid from random latches; all but the first with a few invocations
  bool lanes = true;         // 64 additional starts, in parallel lanes; not with defects, which lanes do not support
  uint64_t seed = 1;
  Defects defects = {};  // of the fabric: their outputs are random in the simulation
};

struct VerifyStats {
  uint64_t compared = 0;  // output bits
  uint64_t cell_updates = 0;
};

/// The first output bit in which two batches differ.
struct BitDifference {
  size_t invocation = 0;
  size_t bit = 0;
  bool expected = false;
  bool got = false;
};
std::optional<BitDifference> first_difference(const BitMatrix& expected, const BitMatrix& got);

/// Returns random inputs of a kernel whose words stay within the range that its program uses: all largest, all smallest, and random ones.
/// Resident bits are the same in all rows.
BitMatrix random_invocations(const Kernel& kernel, int rows, std::mt19937_64& random);

/// Simulates random invocations, from several starts with random latches before the lead, and compares. nullopt: all are equal.
std::optional<BitDifference> verify_mapping(const Kernel& kernel, const MappedKernel& mapped, const VerifyParams& params = {},
                                            VerifyStats* stats = nullptr);

/// Throws Error for what verify_mapping finds: a mapping that is wrong is a bug of ours, and nothing is to be made of it.
void require_verified(const Kernel& kernel, const MappedKernel& mapped, const VerifyParams& params = {}, VerifyStats* stats = nullptr);

}  // namespace bitgrid::check
