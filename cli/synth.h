// bitgrid report --synth: area and clock rate of a cell, a small grid, and a source's datapath modules.
#pragma once

#include <string>

#include "cli/common.h"

namespace bitgrid::cli {

struct SynthOptions {
  bool synth = false;
  std::string kernel;
  int side = 4, timeout = 300;
  bool no_place = false;
};

void add_synth_options(CLI::App& command, SynthOptions& options);

/// `source`: a model, netlist or kernel, or empty. `technology`: a file, or empty. Throws Error if Yosys is missing, or as the readers do.
void report_synthesis(const SynthOptions& options, const std::string& source, const std::string& technology, const Common& common);

}  // namespace bitgrid::cli
