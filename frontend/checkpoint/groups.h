// Makes sure that equal weights have equal scales and groups, whatever type stores them, because engines compute by groups.
#pragma once

#include <cstdint>
#include <vector>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// Sets `floats` to codes times scales. Everything else must be set.
void give_floats_of_codes(CheckpointTensor& t);

/// What the scales of a tensor's groups have in common. A group whose scale is 0 has no weights and matches all others.
struct GroupScan {
  float scale = 0.0f;       // the first that is not 0
  bool one_scale = true;    // all are the same
  bool pairs_share = true;  // groups 2 i and 2 i + 1 of each row have the same scale
  float before = 0.0f;

  /// Adds the scale of group `g` of a row.
  void see(uint64_t g, float s) {
    if (g % 2 == 1 && s != before && s != 0.0f && before != 0.0f) pairs_share = false;
    before = s;
    if (s == 0.0f) return;
    if (scale == 0.0f) scale = s;
    if (s != scale) one_scale = false;
  }
};

/// Applies what was seen to a tensor with groups: one scale for the tensor, if all are the same.
void take_scan(const GroupScan& scan, CheckpointTensor& t);

/// Joins groups of 64 inputs into groups of 128 if their scales come in equal pairs in all tensors (Q2_0 has no larger blocks).
void join_groups(std::vector<CheckpointTensor>& tensors);

}  // namespace bitgrid::frontend
