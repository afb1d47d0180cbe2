// The same weights have the same scales and groups, whatever type stores them: engines compute by groups.
#pragma once

#include <cstdint>
#include <vector>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::frontend {

/// Sets `floats`: codes times scales. Everything else is set.
void give_floats_of_codes(CheckpointTensor& t);

/// What the scales of a tensor's groups have in common. Groups whose scale is 0 have no weights and agree with all.
struct GroupScan {
  float scale = 0.0f;       // the first that is not 0
  bool one_scale = true;    // all are the same
  bool pairs_share = true;  // those of groups 2 i and 2 i + 1 of each row are
  float before = 0.0f;

  /// The scale of group `g` of a row.
  void see(uint64_t g, float s) {
    if (g % 2 == 1 && s != before && s != 0.0f && before != 0.0f) pairs_share = false;
    before = s;
    if (s == 0.0f) return;
    if (scale == 0.0f) scale = s;
    if (s != scale) one_scale = false;
  }
};

/// Gives a tensor of groups what was seen: one scale for the tensor, if all are the same.
void take_scan(const GroupScan& scan, CheckpointTensor& t);

/// Groups of 64 inputs whose scales come in equal pairs in all tensors are groups of 128 (Q2_0 has no larger blocks): makes them such.
void join_groups(std::vector<CheckpointTensor>& tensors);

}  // namespace bitgrid::frontend
