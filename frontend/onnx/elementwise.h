// What a graph does to single numbers between a matrix and the next quantiser: steps that are each monotone, with constants for each
// channel.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "frontend/onnx/graph.h"
#include "frontend/onnx/node_problem.h"
#include "frontend/onnx/quantiser.h"

namespace bitgrid::frontend::onnx {

/// Constants of a step: one for all channels, or one for each.
using Channels = std::vector<double>;
inline double of_channel(const Channels& values, size_t channel) {
  return values[values.size() == 1 ? 0 : channel];
}

struct Affine {  // (x - mean) / deviation * gain + bias
  Channels mean, deviation, gain, bias;
};
struct AddStep {
  Channels by;
};
struct MultiplyStep {
  Channels by;
};
struct DivideStep {
  Channels by;
};
struct SubtractFromStep {  // from - x
  Channels from;
};
struct ClipStep {  // Relu: 0 .. infinity
  double lo, hi;
};
struct SignStep {};  // -1, 0, 1
struct QuantStep {
  QuantCodes codes;
  Channels scale, zero;
};
struct BipolarStep {
  Channels scale;
};
struct CountStep {  // MultiThreshold: scale * #{t : x >= t} + bias
  size_t levels = 0;
  std::vector<double> at;  // [channels or 1][levels], ascending
  double scale = 1.0, bias = 0.0;
};

struct Elementwise {
  std::string node;
  std::variant<Affine, AddStep, MultiplyStep, DivideStep, SubtractFromStep, ClipStep, SignStep, QuantStep, BipolarStep, CountStep> step;
};

/// Every number in place.
void apply(const Elementwise& e, size_t channel, std::span<double> xs);
double apply(const std::vector<Elementwise>& chain, size_t channel, double x);

/// Whether its results are a few values: a quantiser.
bool is_quantiser(const Elementwise& e);
/// Those values of a channel, ascending.
std::vector<double> quantised_values(const Elementwise& e, size_t channel);
/// gain and offset of the step where it is affine.
struct Line {
  double gain = 1.0, offset = 0.0;
};
std::optional<Line> line_of(const Elementwise& e, size_t channel);

/// Channels that the step has constants for: 1 where it treats all alike.
size_t spread_of(const Elementwise& e);
/// Channels among `channels` whose results the chain can make different: 1 where every step treats all alike.
size_t different_channels(const std::vector<Elementwise>& chain, size_t channels);

/// 1 where larger numbers give larger results (or equal ones), -1 where smaller ones do.
int direction_of(const Elementwise& e, size_t channel);

/// Constants of channels * per_channel elements as those of the channels; nullopt if the elements of a channel differ.
std::optional<Channels> narrowed(const Channels& values, size_t channels);

/// The values of a constant that lies across the channels of a tensor of that many dimensions (batch first, channels second); nullopt if it
/// has others.
std::optional<Channels> across_channels(const Constant& constant, size_t dimensions, size_t channels);

}  // namespace bitgrid::frontend::onnx
