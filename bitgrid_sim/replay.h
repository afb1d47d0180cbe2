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

/// Takes text as it comes: grids of hundreds of millions of cells write more than fits memory.
using TextSink = std::function<void(std::string_view)>;

struct TraceParams {
  GridEngine engine = GridEngine::kSliced;
  Borders borders = Borders::kTorus;
  int64_t cycles = 0;
  bool every_phase = true;  // else only the last phase
  size_t threads = 1;
};

/// The original engine, which latches its inputs: phase A evaluates every cell with (x + y) even from its input latch and pushes the
/// outputs into the neighbours' input latches, phase B the odd ones. On a torus an odd side makes neighbours share a colour; cells are then
/// evaluated row by row in place, as that engine does (always by the scalar engine). At open borders the outside is a neighbour that pushes
/// 0. The source's initial inputs: nibble of each cell, N=1, E=2, S=4, W=8, row by row; empty: zeros. Writes "# initial", then "# cycle n
/// A" and "# cycle n B" with n from 1, each with blocks `in` and `out` of one hexadecimal digit a cell. Throws Error if there are not W*H
/// initial inputs or the number of cycles is negative.
void replay_trace(const frontend::GridSource& grid, const TraceParams& params, const TextSink& sink);
std::string replay_trace(const GridConfig& config, const std::vector<uint8_t>& initial_inputs, const TraceParams& params);

struct StimulusParams {
  GridEngine engine = GridEngine::kSliced;
  VcdWriter* vcd = nullptr;  // samples its ports in every phase
  int64_t cycles = -1;  // exactly this many: the stimulus is cut off or followed by phases without driven ports; negative: as the stimulus
  std::vector<Fault> faults = {};  // of the grid
};

/// `stimulus`: JSON lines, one a phase from phase A on: {"in": {"N": [W bits], "E": [H bits], "S": .., "W": ..}}. A side that is left out
/// is not driven (zeros); "step" and "phase" are checked where given; "out" and lines without "in" that hold final outputs are passed over,
/// so that an expected file can be its own stimulus. Borders are open, latches start at 0. Writes a line {"step", "phase", "in", "out"} a
/// phase, `out` being the border outputs after the phase, and a last line with the outputs of all cells [y][x][N,E,S,W]. Throws Error
/// naming source, line, what is wrong and the cure.
void replay_stimulus(const frontend::GridSource& grid, std::string_view stimulus, const std::string& source, const StimulusParams& params,
                     const TextSink& sink);
std::string replay_stimulus(const GridConfig& config, std::string_view stimulus, const std::string& source,
                            const StimulusParams& params = {});

}  // namespace bitgrid::sim
