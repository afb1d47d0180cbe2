// A Program whose times are known without running it: 16 wires with an inverter each, chained.
#pragma once

#include <vector>

#include "ir/dag.h"
#include "ir/mapped_kernel.h"
#include "ir/program.h"

namespace bitgrid::platform {

/// y = not a: two words of 8 bits pass from north to south through 16 x 2 cells. A word's 16 bits enter in phases 0 and 1 and leave in 1
/// and 2: the latency is 2 cycles.
inline MappedKernel wires(const std::string& name, int ii) {
  MappedKernel m;
  m.name = name;
  m.strategy = "wires";
  m.grid = GridConfig(16, 2);
  m.input_bits = m.output_bits = 16;
  m.ii = ii;
  for (int x = 0; x < 16; ++x) {
    m.grid.at(x, 0) = cell_word({0, 0, static_cast<Lut>(~kFromN), 0});
    m.grid.at(x, 1) = cell_word({0, 0, kFromN, 0});
    m.inputs.push_back({static_cast<uint32_t>(x), {Side::N, x, x % 2}, 1});
    m.outputs.push_back({Side::S, x, x % 2 + 1});
  }
  return m;
}

struct Wires {
  Program program;
  std::vector<MappedKernel> mapped;
};

/// `kernels` kernels in a row, a stage each: token's row -> t0 -> t1 -> .. = logits. Each step has `repeat` invocations of two words.
inline Wires chained_wires(int kernels, int ii, int repeat) {
  Wires w;
  Program& p = w.program;
  p.name = "wires";
  const int words = 2 * repeat;
  CodeTable table{"rows", 5, words, 8, {}};
  for (int i = 0; i < 5 * words; ++i) table.codes.push_back(static_cast<uint64_t>(37 * i % 256));
  p.tables.push_back(table);
  for (int k = 0; k < kernels; ++k) {
    const std::string name = "k" + std::to_string(k);
    Kernel kernel{name, parse_dag("dag " + name + "\ninput a 16\nb:16 = not a\noutput y b\n"), {{2, 8, {255}, {}}}, {{2, 8, {255}, {}}}, 0};
    p.kernels.push_back(kernel);
    p.tensors.push_back({"t" + std::to_string(k), words, {8, 1, {0}}, {255}});
    // A token's row is the same for all repetitions of a step: only what comes from tensors differs.
    const Source source = k == 0 ? Source(TokenSource{0, 0, 0}) : Source(TensorSource{k - 1, 0, 2});
    p.steps.push_back({name, k, repeat, k, {source}, {{k, 0, 2}}});
    w.mapped.push_back(wires(name, ii));
  }
  p.logits = kernels - 1;
  return w;
}

}  // namespace bitgrid::platform
