// Small random checkpoints in memory, of every graph and kind of scales.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::test {

struct TinyCheckpointParams {
  std::string graph = "bitnet";
  frontend::StoredValues values = frontend::StoredValues::kTernary;
  frontend::ScaleSharing sharing = frontend::ScaleSharing::kTensor;
  uint64_t group = 32;
  bool tied = true;
  uint64_t seed = 1;
};

/// Two layers of width 64, two heads of 32 over one of keys and values, hidden 96, 40 tokens.
std::shared_ptr<frontend::Checkpoint> tiny_checkpoint(const TinyCheckpointParams& params);

}  // namespace bitgrid::test
