// ScaledModel: a transformer that computes the scales of its activations as it runs, in integers. BitNet b1.58, Qwen3 and Llama checkpoints
// become ScaledModels. docs/numerics.md, "Models with scales", defines the arithmetic. ir/model.h is the other kind, with fixed scales.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ir/packed_weights.h"
#include "ir/scalar.h"

namespace bitgrid {

/// Integers that multiply the elements of a vector: value = integer * 2^-fraction.
struct FixedVector {
  std::vector<int32_t> values;
  int fraction = 0;
  bool operator==(const FixedVector&) const = default;
};

/// Root-mean-square norm with a gain, and the constants that belong to it.
struct Norm {
  std::string name;   // "model.layers.0.input_layernorm"
  FixedVector gain;   // 16 bits
  int code_bits = 8;  // of the codes that it produces when all share one scale
  Scalar code_scale;  // sqrt(n) / (2^(code_bits-1) - 1) * 2^-fraction
  Scalar root_width;  // sqrt(n)
  Scalar eps;         // n eps
};

/// y += alpha / r * B (A x): rows of int8 with 12-bit scales.
struct Adapter {
  std::shared_ptr<const PackedWeights> a, b;  // [r][inputs], [outputs][r]
  FixedVector a_scales, b_scales;             // one per row
  Scalar alpha;                               // alpha / r
};

/// A linear map: sums of weights times codes, and their scales. A map has exactly one kind of scales, checked in this order: `zeros` (a
/// scale and a zero per group), `group` (a scale per group), `scales` (one per row), none (one for the tensor). With `low_rank` the map is
/// U (V x): `weights` holds U, and the scales belong to its rows.
struct LinearMap {
  std::string name;                               // "model.layers.0.self_attn.q_proj"
  std::shared_ptr<const PackedWeights> weights;   // [outputs][inputs]; low rank: [outputs][rank]
  std::shared_ptr<const PackedWeights> low_rank;  // V: [rank][inputs]
  Scalar scale;                                   // of the tensor; 2^-fraction if there are `scales`
  size_t group = 0;                               // inputs that share a scale; 0: all
  std::vector<int16_t> scales;                    // [outputs] or [outputs][groups]
  std::vector<int32_t> zeros;                     // [outputs][groups]
  std::optional<Adapter> adapter;

  size_t outputs() const { return weights->rows(); }
  size_t inputs() const { return low_rank ? low_rank->columns() : weights->columns(); }
};

/// x += o(attention(norm(x))), with rotary positions, softmax over all cached positions, and heads that share keys and values.
struct SoftmaxAttention {
  Norm input;
  LinearMap query, key, value, output;
  std::optional<Norm> query_norm, key_norm;  // for each head, before the rotation
  std::optional<Norm> sub_norm;              // before `output`
  std::optional<FixedVector> output_gain;    // before `output` if there is no norm (low rank)
  int key_fraction = 0, value_fraction = 0;  // of keys and values as fixed-point numbers
  int64_t output_eps = 0;                    // of sub_norm, in the unit of its operand
  int64_t rotated_output_eps = 0;            // the same if values are cached rotated
};

enum class GateFunction : uint8_t { kReluSquared, kSilu };

/// x += down(gate_function(gate(norm(x))) * up(norm(x))).
struct GatedFeedForward {
  Norm input;
  LinearMap gate, up, down;
  GateFunction function = GateFunction::kSilu;
  std::optional<Norm> sub_norm;          // before `down`
  std::optional<FixedVector> down_gain;  // like output_gain
};

using ScaledLayer = std::variant<SoftmaxAttention, GatedFeedForward>;

/// The rows that tokens look up, and the unit of the stream: 2^-fraction.
struct StreamEmbedding {
  size_t vocabulary = 0;
  int fraction = 0;
  std::function<void(size_t token, std::span<int64_t> row)> row;  // may be called from several threads
};

/// z = map(norm(x)). The logits are z times a scalar of the position.
struct ScaledHead {
  Norm norm;
  bool grouped = false;  // the codes of its norm share scales in groups, like those of the layers; otherwise all share one
  LinearMap map;
};

/// Tables of functions. Exporters compute them, and engines look them up.
struct ScaledTables {
  std::vector<int16_t> cosine, sine;  // [context][head_width / 2], 14 fraction bits
  std::vector<int32_t> exponential;   // [16]: 4095 * 2^(-i/16)
  std::vector<int32_t> sigmoid;       // [256]: 4096 / (1 + exp(-i/32))
  std::vector<int32_t> sampling;      // [4096]: 65535 exp(-i/256)
  Scalar softmax;                     // 16 log2(e) / sqrt(head_width), times the square of YaRN's attention factor
  Scalar one_over_127;
  std::vector<Scalar> mean_step;  // [4]: for 1 .. 4 bits, c_b / head_width
};

struct ScaledModel {
  std::string name;
  std::string architecture;  // "bitnet", "qwen3", "llama"
  size_t width = 0, heads = 0, kv_heads = 0, head_width = 0, context = 0;
  size_t activation_group = 0;    // inputs of linear maps that share a shift; 0: all share one scale
  bool rope_interleaved = false;  // pairs of rotary positions are (2j, 2j + 1), not (j, j + half)
  int64_t stream_eps = 0;         // width * eps in the square of the stream's unit
  StreamEmbedding embedding;
  std::vector<ScaledLayer> layers;
  ScaledHead head;
  ScaledTables tables;
  uint64_t content_hash = 0;    // of the files
  std::shared_ptr<void> files;  // what `embedding` reads
};

/// The most inputs of a linear map: sums of 10-bit codes times 8-bit weights stay within 32 bits.
inline constexpr size_t kMostInputs = 32768;

/// What is wrong with a model: which part, what, and what to do. nullopt: the CPU engine can run it.
struct ScaledModelProblem {
  std::string where, problem, cure;
};
std::optional<ScaledModelProblem> find_problem(const ScaledModel& model);
/// Throws the result of `find_problem` as an Error.
void verify(const ScaledModel& model);

/// How keys or values are cached.
struct CacheForm {
  enum class Step : uint8_t { kShift /* a power of two */, kMax /* from the largest */, kMean /* from the mean magnitude */ };
  int bits = 8;
  Step step = Step::kShift;
  bool rotated = false;
  bool operator==(const CacheForm&) const = default;
};

/// The caches of all layers. The last `recent` positions are read in eight bits with a shift.
struct CacheForms {
  CacheForm key, value;
  int recent = 0;
  bool operator==(const CacheForms&) const = default;
};

/// Reads "k=BITS[:shift|max|mean][:rotated],v=BITS[:...][:rotated],recent=N", as --kv takes it, in any order. The defaults are 8:shift and
/// no recent positions. Throws Error naming the part.
CacheForms parse_cache_forms(const std::string& text);
std::string text_of(const CacheForms& forms);

}  // namespace bitgrid
