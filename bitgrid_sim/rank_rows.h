// Runs one grid in several processes. Each simulates a strip of rows plus some rows of its neighbours (a halo). Whatever happens beyond the
// halo needs as many phases as the halo has rows to reach the strip. After that many phases the latches of the halo are exchanged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bitgrid_sim/live.h"
#include "frontend/grids/grid_source.h"
#include "ir/grid_config.h"

namespace bitgrid::sim {

/// The processes that run one grid.
struct Ranks {
  int rank = 0;
  int size = 1;
  /// Sends bytes to another rank and returns that rank's bytes. Both ranks must call it.
  std::function<std::string(int with, const std::string& bytes)> exchange;
  /// Returns the bytes of all ranks, by rank, on rank 0, and nothing elsewhere. All ranks must call it.
  std::function<std::vector<std::string>(const std::string& bytes)> gather;
};

struct StripParams {
  int64_t cycles = 0;
  int halo = 32;  // rows on either side, even; also the phases between exchanges
  size_t threads = 1;
};
struct StripStats {
  uint64_t exchanges = 0;
  uint64_t bytes = 0;  // sent by this rank
};

/// The rows of a rank: first to last - 1. First rows are even, so that colours match those of the whole grid.
struct StripRows {
  int first = 0;
  int last = 0;
};
StripRows strip_rows(int height, int rank, int ranks);

/// Runs the script on this rank's strip with the sliced engine, and reads only the rows of the strip and its halo. On rank 0 it returns
/// exactly what run_live returns; on other ranks the result has no use. Throws Error on all ranks if there are more ranks than the rows
/// allow.
LiveResult run_strips(const frontend::GridSource& grid, const LiveScript& script, const LiveState* resume, const StripParams& params,
                      const Ranks& ranks, StripStats* stats = nullptr);

/// Returns the ranks that mpirun started, or one rank without mpirun. Throws Error if mpirun started several and this program was built
/// without MPI.
Ranks mpi_ranks();

}  // namespace bitgrid::sim
