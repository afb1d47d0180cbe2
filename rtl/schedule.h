// Assigns computations to pipeline stages: as soon as possible, with a given number of logic levels per stage.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/dag.h"

namespace bitgrid::rtl {

struct StageSchedule {
  uint32_t stages = 1;               // stage s ends in the registers of index s + 1
  std::vector<uint8_t> live;         // by node: 1 if an output depends on it
  std::vector<uint8_t> constant;     // by node: 1 if it depends on no input; it is never registered
  std::vector<uint8_t> folded;       // by node: 1 for a gate that is written into its only user, the operand of a popcount
  std::vector<uint32_t> stage;       // by node: the stage that computes it
  std::vector<uint32_t> last;        // by node: the last stage that uses it; outputs count as a stage after the last one
  std::vector<uint8_t> partly_used;  // by node: 1 if nothing uses some of its bits in stage `last`
};

StageSchedule schedule_stages(const Dag& dag, uint32_t levels_per_stage);

}  // namespace bitgrid::rtl
