// A live grid: its cells are rewritten while it runs, queues feed its ports, chosen ports and cells are watched, and its state can be saved
// to a file and resumed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bitgrid_sim/faults.h"
#include "bitgrid_sim/kernel_simulator.h"
#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/vcd.h"
#include "frontend/grids/grid_source.h"
#include "ir/grid_config.h"

namespace bitgrid::sim {

/// A cell gets a new configuration word before phase A of a cycle. Its latches keep their values.
struct CellWrite {
  int64_t cycle = 0;
  int x = 0;
  int y = 0;
  CellWord word = 0;
  bool operator==(const CellWrite&) const = default;
};

/// An input port carries bits[(cycle - first) % bits.size()] in the phase of each cycle first .. last in which its cell latches.
struct PortQueue {
  int64_t first = 0;
  int64_t last = 0;
  Side side = Side::N;
  int position = 0;
  std::vector<uint8_t> bits;
  bool operator==(const PortQueue&) const = default;
};

/// A watched port or cell output.
struct Probe {
  bool is_port = true;
  PortName port;
  int x = 0, y = 0;  // of the cell
  Side side = Side::N;
  bool operator==(const Probe&) const = default;
};
/// Returns "w3_in", "e0_out", or "c4_7_n" (output N of cell (4, 7)).
std::string to_string(const Probe& probe);

/// Scripts, states and runs may not go beyond this cycle.
constexpr int64_t kMostLiveCycles = int64_t{1} << 50;

struct LiveScript {
  std::vector<CellWrite> writes;  // ascending cycles
  std::vector<PortQueue> queues;
  std::vector<Probe> probes;
};

/// Reads lines "write CYCLE X Y WORD" (up to 16 hexadecimal digits), "drive FIRST[-LAST] PORT BITS" (BITS such as 0110, repeated until
/// LAST; without LAST: once), "probe NAME"; # starts a comment. Throws Error with source and line, also if two queues drive a port at the
/// same time.
LiveScript parse_live(std::string_view text, const std::string& source, int width, int height);

/// Everything that the future depends on, except for the ports.
struct LiveState {
  int64_t cycle = 0;  // the next one
  GridState latches;
  std::vector<CellWrite> written;  // cells that differ from the grid's configuration (their cycle has no meaning)
};

/// Identifies the grid that a state belongs to, by its size and grid_hash.
struct GridIdentity {
  int width = 0;
  int height = 0;
  uint64_t hash = 0;
};
GridIdentity identity_of(const frontend::GridSource& source);  // reads the source
GridIdentity identity_of(const GridConfig& config);

/// Returns JSON text with a checksum, valid only for this grid.
std::string print_live_state(const LiveState& state, const GridIdentity& grid);
/// Throws Error if the text is damaged or belongs to another grid.
LiveState parse_live_state(std::string_view text, const std::string& source, const GridIdentity& grid);

struct LiveParams {
  GridEngine engine = GridEngine::kSliced;  // kAuto: sliced
  size_t threads = 1;
  int64_t cycles = 0;         // to run
  std::vector<Fault> faults;  // phase = 2 * cycle, + 1 for phase B
  VcdWriter* vcd = nullptr;   // samples the script's probes, in their order, in every phase
};

struct LiveResult {
  LiveState state;
  std::vector<std::string> samples;  // of each probe: one digit per cycle, the bit driven or latched in it
  uint64_t writes = 0;               // writes that changed a cell
};

/// Runs cycles state.cycle .. + cycles - 1. Script lines for earlier cycles are not repeated, so that a resumed run continues where the
/// other stopped.
LiveResult run_live(const frontend::GridSource& grid, const LiveScript& script, const LiveState* resume, const LiveParams& params);
LiveResult run_live(const GridConfig& config, const LiveScript& script, const LiveState* resume, const LiveParams& params);

}  // namespace bitgrid::sim
