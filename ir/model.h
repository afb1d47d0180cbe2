// Model: a 1-bit transformer (or any sequence of layers) with integer arithmetic, as its file states it. docs/numerics.md defines the
// arithmetic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace bitgrid {

/// The integers that a weight may be.
enum class WeightValues : uint8_t { kBinary /* -1, 1 */, kTernary /* -1, 0, 1 */, kInt2 /* -1, 0, 1, 2 */ };

/// The weights of a linear map, row-major [outputs][inputs].
struct Matrix {
  std::string name;  // tensor name, for messages
  WeightValues values = WeightValues::kTernary;
  int outputs = 0;
  int inputs = 0;
  std::vector<int8_t> data;

  int8_t at(int row, int column) const {
    return data[static_cast<size_t>(row) * static_cast<size_t>(inputs) + static_cast<size_t>(column)];
  }
  bool operator==(const Matrix&) const = default;
};

/// y = clamp(((u + bias[c]) * multiplier[c] + (1 << (shift-1))) >> shift, lo, hi). If shift <= 0, it shifts left by -shift and adds no
/// rounding term. `multiplier` is empty (1), one per tensor, or one per channel; `bias` is empty (0) or one per channel.
struct Requantise {
  int shift = 0;
  int lo = 0;
  int hi = 0;
  std::vector<int32_t> multiplier;
  std::vector<int32_t> bias;
  bool operator==(const Requantise&) const = default;
};

/// y = u + bias[c] >= 0 ? +1 : -1.
struct Sign {
  std::vector<int32_t> bias;  // empty or one per channel
  bool operator==(const Sign&) const = default;
};

/// y = table[x - lo]: a table over the operand range lo .. lo + table.size() - 1.
struct Table {
  std::string name;
  int lo = 0;
  std::vector<int32_t> values;
  bool operator==(const Table&) const = default;
};

/// What follows a linear map. With monostate, the exact sums pass through.
using Activation = std::variant<std::monostate, Requantise, Sign>;

struct Linear {
  Matrix weights;
  Activation activation;
  std::optional<Table> table;  // applied after a Requantise
  bool operator==(const Linear&) const = default;
};

/// Residual attention with threshold weights over a window of the last `window` positions (docs/numerics.md, attention).
struct Attention {
  int heads = 1;
  int window = 1;
  Activation input;  // of the stream: Requantise or Sign
  Linear query;      // requantised to 0 .. hi (one-sided), so that it can multiply resident keys
  Linear key;
  Linear value;
  std::vector<int32_t> position;  // [heads][window], added to the score at distance t - j; empty: none
  Requantise score;               // to 0 .. hi; no bias per channel
  Activation mix;                 // of the sums of weighted values: Requantise or Sign
  Linear output;                  // no activation: added to the stream
  bool operator==(const Attention&) const = default;
};

/// x = x + down(up(activation(x))).
struct FeedForward {
  Activation input;
  Linear up;
  Linear down;
  bool operator==(const FeedForward&) const = default;
};

/// x = linear(input(x)) replaces the stream. Without `input` the stream itself is the operand.
struct Dense {
  Activation input;
  Linear linear;
  bool operator==(const Dense&) const = default;
};

using Layer = std::variant<Attention, FeedForward, Dense>;

/// x[c] = sum over j of tables[j][token_(t-j)][c]. Tokens before the start add nothing.
struct Embedding {
  std::vector<std::vector<int8_t>> tables;  // each [vocabulary][width]
  int lo = 0;                               // range of the entries
  int hi = 0;
  bool operator==(const Embedding&) const = default;
};

/// Logits: z = weights * activation(x) + bias.
struct Head {
  Activation input;
  Matrix weights;
  std::vector<int32_t> bias;  // empty or one per symbol
  bool operator==(const Head&) const = default;
};

/// S[i] for one temperature: w_i = S[min(max z - z_i, 4095)].
struct SamplingTable {
  std::string temperature;  // as written in the file: "0.7"
  std::vector<int32_t> weights;
  bool operator==(const SamplingTable&) const = default;
};

struct Model {
  std::string name;
  std::string description;
  std::string vocabulary;  // symbol of token i; one byte each
  int width = 0;           // of the stream
  Embedding embedding;
  std::vector<Layer> layers;
  Head head;
  double logit_scale = 0.0;  // probabilities are softmax(z * logit_scale); used only for bits per character
  std::vector<SamplingTable> sampling;
  std::optional<double> reported_bits_per_character;
  uint64_t content_hash = 0;  // of model file and weights; tells whether an artefact belongs to this model
  bool operator==(const Model&) const = default;
};

/// What is wrong with a model. `where` is a path such as "layers.0.query.weights".
struct ModelProblem {
  std::string where;
  std::string problem;
  std::string cure;
};

/// Returns the first inconsistency of a model: shapes that do not fit together, values outside their sets, ranges, shifts and multipliers
/// that docs/numerics.md does not allow, or sums that can need more than 32 bits. Returns nullopt if every engine can run the model.
std::optional<ModelProblem> find_problem(const Model& model);

/// Throws the result of `find_problem` as an Error.
void verify(const Model& model);

/// Returns whether a requantisation may have this range: symmetric -(2^(b-1)-1) .. 2^(b-1)-1 with b in 2..16, or 0 .. 2^b-1 with b in
/// 1..16.
bool is_requantise_range(int64_t lo, int64_t hi);

/// These return "binary", "ternary" or "int2", and the set in words: "-1 or 1".
std::string name_of(WeightValues values);
std::string set_of(WeightValues values);
bool is_weight(WeightValues values, int64_t value);

/// These limits keep every engine's arithmetic within 64 bits and its state within memory.
inline constexpr int kMinShift = -16;
inline constexpr int kMaxShift = 40;
inline constexpr int kMaxMultiplier = 255;
inline constexpr int kMaxWidth = 1 << 16;
inline constexpr int kMaxWindow = 1 << 16;
inline constexpr int kMaxLayers = 1024;
inline constexpr size_t kSamplingEntries = 4096;
inline constexpr int kMaxSamplingWeight = (1 << 24) - 1;

}  // namespace bitgrid
