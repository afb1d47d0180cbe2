// The report of a compile as one self-contained page.
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
  nlohmann::ordered_json configuration;  // effective options, seed, version: shown as they are
  std::vector<MappedKernel> kernels;
  Defects defects;
  // If the model is given: graph, timeline and roofline.
  const Program* program = nullptr;
  std::optional<estimate::Estimate> figures;
  estimate::EstimateParams params;
  // A run of the platform: its trace (page_timeline.h), and the file that it is from.
  nlohmann::json trace;
  std::string trace_file;
};

/// Kernel table, floorplans drawn from the configuration (pan, zoom, hover), utilisation, graph, timeline, roofline. Equal data gives equal
/// bytes. Needs verified kernels.
std::string report_page(const PageData& data);

/// The floorplan's data: {"name", "strategy", "w", "h", "ii", "lead", "dict": [[configuration word, role]..], "cells": base64 of one index
/// a cell, row by row, as LEB128, "in": [[bit, side, position, phase, hold]..], "out": [[bit, side, position, phase]..], "constants":
/// [[side, position, phase, bits]..], "inputBits", "outputBits"}, and with `source` "names": {"in", "out": [[port, words, bits of a
/// word]..]}.
nlohmann::ordered_json floorplan_json(const MappedKernel& kernel, const Kernel* source = nullptr);

}  // namespace bitgrid::report
