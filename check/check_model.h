// Runs engines side by side over the same positions and names the first difference.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engines/engines.h"
#include "ir/arch.h"
#include "ir/model.h"
#include "lowering/mapping/map.h"

namespace bitgrid::check {

struct CheckParams {
  std::vector<const engines::Engine*> engines = engines::find_engines(engines::kDefaultEngines.check);
  std::vector<int> tokens;                                // of the positions
  std::string from;                                       // folder of artefacts to use as they stand; empty: compile and write Verilog now
  uint64_t seed = 1;                                      // of the mapping, where it is done now
  mapping::Optimize optimize = mapping::Optimize::kArea;  // likewise
  Arch arch = {};  // likewise its tile: layers that are larger are cut; and what engines of streams have around the tiles
  rtl::RtlParams rtl;
  std::function<void(const std::string&)> progress;  // a line about what is going on
};

struct EngineCheck {
  std::string engine;     // its name
  uint64_t compared = 0;  // values: elements of tensors, at every position
  uint64_t mismatches = 0;
  engines::EngineStats stats;
};

/// The first wrong output bit of an engine. Where a damaged artefact gives no wrong value in the positions checked, `position` is absent
/// and the difference is one of random invocations of the kernel, or (`invocation` absent too) of its configuration or text only.
struct Mismatch {
  std::string engine;  // its name
  std::optional<int> position;
  std::string step;
  std::string kernel;
  std::optional<size_t> invocation;  // within the step (or of the random invocations)
  std::optional<size_t> bit;         // of the kernel's outputs
  int expected = 0;
  int got = 0;
  std::string detail;  // tensor, channel and values; or what differs in the artefact
};

struct CheckReport {
  int positions = 0;
  std::vector<EngineCheck> engines;
  std::optional<Mismatch> first_mismatch;
  std::vector<std::string> artefact_notes;  // what is wrong with the folder: changed model, damaged cells, drift
  bool ok() const;
};

/// Every tensor of the program, by every engine, against the golden code's. Throws Error if an
/// engine cannot run (no Verilator, artefacts of another model shape).
CheckReport check_model(const Model& model, const CheckParams& params);

/// A prompt's tokens, continued by the CPU engine up to `positions`: greedily, or sampled with one of the model's temperatures.
std::vector<int> positions_to_check(const Model& model, const std::string& prompt, int positions, const std::string& temperature = "",
                                    uint32_t seed = 1);

}  // namespace bitgrid::check
