// GGUF files, Hugging Face folders and models with scales, all in memory: what is read is looked at, and what can run takes two tokens.
#include <algorithm>
#include <bit>

#include "frontend/checkpoint/convert.h"
#include "frontend/checkpoint/gguf.h"
#include "frontend/checkpoint/huggingface_matrices.h"
#include "frontend/safetensors_writer.h"
#include "frontend/scaled_model_file.h"
#include "reference_cpu/scaled/scaled_engine.h"
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
  const bool read = accepted([&] { return t.floats(r, floats), true; }).has_value();
  if (!t.codes) return;
  const uint64_t group = t.sharing == ScaleSharing::kGroup ? t.group : std::max<uint64_t>(t.columns(), 1);
  std::vector<int8_t> codes(t.columns());
  std::vector<float> scales(t.columns() / group);
  if (!accepted([&] { return t.codes(r, codes, scales), true; })) return;
  require(read, "codes can be read, but floats cannot: " + t.where);
  const int most = t.values == StoredValues::kInt2 ? 2 : 1;
  for (size_t c = 0; c < codes.size(); ++c) {
    const float scale = scales[c / group];
    require(codes[c] >= -1 && codes[c] <= most, "a code is outside of the values of " + t.where);
    // Blocks of a scale of 0 have codes 0, also where the other blocks share one that is not.
    require(t.values != StoredValues::kBinary || t.sharing != ScaleSharing::kGroup || codes[c] != 0 || scale == 0.0f,
            "a binary code is 0: " + t.where);
    require(floats[c] == static_cast<float>(codes[c]) * scale, "codes times scales are not the floats of " + t.where);
  }
}

/// The logits of the first and the last token, one after the other; empty: the model's values ran away.
std::vector<cpu::ScaledLogits> logits_of(const ScaledModel& model, const CacheForms& cache, cpu::SumKernel kernel) {
  const cpu::ScaledEngine engine(model, {cache, {kernel, 1}});
  std::vector<cpu::ScaledLogits> logits;
  accepted([&] {
    cpu::ScaledState state = engine.start();
    for (const size_t token : {size_t{0}, model.embedding.vocabulary - 1})
      if (state.position < model.context) logits.push_back(engine.step(state, static_cast<int>(token)));
    return true;
  });
  return logits;
}

/// Both kernels agree on an accepted model, with plain caches and rotated ones.
void check_run(const ScaledModel& model) {
  for (const char* text : {"k=8:shift", "k=4:mean:rotated,v=3:max:rotated,recent=1"}) {
    const CacheForms cache = parse_cache_forms(text);
    if (cache.key.rotated && !std::has_single_bit(model.head_width)) continue;
    const auto defined = logits_of(model, cache, cpu::SumKernel::kDefinition), fast = logits_of(model, cache, cpu::SumKernel::kFast);
    const auto same = [](const cpu::ScaledLogits& a, const cpu::ScaledLogits& b) { return a.values == b.values && a.unit == b.unit; };
    require(std::equal(defined.begin(), defined.end(), fast.begin(), fast.end(), same), "the two kernels differ");
  }
}

/// Everything that can be asked of a checkpoint in `bytes` bytes.
void check_checkpoint(std::shared_ptr<const frontend::Checkpoint> checkpoint, size_t bytes) {
  for (const std::string& note : checkpoint->said) check_message(note);
  for (const std::string& note : checkpoint->notes) check_message(note);
  bool small = true;
  for (const CheckpointTensor& t : checkpoint->tensors) {
    check_message(t.stored);
    if (t.rows() == 0) continue;
    const bool refused = t.columns() > 8 * bytes;  // its type is not read
    small = small && !refused;
    if (refused) continue;
    check_row(t, 0);
    check_row(t, t.rows() - 1);
  }
  const auto refusal = frontend::find_refusal(*checkpoint);
  if (refusal) check_message(refusal->why), check_message(refusal->cure);
  if (refusal || !small) return;
  const auto model = accepted([&] { return frontend::convert(checkpoint, {std::min<size_t>(checkpoint->graph.context, 2)}); });
  if (model) check_run(*model);
}

/// A safetensors file of its header's text and its data.
std::string safetensors_of(const std::string& header, const std::string& data) {
  std::string file;
  frontend::append_little_endian(file, header.size(), 8);
  return file + header + data;
}

}  // namespace

void gguf(std::string_view bytes) {
  const auto file = accepted([&] { return frontend::parse_gguf(bytes, "x.gguf"); });
  if (!file) return;
  auto checkpoint = accepted([&] { return frontend::gguf_checkpoint({*file}, {}, nullptr); });
  if (checkpoint) check_checkpoint(std::make_shared<frontend::Checkpoint>(std::move(*checkpoint)), bytes.size());
}

void huggingface_folder(std::string_view bytes) {
  const std::vector<std::string> files = parts(bytes, 3);
  const std::string weights = safetensors_of(files[1], files[2]);
  const auto checkpoint = std::make_shared<frontend::Checkpoint>();
  const auto opened = accepted([&] {
    frontend::HfConfig config = frontend::parse_hf_config(files[0], "config.json");
    auto tensors = frontend::hf_files_of(std::make_unique<const frontend::SafetensorsMap>(weights, "model.safetensors"));
    checkpoint->tensors = frontend::make_hf_tensors(*tensors, config);
    checkpoint->graph = config.graph;
    checkpoint->refusal = config.refusal;
    return tensors;
  });
  if (opened) check_checkpoint(checkpoint, bytes.size());
}

void scaled_model(std::string_view bytes) {
  const std::vector<std::string> files = parts(bytes, 3);
  const std::string weights = safetensors_of(files[1], files[2]);
  const auto model = accepted([&] { return frontend::parse_scaled_model(files[0], "model.yaml", weights, "weights.safetensors"); });
  if (model) check_run(*model);
}

}  // namespace bitgrid::fuzz
