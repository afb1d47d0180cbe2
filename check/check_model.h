// Runs engines side by side over the same positions and reports the first difference.
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
  std::string from;                                       // folder of artefacts to use as they are; empty: compile and write Verilog now
  uint64_t seed = 1;                                      // for the mapping, if it is done now
  mapping::Optimize optimize = mapping::Optimize::kArea;  // likewise
  Arch arch = {};  // also its tile, by which larger layers are cut, and the platform of engines of streams
  rtl::RtlParams rtl;
  std::function<void(const std::string&)> progress;  // gets status lines
};

struct EngineCheck {
  std::string engine;     // its name
  uint64_t compared = 0;  // values, that is elements of tensors, at every position
  uint64_t mismatches = 0;
  engines::EngineStats stats;
};

/// The first wrong output bit of an engine. If a damaged artefact gives no wrong value in the positions checked, `position` is empty, and
/// the difference is in random invocations of the kernel, or (with `invocation` empty too) only in its configuration or text.
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
  std::vector<std::string> artefact_notes;  // problems of the folder: changed model, damaged cells, drift
  bool ok() const;
};

/// Compares every tensor of the program from every engine with the golden code's. Throws Error if an engine cannot run (no Verilator,
/// artefacts of another model shape).
CheckReport check_model(const Model& model, const CheckParams& params);

/// Returns the tokens of a prompt, continued by the CPU engine up to `positions`, greedily or by sampling at one of the model's
/// temperatures.
std::vector<int> positions_to_check(const Model& model, const std::string& prompt, int positions, const std::string& temperature = "",
                                    uint32_t seed = 1);

}  // namespace bitgrid::check
