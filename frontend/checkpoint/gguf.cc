#include "frontend/checkpoint/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "frontend/checkpoint/groups.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/text.h"

namespace bitgrid::frontend {
namespace {

constexpr uint64_t kMostParts = 9999;

/// The name of part `number`, counted from 0, of the split file that `path` is a part of.
std::string part_path(const std::string& path, uint64_t number, uint64_t count, uint64_t own) {
  const auto ending = [&](uint64_t n) { return fmt::format("-{:05}-of-{:05}.gguf", n + 1, count); };
  if (!path.ends_with(ending(own)))
    throw Error(path, fmt::format("this is part {} of {} of a split file, but its name does not say so", own + 1, count),
                fmt::format("give all parts the names that they had, which end in {}", ending(own)));
  return path.substr(0, path.size() - ending(own).size()) + ending(number);
}

GgufFile open_part(const std::string& path) {
  auto mapped = std::make_shared<const MappedFile>(path);
  GgufFile file = parse_gguf(mapped->text(), path);
  file.mapped = std::move(mapped);
  return file;
}

/// The other parts, and all of them in order.
std::vector<GgufFile> open_parts(GgufFile file) {
  const uint64_t count = gguf_whole(file, "split.count").value_or(1), own = gguf_whole(file, "split.no").value_or(0);
  std::vector<GgufFile> parts;
  if (count <= 1) {
    parts.push_back(std::move(file));
    return parts;
  }
  if (own >= count || count > kMostParts)
    throw Error(file.path, fmt::format("its metadata says that it is part {} of {}", own + 1, count),
                "the file is damaged: fetch it again");
  uint64_t tensors = 0;
  for (uint64_t n = 0; n < count; ++n) {
    const std::string path = part_path(file.path, n, count, own);
    if (n != own && !is_there(path))
      throw Error(file.path, fmt::format("this is part {} of {}, and part {} is missing: {}", own + 1, count, n + 1, path),
                  "fetch all parts into one folder");
    parts.push_back(n == own ? file : open_part(path));
    const uint64_t says = gguf_whole(parts.back(), "split.no").value_or(0), of = gguf_whole(parts.back(), "split.count").value_or(1);
    if (says != n || of != count)
      throw Error(path, fmt::format("its name says part {} of {}, its contents part {} of {}", n + 1, count, says + 1, of),
                  "give all parts the names that they had");
    tensors += parts.back().tensors.size();
  }
  const uint64_t announced = gguf_whole(parts[0], "split.tensors.count").value_or(tensors);
  if (announced != tensors)
    throw Error(parts[0].path, fmt::format("{} tensors are declared, but all parts together have {}", announced, tensors),
                "the parts belong to different files: fetch all of them again");
  return parts;
}

/// A scale beside a matrix of one scale.
void multiply_scale(double factor, const std::string& name, CheckpointTensor& matrix) {
  matrix.tensor_scale *= factor;
  matrix.scale = fmt::format("one for the tensor, {:.6g}, in {}; weights are codes times it", matrix.tensor_scale, name);
  matrix.codes = [inner = std::move(matrix.codes), scale = static_cast<float>(matrix.tensor_scale)](uint64_t r, std::span<int8_t> codes,
                                                                                                    std::span<float> scales) {
    inner(r, codes, scales);
    scales[0] = scale;
  };
  give_floats_of_codes(matrix);
}

/// Why a graph that we have would not be that of the file: a tensor that it does not read.
Refusal refusal_of_tensor(const std::string& name, const GraphConfig& graph) {
  if (name == "rope_freqs.weight")
    return {fmt::format("tensor rope_freqs.weight does not have a factor for each of the {} rotary pairs of a head", graph.head_width / 2),
            "take an intact file"};
  return {fmt::format("the graph of {} with {} layers does not have the tensor {}: without it the result would be wrong",
                      graph.architecture, graph.layers, name),
          "take another file of the model, made by a current converter"};
}

void name_tensors(const std::string& architecture, Checkpoint& checkpoint) {
  std::set<std::string_view> names;
  for (CheckpointTensor& tensor : checkpoint.tensors) {
    if (!names.insert(tensor.name).second) throw Error(tensor.where, "two parts have this tensor", "fetch all parts again");
    if (!gguf_runs(architecture)) continue;
    tensor.canonical = gguf_canonical(architecture, checkpoint.graph.layers, tensor.name);
    if (tensor.canonical.empty() && !checkpoint.refusal) checkpoint.refusal = refusal_of_tensor(tensor.name, checkpoint.graph);
  }
}

/// The floats of a tensor of one row, all above 0.
std::vector<float> positive_row(const CheckpointTensor& tensor) {
  std::vector<float> row(tensor.columns());
  tensor.floats(0, row);
  for (const float v : row)
    if (!(std::isfinite(v) && v > 0.0f))
      throw Error(tensor.where, fmt::format("it has the number {}, not above 0", v), "take an intact file");
  return row;
}

/// What divides the frequencies of rotary pairs: Llama 3.1's scaling, as its converters write it.
void take_rope_factors(Checkpoint& checkpoint) {
  const auto it = std::find_if(checkpoint.tensors.begin(), checkpoint.tensors.end(),
                               [](const CheckpointTensor& tensor) { return tensor.name == "rope_freqs.weight"; });
  if (it == checkpoint.tensors.end() || it->rows() != 1 || it->columns() != checkpoint.graph.head_width / 2) return;
  const std::vector<float> factors = positive_row(*it);
  checkpoint.graph.rope_factors.assign(factors.begin(), factors.end());
  const auto [least, most] = std::minmax_element(factors.begin(), factors.end());
  checkpoint.said.push_back(
      fmt::format("rope_freqs.weight divides the frequencies of rotary positions by {:.6g} to {:.6g}", *least, *most));
  checkpoint.tensors.erase(it);
}

/// Older converters of BitNet keep the scale of "NAME.weight" in a tensor of its own, "NAME.scale", by which llama.cpp (build_bitnet)
/// multiplies the sums.
void take_scale_tensors(Checkpoint& checkpoint) {
  constexpr std::string_view kScale = ".scale";
  std::map<std::string, size_t> matrices;
  for (size_t i = 0; i < checkpoint.tensors.size(); ++i) matrices[checkpoint.tensors[i].name] = i;
  std::vector<size_t> taken;
  for (size_t i = 0; i < checkpoint.tensors.size(); ++i) {
    const CheckpointTensor& scale = checkpoint.tensors[i];
    if (!scale.name.ends_with(kScale)) continue;
    const auto it = matrices.find(scale.name.substr(0, scale.name.size() - kScale.size()) + ".weight");
    if (it == matrices.end() || checkpoint.tensors[it->second].values == StoredValues::kFloat) continue;
    CheckpointTensor& matrix = checkpoint.tensors[it->second];
    const bool one = scale.rows() * scale.columns() == 1;
    if (!one || matrix.sharing != ScaleSharing::kTensor) {
      const std::string why = one ? matrix.name + " has scales for groups, too" : "it has more than one number";
      if (!checkpoint.refusal)
        checkpoint.refusal = Refusal{fmt::format("the scale in tensor {} cannot be read: {}", scale.name, why),
                                     "take a file of the model with its scales in the blocks, such as TQ1_0, TQ2_0 or Q2_0"};
      continue;
    }
    multiply_scale(static_cast<double>(positive_row(scale)[0]), scale.name, matrix);
    matrix.bytes += scale.bytes;
    taken.push_back(i);
  }
  for (size_t n = taken.size(); n > 0; --n)
    checkpoint.tensors.erase(checkpoint.tensors.begin() + static_cast<std::ptrdiff_t>(taken[n - 1]));
}

void add_notes(const CheckpointParams& params, Checkpoint& checkpoint) {
  uint64_t i2s = 0, large = 0;
  const CheckpointTensor* largest = nullptr;
  for (const CheckpointTensor& tensor : checkpoint.tensors) {
    i2s += tensor.stored.starts_with("I2_S");
    if (tensor.values != StoredValues::kTernary || tensor.sharing != ScaleSharing::kTensor || !(tensor.tensor_scale > 1.0)) continue;
    ++large;
    if (!largest || tensor.tensor_scale > largest->tensor_scale) largest = &tensor;
  }
  if (i2s == 0 && !params.i2s_layout.empty()) throw Error("--i2s-layout", checkpoint.path + " has no I2_S tensors", "leave it out");
  if (i2s > 0 && params.i2s_layout.empty())
    checkpoint.notes.push_back(
        fmt::format("{} tensors are I2_S, whose files do not say how bytes are ordered: x86 is assumed; "
                    "if the text is garbage, try --i2s-layout x86-rows or arm",
                    i2s));
  if (large > 0)
    checkpoint.notes.push_back(
        fmt::format("{} ternary tensors have a scale above 1, the largest {:.6g} of {}: some converters divided by the scale "
                    "where they should have multiplied; if the text is garbage, convert the model again",
                    large, largest->tensor_scale, largest->name));
}

}  // namespace

Checkpoint gguf_checkpoint(const std::vector<GgufFile>& parts, const CheckpointParams& params, std::shared_ptr<void> files) {
  const I2sLayout layout = parse_i2s_layout(params.i2s_layout);
  const GgufFile& first = parts.at(0);
  Checkpoint checkpoint;
  checkpoint.path = first.path;
  checkpoint.format = fmt::format("GGUF {}", first.version);
  checkpoint.name_in_file = gguf_name;
  if (parts.size() > 1) checkpoint.format += fmt::format(", {} parts", parts.size());
  checkpoint.files = std::move(files);
  const std::string architecture = gguf_text(first, "general.architecture").value_or("");
  std::optional<Refusal> of_tensors;
  uint64_t vocabulary = 0;
  for (const GgufFile& part : parts) {
    const std::vector<GgufPlace> places = gguf_places(part, layout);
    for (const GgufPlace& place : places)
      if (place.refusal && !of_tensors) of_tensors = place.refusal;
    for (CheckpointTensor& tensor : gguf_tensors(part, places, layout)) checkpoint.tensors.push_back(std::move(tensor));
    for (const GgufTensor& tensor : part.tensors)
      if (tensor.name == "token_embd.weight" && tensor.shape.size() == 2) vocabulary = tensor.shape[0];
    checkpoint.bytes += part.bytes.size();
  }
  if (gguf_runs(architecture)) checkpoint.refusal = of_tensors;  // otherwise the architecture is what to say first
  checkpoint.graph = gguf_graph(first, params, vocabulary, checkpoint.refusal);
  checkpoint.graph.tied = std::none_of(checkpoint.tensors.begin(), checkpoint.tensors.end(),
                                       [](const CheckpointTensor& tensor) { return tensor.name == "output.weight"; });
  take_rope_factors(checkpoint);
  take_scale_tensors(checkpoint);
  join_groups(checkpoint.tensors);
  name_tensors(architecture, checkpoint);
  checkpoint.tokenizer = gguf_tokenizer(first);
  add_notes(params, checkpoint);
  return checkpoint;
}

Checkpoint read_gguf(const std::string& path, const CheckpointParams& params) {
  auto parts = std::make_shared<std::vector<GgufFile>>(open_parts(open_part(path)));
  return gguf_checkpoint(*parts, params, parts);
}

}  // namespace bitgrid::frontend
