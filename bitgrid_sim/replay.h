// Replays a grid configuration and writes what the two reference engines write: a trace of every phase, or border outputs for a stimulus.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bitgrid_sim/kernel_simulator.h"
#include "bitgrid_sim/scalar.h"
#include "bitgrid_sim/vcd.h"
#include "frontend/grids/grid_source.h"
#include "ir/grid_config.h"

namespace bitgrid::sim {

/// Takes text in pieces, because grids of hundreds of millions of cells write more than fits in memory.
using TextSink = std::function<void(std::string_view)>;

struct TraceParams {
  GridEngine engine = GridEngine::kSliced;
  Borders borders = Borders::kTorus;
  int64_t cycles = 0;
  bool every_phase = true;  // otherwise only the last phase
  size_t threads = 1;
};

/// Replays the original engine, which latches its inputs. Phase A evaluates every cell with (x + y) even from its input latch and pushes
/// the outputs into the neighbours' input latches; phase B does the same for the odd cells. On a torus with an odd side, neighbours share a
/// colour. Cells are then evaluated row by row in place, as that engine does (always by the scalar engine). At open borders, the outside
/// pushes 0. The source's initial inputs are one nibble per cell, N=1, E=2, S=4, W=8, row by row; empty means zeros. Writes "# initial",
/// then "# cycle n A" and "# cycle n B" with n from 1, each with blocks `in` and `out` of one hexadecimal digit per cell. Throws Error if
/// there are not W*H initial inputs or the number of cycles is negative.
void replay_trace(const frontend::GridSource& grid, const TraceParams& params, const TextSink& sink);
std::string replay_trace(const GridConfig& config, const std::vector<uint8_t>& initial_inputs, const TraceParams& params);

struct StimulusParams {
  GridEngine engine = GridEngine::kSliced;
  VcdWriter* vcd = nullptr;  // samples its ports in every phase
  int64_t cycles = -1;       // how many to run: the stimulus is cut off or phases without driven ports follow; negative: as in the stimulus
  std::vector<Fault> faults = {};  // of the grid
};

/// `stimulus` is JSON lines, one per phase from phase A on: {"in": {"N": [W bits], "E": [H bits], "S": .., "W": ..}}. A missing side is not
/// driven (zeros). "step" and "phase" are checked if given. "out", and lines without "in" that hold final outputs, are skipped, so that an
/// expected file can be its own stimulus. Borders are open, and latches start at 0. Writes a line {"step", "phase", "in", "out"} per phase,
/// where `out` is the border outputs after the phase, and a last line with the outputs of all cells [y][x][N,E,S,W]. Throws Error with
/// source, line, what is wrong and the cure.
void replay_stimulus(const frontend::GridSource& grid, std::string_view stimulus, const std::string& source, const StimulusParams& params,
                     const TextSink& sink);
std::string replay_stimulus(const GridConfig& config, std::string_view stimulus, const std::string& source,
                            const StimulusParams& params = {});

}  // namespace bitgrid::sim
