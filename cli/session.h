// engines/session.h for commands: from their options, with progress on stderr.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/model_options.h"
#include "engines/session.h"

namespace bitgrid::cli {

struct SessionOptions {
  std::string model, engine, arch, optimize = "area";
  uint64_t seed = 1;
  ModelOptions scales;
};

/// Maps all kernels and shows which one is being mapped.
std::vector<MappedKernel> map_with_progress(const Program& program, const mapping::MapParams& params, Progress& progress);

/// Throws Error if the engine cannot run the model. The session must not move, because its functions refer to it.
std::unique_ptr<engines::Session> open_session(const SessionOptions& options, Progress& progress);

}  // namespace bitgrid::cli
