// A binary neuron from its Dag to the grid: map it, run all inputs on the simulated cells, compare with the Dag, and read the figures.
#include <cstdio>
#include <exception>

#include "bitgrid_sim/kernel_simulator.h"
#include "ir/dag.h"
#include "lowering/mapping/map.h"
#include "lowering/synthesis/sop_to_dag.h"

namespace {

constexpr char kNeuron[] = R"(dag neuron
input x 8
w = constant 8 0xB5
agree:8 = xnor x w
count:4 = popcount agree
least = constant 4 0x5
fires:1 = less least count
output y fires
)";

int run() {
  const bitgrid::Dag dag = bitgrid::parse_dag(kNeuron, "neuron.dag");
  const bitgrid::MappedKernel mapped = bitgrid::mapping::map_kernel(bitgrid::synthesis::kernel_of(dag), {});
  bitgrid::BitMatrix inputs(256, 8);  // a row for each invocation
  for (unsigned x = 0; x < 256; ++x) inputs.set_word(x, 0, 8, x);
  bitgrid::sim::KernelSimulator simulator(mapped);
  const bitgrid::BitMatrix outputs = simulator.run(inputs);
  const bitgrid::BitMatrix expected = bitgrid::evaluate(dag, inputs);
  int fires = 0;
  for (size_t x = 0; x < 256; ++x) fires += outputs.get(x, 0);
  std::printf("%s: %d x %d cells, strategy %s, II %d, latency %d cycles\n", mapped.name.c_str(), mapped.grid.width, mapped.grid.height,
              mapped.strategy.c_str(), mapped.ii, bitgrid::latency_cycles(mapped));
  std::printf("%d of 256 inputs fire; %llu cycles simulated; %s\n", fires, static_cast<unsigned long long>(simulator.stats().cycles()),
              outputs == expected ? "as the Dag says" : "NOT as the Dag says");
  return outputs == expected ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& e) {  // bitgrid::Error: where, what is wrong, what to do
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
