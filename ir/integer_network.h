// IntegerNetwork: a feed-forward network of integers, as a quantised ONNX graph becomes: matrices, thresholds, pooling. docs/onnx.md gives
// the arithmetic.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace bitgrid {

/// The shape of one sample's values. Elements are ordered as ONNX orders them: channel, row, column.
struct FeatureMap {
  int channels = 1;
  int height = 1;
  int width = 1;

  size_t size() const { return static_cast<size_t>(channels) * static_cast<size_t>(height) * static_cast<size_t>(width); }
  size_t at(int channel, int y, int x) const {
    return (static_cast<size_t>(channel) * static_cast<size_t>(height) + static_cast<size_t>(y)) * static_cast<size_t>(width) +
           static_cast<size_t>(x);
  }
  bool operator==(const FeatureMap&) const = default;
};

/// What slides over a feature map. Padding stands for the value 0 in matrices, and is left out of a pool.
struct Window {
  int height = 1;
  int width = 1;
  int stride_y = 1;
  int stride_x = 1;
  int top = 0;
  int left = 0;
  bool operator==(const Window&) const = default;
};

/// Integers lo, lo + step, .. hi.
struct CodeRange {
  int lo = 0;
  int hi = 0;
  int step = 1;
  int levels() const { return (hi - lo) / step; }
  bool operator==(const CodeRange&) const = default;
};

/// code = range.lo + range.step * (number of levels j < levels that sum S has reached). With direction[c] > 0 level j is reached where
/// S >= at[c * levels + j], else where S <= at[c * levels + j]. A level that no sum of the channel reaches stands one beyond its range.
struct Thresholds {
  CodeRange range;
  std::vector<int64_t> at;
  std::vector<int8_t> direction;  // one for each channel: 1 or -1
};

/// S[o] = sum of weights[o][i] * code[i] over the window. A dense layer is a window over all of a 1 x 1 map.
struct NetworkMatrix {
  std::string name;  // of the graph's node
  FeatureMap in, out;
  Window window;
  int groups = 1;                        // the channels of a group read the inputs of that group only
  std::vector<int32_t> weights;          // [out.channels][in.channels / groups][window.height][window.width]
  std::optional<Thresholds> thresholds;  // none: the sums are what the network computes
  std::vector<std::string> folded;       // nodes of the graph that stand in the thresholds, in order

  size_t row_size() const {
    return static_cast<size_t>(in.channels / groups) * static_cast<size_t>(window.height) * static_cast<size_t>(window.width);
  }
  const int32_t* row(int channel) const { return weights.data() + static_cast<size_t>(channel) * row_size(); }
};

/// The largest code of the window; of a channel with least[c], the smallest.
struct NetworkPool {
  std::string name;
  FeatureMap in, out;
  Window window;
  std::vector<bool> least;  // one for each channel
};

using NetworkLayer = std::variant<NetworkMatrix, NetworkPool>;

/// A float becomes a code: range.lo + range.step * (number of levels reached), as with Thresholds, exactly at these doubles.
struct RealThresholds {
  std::vector<double> at;         // [channels][levels], or one row for all channels
  std::vector<int8_t> direction;  // one for each row
};
/// A float is a code already: x = first + step * n for a whole n from 0 to the range's levels. Others are refused.
struct RealGrid {
  double first = 0.0;
  double step = 1.0;
};

/// What a network reads.
struct NetworkInput {
  std::string name;
  FeatureMap shape;
  CodeRange range;
  std::variant<RealThresholds, RealGrid> codes;
};

/// What answers: the index of the largest score, or the codes of the last matrix's thresholds (a sign where there is one level).
enum class Decision : uint8_t { kLargest, kCodes };

struct IntegerNetwork {
  std::string name;
  NetworkInput input;
  std::vector<NetworkLayer> layers;  // the last one is a matrix
  std::vector<int64_t> shift;        // score[c] = S[c] + shift[c], one for each output
  Decision decision = Decision::kLargest;
  std::string output_tensor;                  // the graph's last one that the network computes
  std::vector<double> gain, offset;           // it is score[c] * gain[c] + offset[c], before a last quantiser
  double code_unit = 1.0, code_offset = 0.0;  // kCodes: it is code * code_unit + code_offset
  bool comparable = true;                     // scores of different outputs compare like the graph's; else the reals have to be compared
  std::vector<std::string> notes;             // what was dropped or assumed, in words

  const NetworkMatrix& last() const { return std::get<NetworkMatrix>(layers.back()); }
};

/// Codes that layer `layer` reads, or (layer = layers.size()) that the last one would give.
CodeRange operand_range(const IntegerNetwork& network, size_t layer);
/// The name under which a layer's values are traced: "layers.3". Its sums are "layers.3.sums", and of the last one "scores".
std::string layer_name(size_t layer);

/// Whether windows stand beyond the map, where 0 counts.
bool has_padding(const NetworkMatrix& matrix);

/// Reach of each channel's sums over all operands.
struct SumRange {
  int64_t lo = 0;
  int64_t hi = 0;
};
/// Where a window may stand beyond the map, 0 counts as well.
std::vector<SumRange> sum_ranges(const NetworkMatrix& matrix, const CodeRange& operand);

/// The codes of one sample. Throws Error (place, element) for a value that is not finite, or lies on no point of a RealGrid.
std::vector<int64_t> input_codes(const NetworkInput& input, std::span<const double> sample, const std::string& place);

/// The answer to one sample's scores: the index of the largest (the lowest of several), or a code for each.
std::vector<int64_t> answer(const IntegerNetwork& network, std::span<const int64_t> scores);

/// The code of a channel's sum.
int64_t code_of(const Thresholds& thresholds, size_t channel, int64_t sum);

/// Told the values of each layer: codes of "input", sums and codes of the layers, "scores".
using NetworkTrace = std::function<void(const std::string& name, std::span<const int64_t> values)>;

/// Throws Error (layer, problem, cure) unless shapes fit together, thresholds are in order and sums fit 31 bits.
void verify(const IntegerNetwork& network);

}  // namespace bitgrid
