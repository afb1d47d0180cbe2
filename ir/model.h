// Model: a 1-bit transformer (or any sequence of layers) with integer numerics, as its file states it. docs/numerics.md gives the arithmetic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace bitgrid {

/// Which integers a weight may be.
enum class WeightValues : uint8_t { kBinary /* -1, 1 */, kTernary /* -1, 0, 1 */, kInt2 /* -1, 0, 1, 2 */ };

/// Weights of a linear map, row-major [outputs][inputs].
struct Matrix {
  std::string name;  // tensor name, for messages
  WeightValues values = WeightValues::kTernary;
  int outputs = 0;
  int inputs = 0;
  std::vector<int8_t> data;

  int8_t at(int row, int column) const { return data[static_cast<size_t>(row) * static_cast<size_t>(inputs) + static_cast<size_t>(column)]; }
};

/// y = clamp(((u + bias[c]) * multiplier[c] + (1 << (shift-1))) >> shift, lo, hi); shift <= 0: (..) << -shift without rounding term.
/// `multiplier` is empty (1), one per tensor, or one per channel; `bias` is empty (0) or one per channel.
struct Requantise {
  int shift = 0;
  int lo = 0;
  int hi = 0;
  std::vector<int32_t> multiplier;
  std::vector<int32_t> bias;
};

/// y = u + bias[c] >= 0 ? +1 : -1.
struct Sign {
  std::vector<int32_t> bias;  // empty or one per channel
};

/// y = table[x - lo]: any table over the range lo .. lo + table.size() - 1 of its operand.
struct Table {
  std::string name;
  int lo = 0;
  std::vector<int32_t> values;
};

/// What follows a linear map. monostate: the exact sums go on.
using Activation = std::variant<std::monostate, Requantise, Sign>;

struct Linear {
  Matrix weights;
  Activation activation;
  std::optional<Table> table;  // applied after a Requantise
};

/// Residual attention with threshold weights over a window of the last `window` positions (docs/numerics.md, attention).
struct Attention {
  int heads = 1;
  int window = 1;
  Activation input;  // of the stream: Requantise or Sign
  Linear query;      // Requantise to 0 .. hi (one-sided), so that it can multiply resident keys
  Linear key;
  Linear value;
  std::vector<int32_t> position;  // [heads][window], added to the score at distance t - j; empty: none
  Requantise score;               // to 0 .. hi; no bias per channel
  Activation mix;                 // of the sums of weighted values: Requantise or Sign
  Linear output;                  // no activation: added to the stream
};

/// x = x + down(up(activation(x))).
struct FeedForward {
  Activation input;
  Linear up;
  Linear down;
};

/// x = linear(input(x)): the stream is replaced. Without `input` the stream itself is the operand.
struct Dense {
  Activation input;
  Linear linear;
};

using Layer = std::variant<Attention, FeedForward, Dense>;

/// x[c] = sum over j of tables[j][token_(t-j)][c]; absent before the start.
struct Embedding {
  std::vector<std::vector<int8_t>> tables;  // each [vocabulary][width]
  int lo = 0;                               // range of the entries
  int hi = 0;
};

/// Logits: z = weights * activation(x) + bias.
struct Head {
  Activation input;
  Matrix weights;
  std::vector<int32_t> bias;  // empty or one per symbol
};

/// S[i] of a temperature: w_i = S[min(max z - z_i, 4095)] (DESIGN section 11).
struct SamplingTable {
  std::string temperature;  // as written in the file: "0.7"
  std::vector<int32_t> weights;
};

struct Model {
  std::string name;
  std::string description;
  std::string vocabulary;  // symbol of token i; one byte each
  int width = 0;           // of the stream
  Embedding embedding;
  std::vector<Layer> layers;
  Head head;
  double logit_scale = 0.0;  // probabilities are softmax(z * logit_scale): for bits per character only
  std::vector<SamplingTable> sampling;
  std::optional<double> reported_bits_per_character;
  uint64_t content_hash = 0;  // of model file and weights: says whether an artefact belongs to this model
};

}  // namespace bitgrid
