// Engines that run whole texts, several streams at the same time.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engines/engine_stats.h"
#include "ir/arch.h"
#include "ir/host.h"
#include "ir/mapped_kernel.h"
#include "ir/program.h"

namespace bitgrid::engines {

struct StreamsInputs {
  const Program& program;
  const std::vector<MappedKernel>& mapped;
  Arch arch = {};
  std::vector<std::vector<int>> streams = {};  // the initial tokens of each text, at least one
  int generate = 0;                            // tokens to generate for each text after those
  /// Chooses the next token of a stream. Needed with `generate`.
  std::function<int(size_t stream, const std::vector<int64_t>& logits)> choose = nullptr;
  bool keep_values = false;    // StreamText::values
  bool keep_timeline = false;  // StreamsResult::timeline
  std::function<void(const std::string&)> progress = nullptr;
};

struct StreamText {
  std::vector<int> tokens;  // given and generated
  HostTrace values;         // codes of every tensor at every position
};

struct StreamsResult {
  std::vector<StreamText> texts;
  EngineStats stats;
  std::string summary;          // for people
  nlohmann::ordered_json json;  // the fields that --json gets in addition to the texts
  std::string timeline;         // activity over time, in the trace event format
};

/// Runs tiles with memories and buses, as the architecture describes them. Throws Error as platform::simulate_platform does.
StreamsResult run_platform(const StreamsInputs& inputs);

}  // namespace bitgrid::engines
