// One grid over several processes: each has a strip of rows and simulates some rows of its neighbours with it (a halo). What happens beyond
// the halo reaches the strip's own rows only after as many phases as the halo has rows: then the latches of the halo are exchanged.
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
  /// Sends bytes to another rank and gets that rank's; both call it.
  std::function<std::string(int with, const std::string& bytes)> exchange;
  /// Bytes of all ranks, by rank, on rank 0; empty elsewhere. All call it.
  std::function<std::vector<std::string>(const std::string& bytes)> gather;
};

struct StripParams {
  int64_t cycles = 0;
  int halo = 32;  // rows on either side, even: phases between exchanges
  size_t threads = 1;
};
struct StripStats {
  uint64_t exchanges = 0;
  uint64_t bytes = 0;  // that this rank sent
};

/// Rows of a rank: first to last - 1. First rows are even, so that colours are those of the whole grid.
struct StripRows {
  int first = 0;
  int last = 0;
};
StripRows strip_rows(int height, int rank, int ranks);

/// Runs the script on this rank's strip, sliced, reading the rows of the strip and its halo only, and returns on rank 0 what run_live
/// returns, bit for bit; elsewhere nothing useful. Throws Error on all ranks if there are more than the rows allow.
LiveResult run_strips(const frontend::GridSource& grid, const LiveScript& script, const LiveState* resume, const StripParams& params,
                      const Ranks& ranks, StripStats* stats = nullptr);

/// The ranks that mpirun started; one without it. Throws Error if mpirun started several and this program was built without MPI.
Ranks mpi_ranks();

}  // namespace bitgrid::sim
