// Hugging Face folders, in memory.
#include <algorithm>

#include "frontend/checkpoint/convert.h"
#include "frontend/checkpoint/huggingface_matrices.h"
#include "frontend/safetensors_writer.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/targets.h"

namespace bitgrid::fuzz {
namespace {

using frontend::CheckpointTensor;
using frontend::ScaleSharing;
using frontend::StoredValues;

/// A row's floats are codes that the tensor may have, times scales.
void check_row(const CheckpointTensor& t, uint64_t r) {
  std::vector<float> floats(t.columns());
  t.floats(r, floats);
  if (t.values == StoredValues::kFloat) return;
  const uint64_t group = t.sharing == ScaleSharing::kGroup ? t.group : t.columns();
  std::vector<int8_t> codes(t.columns());
  std::vector<float> scales(t.columns() / group);
  t.codes(r, codes, scales);
  const int most = t.values == StoredValues::kInt2 ? 2 : 1;
  for (size_t c = 0; c < codes.size(); ++c) {
    const float scale = scales[c / group];
    require(codes[c] >= -1 && codes[c] <= most, "a code is outside of the values of " + t.where);
    require(t.values != StoredValues::kBinary || codes[c] != 0 || scale == 0.0f, "a binary code is 0: " + t.where);
    require(floats[c] == static_cast<float>(codes[c]) * scale, "codes times scales are not the floats of " + t.where);
  }
}

}  // namespace

void huggingface_folder(std::string_view bytes) {
  const std::vector<std::string> files = parts(bytes, 3);
  std::string weights;
  frontend::append_little_endian(weights, files[1].size(), 8);
  weights += files[1] + files[2];
  frontend::Checkpoint checkpoint;
  const auto read = [&] {
    frontend::HfConfig config = frontend::parse_hf_config(files[0], "config.json");
    const auto tensors = frontend::hf_files_of(std::make_unique<const frontend::SafetensorsMap>(weights, "model.safetensors"));
    checkpoint.tensors = frontend::make_hf_tensors(*tensors, config);
    checkpoint.graph = config.graph;
    checkpoint.refusal = config.refusal;
    return tensors;
  };
  const auto opened = accepted(read);
  if (!opened) return;
  const auto refusal = frontend::find_refusal(checkpoint);
  if (refusal) check_message(refusal->why);
  for (const CheckpointTensor& t : checkpoint.tensors)
    for (uint64_t r = 0; r < std::min<uint64_t>(t.rows(), 4); ++r) accepted([&] { return check_row(t, r), true; });
}

}  // namespace bitgrid::fuzz
