// Models with scales as Programs, against the CPU engine value by value.
#include "lowering/scales/lower_scaled.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/open_model.h"
#include "ir/host.h"
#include "reference_cpu/scaled/scaled_engine.h"

namespace bitgrid::scales {
namespace {

using Trace = std::map<std::string, std::vector<int64_t>>;

/// What the CPU engine computes for each token.
std::vector<Trace> traces(const ScaledModel& model, const std::vector<int>& tokens) {
  const cpu::ScaledEngine engine(model);
  cpu::ScaledState state = engine.start();
  std::vector<Trace> all;
  for (const int t : tokens) {
    Trace trace;
    engine.step(state, t, true, [&](const std::string& name, const std::vector<int64_t>& values) { trace[name] = values; });
    all.push_back(std::move(trace));
  }
  return all;
}

/// The first value of a Program's tensors that is not the trace's; counts those compared.
std::string first_difference(const Program& program, const HostTrace& host, const std::vector<Trace>& expected, size_t& compared) {
  for (size_t position = 0; position < expected.size(); ++position)
    for (size_t t = 0; t < program.tensors.size(); ++t) {
      const Tensor& tensor = program.tensors[t];
      const auto it = expected[position].find(tensor.name);
      if (it == expected[position].end()) continue;
      for (int c = 0; c < tensor.count; ++c, ++compared) {
        const int64_t got =
            decode(tensor.encoding, static_cast<size_t>(c), host.at(program, static_cast<int>(t), static_cast<int>(position), c));
        if (got != it->second[static_cast<size_t>(c)])
          return tensor.name + "[" + std::to_string(c) + "] at " + std::to_string(position) + " is " + std::to_string(got) +
                 ", should be " + std::to_string(it->second[static_cast<size_t>(c)]);
      }
    }
  return "";
}

TEST(LowerScaled, TheExampleIsTheCpuEngineBitForBit) {
  engines::ScaledSource source(std::string(BITGRID_SOURCE_DIR) + "/examples/kjv-bitnet", {});
  const ScaledModel& model = source.integers();
  LowerScaledParams params;
  params.context = 16;
  const Program program = lower_scaled(model, {}, params);
  const std::vector<int> tokens = source.tokenizer()->encode("in the beg");
  HostState state = initial_state(program);
  const HostTrace host = run_tokens(program, state, tokens, [&](int step, const BitMatrix& inputs) {
    return evaluate(program.kernels[static_cast<size_t>(program.steps[static_cast<size_t>(step)].kernel)].dag, inputs);
  });
  size_t compared = 0;
  EXPECT_EQ(first_difference(program, host, traces(model, tokens), compared), "");
  EXPECT_GT(compared, 40000u);
}

}  // namespace
}  // namespace bitgrid::scales
