// An integer network as a Program: matrices whose weights own cells, thresholds and pools as kernels. The host lays samples into memory and
// moves bits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/host.h"
#include "ir/integer_network.h"
#include "ir/program.h"
#include "lowering/networks/map_layout.h"
#include "lowering/numerics/lower.h"

namespace bitgrid::networks {

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

/// Throws Error for a network of more weights than are lowered. The Program reads one sample, all of whose codes are the least ones.
LoweredNetwork lower_network(const IntegerNetwork& network, const numerics::LowerParams& params = {});

/// Puts samples into the Program's table: codes of the input (input_codes), one row for each.
void set_samples(LoweredNetwork& network, const std::vector<std::vector<int64_t>>& samples);
/// The values of a traced tensor for a sample, in the order of ONNX.
std::vector<int64_t> values_of(const LoweredNetwork& network, const HostTrace& trace, const TracedTensor& tensor, int sample);

}  // namespace bitgrid::networks
