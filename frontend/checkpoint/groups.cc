#include "frontend/checkpoint/groups.h"

#include <fmt/format.h>

namespace bitgrid::frontend {

void give_floats_of_codes(CheckpointTensor& t) {
  const uint64_t columns = t.columns(), group = t.sharing == ScaleSharing::kGroup ? t.group : columns;
  t.floats = [codes = t.codes, columns, group](uint64_t r, std::span<float> row) {
    std::vector<int8_t> digits(columns);
    std::vector<float> scales(columns / group);
    codes(r, digits, scales);
    for (uint64_t c = 0; c < columns; ++c) row[c] = static_cast<float>(digits[c]) * scales[c / group];
  };
}

void take_scan(const GroupScan& scan, CheckpointTensor& t) {
  const uint64_t groups = t.columns() / t.group;
  t.pairs_share = scan.pairs_share && groups % 2 == 0;
  if (!scan.one_scale) return;
  t.codes = [inner = std::move(t.codes), groups, scale = scan.scale](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
    std::vector<float> own(groups);
    inner(r, codes, own);
    scales[0] = scale;
  };
  t.sharing = ScaleSharing::kTensor;
  t.tensor_scale = static_cast<double>(scan.scale);
  t.scale += fmt::format(", the same in all: {:.6g}", t.tensor_scale);
}

void join_groups(std::vector<CheckpointTensor>& tensors) {
  constexpr uint64_t kStored = 64, kJoined = 128;
  for (const CheckpointTensor& t : tensors)
    if (t.sharing == ScaleSharing::kGroup && (t.group != kStored || !t.pairs_share)) return;
  for (CheckpointTensor& t : tensors) {
    if (t.sharing != ScaleSharing::kGroup) continue;
    t.group = kJoined;
    t.scale += fmt::format("; the same for {} inputs throughout the model", kJoined);
    t.codes = [inner = std::move(t.codes), groups = t.columns() / kStored](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
      std::vector<float> own(groups);
      inner(r, codes, own);
      for (uint64_t g = 0; g < scales.size(); ++g) scales[g] = own[2 * g] != 0.0f ? own[2 * g] : own[2 * g + 1];
    };
  }
}

}  // namespace bitgrid::frontend
