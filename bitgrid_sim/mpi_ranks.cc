// The only file that knows MPI; without BITGRID_MPI there is one rank.
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "bitgrid_sim/rank_rows.h"
#include "ir/error.h"
#include "ir/number.h"

#ifdef BITGRID_MPI
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
#endif

namespace bitgrid::sim {
namespace {

/// Processes that mpirun of Open MPI or MPICH says it started.
int started_processes() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const char* text = std::getenv(name);
    if (text == nullptr) continue;
    constexpr int kMost = 1 << 24;
    const auto number = parse_whole(text, 1, kMost);
    if (!number)
      throw Error(name, fmt::format("'{}' is not a whole number from 1 to {}", text, kMost), "unset this variable, or start with mpirun");
    return *number;
  }
  return 1;
}

}  // namespace

#ifdef BITGRID_MPI
Ranks mpi_ranks() {
  Ranks ranks;
  if (started_processes() <= 1) return ranks;
  int initialised = 0;
  MPI_Initialized(&initialised);
  if (!initialised) {
    MPI_Init(nullptr, nullptr);
    std::atexit([] { MPI_Finalize(); });
  }
  MPI_Comm_rank(MPI_COMM_WORLD, &ranks.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks.size);
  ranks.exchange = [](int with, const std::string& bytes) {
    std::string theirs(bytes.size(), '\0');
    MPI_Sendrecv(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, with, 0, theirs.data(), static_cast<int>(theirs.size()), MPI_BYTE,
                 with, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return theirs;
  };
  ranks.gather = [rank = ranks.rank, size = ranks.size](const std::string& bytes) {
    std::vector<std::string> all;
    if (rank != 0) {
      MPI_Send(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, 0, 1, MPI_COMM_WORLD);
      return all;
    }
    all.push_back(bytes);
    for (int r = 1; r < size; ++r) {
      MPI_Status status;
      MPI_Probe(r, 1, MPI_COMM_WORLD, &status);
      int count = 0;
      MPI_Get_count(&status, MPI_BYTE, &count);
      all.emplace_back(static_cast<size_t>(count), '\0');
      MPI_Recv(all.back().data(), count, MPI_BYTE, r, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    return all;
  };
  return ranks;
}
#else
Ranks mpi_ranks() {
  if (started_processes() > 1)
    throw Error("mpirun", "this program was built without MPI", "configure with -DBITGRID_MPI=ON, or start it alone");
  return {};
}
#endif

}  // namespace bitgrid::sim
