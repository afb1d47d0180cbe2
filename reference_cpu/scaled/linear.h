// Linear maps of models with scales: whole rows of sums, group scales, zeros, low rank, adapters.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/scaled_model.h"
#include "ir/thread_pool.h"
#include "reference_cpu/scaled/codes.h"
#include "reference_cpu/scaled/sums.h"

namespace bitgrid::cpu {

struct LinearParams {
  SumKernel kernel = SumKernel::kFast;
  int threads = 1;
  ThreadPool* pool = nullptr;  // with that many threads; nullptr: only this thread
};

/// The result of a linear map: values times `unit`.
struct Sums {
  std::vector<int64_t> values;
  Scalar unit;
};

Sums apply(const LinearMap& map, const Codes& codes, const LinearParams& params);
/// The same for several vectors. Rows of weights are read once for all of them.
std::vector<Sums> apply(const LinearMap& map, std::span<const Codes> batch, const LinearParams& params);
/// The same for several maps that read the same vectors, [map][vector]. Codes are prepared once, and threads run one round.
std::vector<std::vector<Sums>> apply(std::span<const LinearMap* const> maps, std::span<const Codes> batch, const LinearParams& params);

}  // namespace bitgrid::cpu
