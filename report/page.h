// The report of a compilation as one self-contained page.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "estimate/estimate.h"
#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "ir/program.h"

namespace bitgrid::report {

struct PageData {
  std::string title;
  nlohmann::ordered_json configuration;  // effective options, seed, version; shown unchanged
  std::vector<MappedKernel> kernels;
  Defects defects;
  // Graph, timeline and roofline are shown if the model is given.
  const Program* program = nullptr;
  std::optional<estimate::Estimate> figures;
  estimate::EstimateParams params;
  // A run of the platform: its trace (page_timeline.h), and the file that it comes from.
  nlohmann::json trace;
  std::string trace_file;
};

/// Shows kernel table, floorplans drawn from the configuration (pan, zoom, hover), utilisation, graph, timeline, roofline. Equal data gives
/// equal bytes. Kernels must be verified.
std::string report_page(const PageData& data);

/// Returns the floorplan's data: {"name", "strategy", "w", "h", "ii", "lead", "dict": [[configuration word, role]..], "cells": base64 of
/// one index per cell, row by row, as LEB128, "in": [[bit, side, position, phase, hold]..], "out": [[bit, side, position, phase]..],
/// "constants": [[side, position, phase, bits]..], "inputBits", "outputBits"}, and with `source` also "names": {"in", "out": [[port, words,
/// bits per word]..]}.
nlohmann::ordered_json floorplan_json(const MappedKernel& kernel, const Kernel* source = nullptr);

}  // namespace bitgrid::report
