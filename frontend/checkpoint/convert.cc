#include "frontend/checkpoint/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <map>

#include "frontend/checkpoint/fixed.h"
#include "ir/error.h"
#include "ir/parallel.h"
#include "ir/vectorised.h"

namespace bitgrid::frontend {

namespace {

constexpr int kGainBits = 15, kGroupScaleBits = 11, kHeadScaleBits = 12;  // of magnitude
constexpr int kStreamBits = 12;                                           // log2 of the embedding's rms in units of the stream
constexpr int kCacheFraction = 10;                                        // log2 of a typical key or value in fixed point
constexpr int kMixBits = 8;                                               // fraction bits that mixed values gain
constexpr size_t kRowsAtOnce = 128;
constexpr size_t kMostContextByDefault = 4096;

WeightStorage storage_of(const CheckpointTensor& tensor) {
  return tensor.values == StoredValues::kBinary ? WeightStorage::kOneBit : WeightStorage::kTwoBits;
}

BITGRID_VECTORISED_CLONES uint64_t count_nonzero(std::span<const int8_t> codes) {
  constexpr size_t kRun = 128;  // fits a count of 8 bits
  uint64_t count = 0;
  size_t i = 0;
  for (; i + kRun <= codes.size(); i += kRun) {
    uint8_t run = 0;
    for (size_t j = 0; j < kRun; ++j) run = static_cast<uint8_t>(run + static_cast<uint8_t>(codes[i + j] != 0));
    count += run;
  }
  for (; i < codes.size(); ++i) count += static_cast<uint64_t>(codes[i] != 0);
  return count;
}

BITGRID_VECTORISED_CLONES double sum_of_squares(std::span<const float> row) {
  double sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= row.size(); i += 8)
    for (size_t j = 0; j < 8; ++j) sums[j] += static_cast<double>(row[i + j]) * static_cast<double>(row[i + j]);
  for (; i < row.size(); ++i) sums[0] += static_cast<double>(row[i]) * static_cast<double>(row[i]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// Infinity or not a number if one of them is. Magnitudes are in the order of their bits.
BITGRID_VECTORISED_CLONES float largest_magnitude(std::span<const float> row) {
  uint32_t largest = 0;
  for (const float v : row) {
    const uint32_t magnitude = std::bit_cast<uint32_t>(v) & 0x7FFFFFFFu;
    largest = magnitude > largest ? magnitude : largest;
  }
  return std::bit_cast<float>(largest);
}

/// floor(127 row / top + 1/2). What is added before the cut makes all numbers positive.
BITGRID_VECTORISED_CLONES void to_bytes(std::span<const float> row, double top, std::span<int8_t> codes) {
  for (size_t c = 0; c < row.size(); ++c)
    codes[c] = static_cast<int8_t>(static_cast<int32_t>(static_cast<double>(row[c]) * 127.0 / top + 128.5) - 128);
}

/// One checkpoint on its way.
class Converter {
 public:
  Converter(const std::shared_ptr<const Checkpoint>& checkpoint, const ConvertParams& params);
  ScaledModel run();

 private:
  using Gains = std::vector<double>;

  const CheckpointTensor* find(const std::string& name) const {
    const auto it = tensors_.find(name);
    return it == tensors_.end() ? nullptr : it->second;
  }
  const CheckpointTensor& get(const std::string& name) const;

  template <typename Body>
  void for_rows(const CheckpointTensor& tensor, Body body) const;

  void set_context();
  void measure_embedding();
  Gains gains(const std::string& name) const;
  Norm norm(const std::string& name, const Gains& gain, int code_bits) const;
  std::optional<Norm> norm_if_there(const std::string& name) const;
  LinearMap linear(const std::string& name);
  void pack(const CheckpointTensor& tensor, LinearMap& map, WeightStorage storage);
  int cache_fraction(const std::string& map, const Gains& input, const std::string& head_norm) const;
  SoftmaxAttention attention(const std::string& layer);
  GatedFeedForward feed_forward(const std::string& layer);
  ScaledHead head();
  LinearMap byte_head(const CheckpointTensor& tensor);

  std::shared_ptr<const Checkpoint> checkpoint_;
  const GraphConfig& graph_;
  ConvertParams params_;
  std::map<std::string, const CheckpointTensor*> tensors_;
  std::map<std::string, double> rms_of_weight_;  // of each linear map: rms of its weights
  std::vector<double> squares_;                  // of the embedding's rows, once they have been read
  ScaledModel model_;
};

Converter::Converter(const std::shared_ptr<const Checkpoint>& checkpoint, const ConvertParams& params)
    : checkpoint_(checkpoint), graph_(checkpoint->graph), params_(params) {
  for (const CheckpointTensor& t : checkpoint->tensors)
    if (!t.canonical.empty()) tensors_[t.canonical] = &t;
}

const CheckpointTensor& Converter::get(const std::string& name) const {
  const CheckpointTensor* t = find(name);
  if (t == nullptr) throw Error(checkpoint_->path, "the tensor " + name + " is missing", "take a complete file");
  return *t;
}

/// body(first row, row behind the last) for parts of the rows, on several threads.
template <typename Body>
void Converter::for_rows(const CheckpointTensor& tensor, Body body) const {
  const size_t rows = tensor.rows();
  parallel_for((rows + kRowsAtOnce - 1) / kRowsAtOnce, params_.threads,
               [&](size_t part) { body(part * kRowsAtOnce, std::min<size_t>(rows, (part + 1) * kRowsAtOnce)); });
}

void Converter::set_context() {
  model_.context = context_of(graph_, params_.context);
  if (params_.context > graph_.context)
    throw Error("--context", fmt::format("{} has a context of {} positions", checkpoint_->path, graph_.context), "give that or less");
  RotaryTables turns = rotary_tables(graph_, model_.context);
  model_.tables = function_tables(graph_.head_width, turns.attention_factor);
  model_.tables.cosine = std::move(turns.cosine);
  model_.tables.sine = std::move(turns.sine);
}

/// The unit of the stream: that of the embedding's rms.
void Converter::measure_embedding() {
  const CheckpointTensor& table = get("model.embed_tokens.weight");
  if (squares_.empty()) {
    squares_.resize(table.rows());
    for_rows(table, [&](size_t begin, size_t end) {
      std::vector<float> row(table.columns());
      for (size_t r = begin; r < end; ++r) {
        table.floats(r, row);
        squares_[r] = sum_of_squares(row);
      }
    });
  }
  double sum = 0.0;
  for (const double s : squares_) sum += s;
  if (!(sum > 0.0) || !std::isfinite(sum)) throw Error(table.where, "its values are all 0 or not finite", "take an intact file");
  StreamEmbedding& e = model_.embedding;
  e.vocabulary = table.rows();
  e.fraction = kStreamBits - exponent_of(std::sqrt(sum / static_cast<double>(table.rows() * table.columns())));
  e.row = [&table, fraction = e.fraction](size_t token, std::span<int64_t> out) {
    std::vector<float> row(out.size());
    table.floats(token, row);
    std::transform(row.begin(), row.end(), out.begin(),
                   [&](float v) { return static_cast<int64_t>(half_up(std::ldexp(static_cast<double>(v), fraction))); });
  };
}

Converter::Gains Converter::gains(const std::string& name) const {
  const CheckpointTensor& t = get(name + ".weight");
  std::vector<float> row(t.columns());
  t.floats(0, row);
  for (const float v : row)
    if (!std::isfinite(v)) throw Error(t.where, "it has a value that is not finite", "take an intact file");
  return {row.begin(), row.end()};
}

Norm Converter::norm(const std::string& name, const Gains& gain, int code_bits) const {
  Norm norm;
  norm.name = name;
  norm.code_bits = code_bits;
  Fixed f = fixed(gain, kGainBits);
  norm.gain = {std::move(f.values), f.fraction};
  const double n = static_cast<double>(gain.size()), top = std::ldexp(1.0, code_bits - 1) - 1.0;
  norm.code_scale = constant(std::sqrt(n) / top * std::ldexp(1.0, -norm.gain.fraction));
  norm.root_width = constant(std::sqrt(n));
  norm.eps = constant(n * graph_.eps);
  return norm;
}

std::optional<Norm> Converter::norm_if_there(const std::string& name) const {
  if (find(name + ".weight") == nullptr) return std::nullopt;
  return norm(name, gains(name), 8);
}

/// Packs the codes of a tensor and makes integers of its scales.
void Converter::pack(const CheckpointTensor& tensor, LinearMap& map, WeightStorage storage) {
  const size_t rows = tensor.rows(), columns = tensor.columns();
  const auto packed = std::make_shared<PackedWeights>(rows, columns, storage);
  const size_t scales_per_row = tensor.sharing == ScaleSharing::kGroup ? columns / tensor.group : 1;
  std::vector<float> scales(rows * scales_per_row);
  std::vector<uint64_t> nonzero(rows);
  for_rows(tensor, [&](size_t begin, size_t end) {
    packed->will_pack(begin, end);
    std::vector<int8_t> codes(columns);
    for (size_t r = begin; r < end; ++r) {
      tensor.codes(r, codes, std::span(scales).subspan(r * scales_per_row, scales_per_row));
      packed->pack(r, codes);
      nonzero[r] = count_nonzero(codes);
    }
  });
  tensor.release();
  map.weights = packed;
  uint64_t used = 0;
  for (const uint64_t n : nonzero) used += n;
  // A block without weights has codes 0, which one bit cannot say; where it has a scale of its own, that is 0.
  if (storage == WeightStorage::kOneBit && tensor.sharing != ScaleSharing::kGroup && used != rows * columns)
    return pack(tensor, map, WeightStorage::kTwoBits);
  double mean = tensor.tensor_scale;
  const auto check_mean = [&] {
    if (!(mean >= 0.0) || !std::isfinite(mean)) throw Error(tensor.where, "its scale is negative or not finite", "take an intact file");
  };
  if (tensor.sharing == ScaleSharing::kTensor) {
    check_mean();
    map.scale = constant(tensor.tensor_scale);
  } else {
    double largest = 0.0, sum = 0.0;
    for (const float s : scales) {
      if (!std::isfinite(s)) throw Error(tensor.where, "it has a scale that is not finite", "take an intact file");
      largest = std::max(largest, std::abs(static_cast<double>(s)));
      sum += static_cast<double>(s);
    }
    mean = sum / static_cast<double>(scales.size());
    const int fraction = fixed_fraction(largest, kGroupScaleBits);
    for (const float s : scales) map.scales.push_back(static_cast<int16_t>(fixed_value(static_cast<double>(s), fraction, kGroupScaleBits)));
    map.scale = constant(std::ldexp(1.0, -fraction));
    map.group = tensor.sharing == ScaleSharing::kGroup ? tensor.group : 0;
  }
  check_mean();
  rms_of_weight_[map.name] = mean * std::sqrt(static_cast<double>(used) / static_cast<double>(rows * columns));
}

LinearMap Converter::linear(const std::string& name) {
  params_.progress("packing " + name);
  LinearMap map;
  map.name = name;
  const CheckpointTensor& tensor = get(name + ".weight");
  pack(tensor, map, storage_of(tensor));
  return map;
}

/// Fraction bits of keys or values: from their rms, which follows from the weights alone.
int Converter::cache_fraction(const std::string& map, const Gains& input, const std::string& head_norm) const {
  double rms = 0.0;
  if (!head_norm.empty() && find(head_norm + ".weight") != nullptr) {
    const Gains gain = gains(head_norm);
    for (const double g : gain) rms += g * g;
    rms = std::sqrt(rms / static_cast<double>(gain.size()));
  } else {
    for (const double g : input) rms += g * g;
    rms = std::sqrt(rms) * rms_of_weight_.at(map);
  }
  return kCacheFraction - exponent_of(rms);
}

SoftmaxAttention Converter::attention(const std::string& layer) {
  const std::string name = layer + "self_attn.";
  const Gains input = gains(layer + "input_layernorm");
  SoftmaxAttention a;
  a.input = norm(layer + "input_layernorm", input, 8);
  a.query = linear(name + "q_proj");
  a.key = linear(name + "k_proj");
  a.value = linear(name + "v_proj");
  a.output = linear(name + "o_proj");
  a.query_norm = norm_if_there(name + "q_norm");
  a.key_norm = norm_if_there(name + "k_norm");
  a.sub_norm = norm_if_there(name + "attn_sub_norm");
  a.key_fraction = cache_fraction(name + "k_proj", input, name + "k_norm");
  a.value_fraction = cache_fraction(name + "v_proj", input, "");
  const double eps = static_cast<double>(graph_.heads * graph_.head_width) * graph_.eps;
  const int log2_width = exponent_of(static_cast<double>(graph_.head_width)) - 1;
  const auto at = [&](int fraction) { return static_cast<int64_t>(half_up(std::min(std::ldexp(eps, 2 * fraction), 0x1p62))); };
  a.output_eps = at(a.value_fraction + kMixBits);
  a.rotated_output_eps = at(a.value_fraction + kMixBits + log2_width);
  return a;
}

GatedFeedForward Converter::feed_forward(const std::string& layer) {
  GatedFeedForward f;
  f.input = norm(layer + "post_attention_layernorm", gains(layer + "post_attention_layernorm"), 8);
  f.gate = linear(layer + "mlp.gate_proj");
  f.up = linear(layer + "mlp.up_proj");
  f.down = linear(layer + "mlp.down_proj");
  f.function = graph_.gate == Gate::kReluSquared ? GateFunction::kReluSquared : GateFunction::kSilu;
  f.sub_norm = norm_if_there(layer + "mlp.ffn_sub_norm");
  return f;
}

/// Rows of signed bytes with scales of 12 bits, of a tensor of floats.
LinearMap Converter::byte_head(const CheckpointTensor& tensor) {
  params_.progress("packing the head");
  LinearMap map;
  map.name = "lm_head";
  const size_t columns = tensor.columns();
  const auto packed = std::make_shared<PackedWeights>(tensor.rows(), columns, WeightStorage::kByte);
  std::vector<double> steps(tensor.rows());
  const bool measure = &tensor == find("model.embed_tokens.weight");  // a tied head is read once for both
  if (measure) squares_.resize(tensor.rows());
  for_rows(tensor, [&](size_t begin, size_t end) {
    packed->will_pack(begin, end);
    std::vector<float> row(columns);
    std::vector<int8_t> codes(columns);
    for (size_t r = begin; r < end; ++r) {
      tensor.floats(r, row);
      const double top = static_cast<double>(largest_magnitude(row));
      if (!std::isfinite(top)) throw Error(tensor.where, fmt::format("row {} is not finite", r), "take an intact file");
      if (top == 0.0)
        std::fill(codes.begin(), codes.end(), int8_t{0});
      else
        to_bytes(row, top, codes);
      packed->pack(r, codes);
      steps[r] = top / 127.0;
      if (measure) squares_[r] = sum_of_squares(row);
    }
  });
  tensor.release();
  map.weights = packed;
  const Fixed scales = fixed(steps, kHeadScaleBits);
  map.scales.assign(scales.values.begin(), scales.values.end());
  map.scale = constant(std::ldexp(1.0, -scales.fraction));
  return map;
}

ScaledHead Converter::head() {
  const CheckpointTensor* own = find("lm_head.weight");
  const CheckpointTensor& tensor = own != nullptr && !graph_.tied ? *own : get("model.embed_tokens.weight");
  ScaledHead head;
  head.grouped = tensor.sharing == ScaleSharing::kGroup && tensor.group == model_.activation_group;
  head.norm = norm("model.norm", gains("model.norm"), head.grouped ? 8 : 10);
  if (head.grouped) {
    head.map.name = tensor.canonical.substr(0, tensor.canonical.rfind('.'));
    pack(tensor, head.map, storage_of(tensor));
  } else {
    head.map = byte_head(tensor);
  }
  return head;
}

ScaledModel Converter::run() {
  model_.name = checkpoint_->path;
  model_.architecture = graph_.architecture;
  model_.width = graph_.width;
  model_.heads = graph_.heads;
  model_.kv_heads = graph_.kv_heads;
  model_.head_width = graph_.head_width;
  model_.rope_interleaved = graph_.rope_interleaved;
  model_.files = std::const_pointer_cast<Checkpoint>(checkpoint_);
  set_context();
  for (const auto& [name, t] : tensors_)
    if (t->sharing == ScaleSharing::kGroup && name.find("_proj") != std::string::npos) model_.activation_group = t->group;
  model_.head = head();
  params_.progress("measuring the embedding");
  measure_embedding();
  const double eps = static_cast<double>(graph_.width) * graph_.eps;
  model_.stream_eps = static_cast<int64_t>(half_up(std::min(std::ldexp(eps, 2 * model_.embedding.fraction), 0x1p62)));
  for (uint64_t n = 0; n < graph_.layers; ++n) {
    const std::string layer = fmt::format("model.layers.{}.", n);
    model_.layers.emplace_back(attention(layer));
    model_.layers.emplace_back(feed_forward(layer));
  }
  verify(model_);
  return std::move(model_);
}

}  // namespace

size_t context_of(const GraphConfig& graph, size_t wanted) {
  return wanted != 0 ? wanted : std::min<size_t>(graph.context, kMostContextByDefault);
}

ScaledModel convert(const std::shared_ptr<const Checkpoint>& checkpoint, const ConvertParams& params) {
  if (const auto refusal = find_refusal(*checkpoint)) {
    const bool has_place = refusal->why.starts_with(checkpoint->path);
    throw Error(has_place ? "" : checkpoint->path, refusal->why, refusal->cure);
  }
  return Converter(checkpoint, params).run();
}

}  // namespace bitgrid::frontend
