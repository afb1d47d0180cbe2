// An integer network as a Program: matrices whose weights own cells, thresholds and pools as kernels. The host lays samples into memory and
// moves bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/host.h"
#include "ir/integer_network.h"
#include "ir/program.h"
#include "lowering/numerics/lower.h"

namespace bitgrid::networks {

/// How a feature map lies in memory: row, column, channel, with a border around it.
struct MapLayout {
  FeatureMap map;
  int top = 0, left = 0, bottom = 0, right = 0;

  int row_words() const { return (map.width + left + right) * map.channels; }
  int words() const { return (map.height + top + bottom) * row_words(); }
  /// Of the element in the order of ONNX.
  size_t at(int channel, int y, int x) const { return static_cast<size_t>((y + top) * row_words() + (x + left) * map.channels + channel); }
};

/// A tensor of the Program that the definition (cpu::run_network) traces under this name.
struct TracedTensor {
  std::string name;
  int tensor = 0;
  MapLayout layout;
};

struct LoweredNetwork {
  Program program;
  int input = 0;  // the table whose rows are the samples: token n stands for row n
  MapLayout input_layout;
  CodeRange input_range;
  std::vector<TracedTensor> traced;
};

/// What is not lowered yet, with the layer and a cure; nullopt: all is.
struct NetworkProblem {
  std::string where, problem, cure;
};
std::optional<NetworkProblem> find_lowering_problem(const IntegerNetwork& network, const numerics::LowerParams& params);

/// Throws Error for find_lowering_problem. The Program reads one sample, all of whose codes are the least ones.
LoweredNetwork lower_network(const IntegerNetwork& network, const numerics::LowerParams& params = {});

/// Puts samples into the Program's table: codes of the input (input_codes), one row for each.
void set_samples(LoweredNetwork& network, const std::vector<std::vector<int64_t>>& samples);
/// The values of a traced tensor for a sample, in the order of ONNX.
std::vector<int64_t> values_of(const LoweredNetwork& network, const HostTrace& trace, const TracedTensor& tensor, int sample);

}  // namespace bitgrid::networks
