#include "engines/kernel_runner.h"

#include <memory>

#include "lowering/mapping/map.h"
#include "lowering/scales/lower_scaled.h"

namespace bitgrid::engines {

namespace {

/// A lowered model, what runs its kernels, and the text so far.
struct Lowered {
  Program program;
  KernelEngine kernels;
  HostState state;
};

std::vector<int64_t> values_of(const Program& program, const HostTrace& host, int tensor, int position) {
  const Tensor& t = program.tensors[static_cast<size_t>(tensor)];
  std::vector<int64_t> values;
  for (int c = 0; c < t.count; ++c) values.push_back(decode(t.encoding, static_cast<size_t>(c), host.at(program, tensor, position, c)));
  return values;
}

void tell(const Program& program, const HostTrace& host, int position, const cpu::ScaledTrace& trace) {
  for (size_t t = 0; t < program.tensors.size(); ++t)
    trace(program.tensors[t].name, values_of(program, host, static_cast<int>(t), position));
}

}  // namespace

ScaledRunner kernel_runner(KernelEngine (*make)(const EngineInputs& inputs), ScaledSource& source, const ScaledRunParams& params) {
  const auto lowered = std::make_shared<Lowered>();
  lowered->program = scales::lower_scaled(source.integers(), params.cache);
  const auto mapped = [lowered, progress = params.progress] {
    mapping::MapParams map;
    map.mode = mapping::MapMode::kSettle;  // vector kernels are netlists, which close soonest so
    map.effort = mapping::Effort::kFast;
    mapping::MapRun run;
    run.progress = [&](size_t done, size_t total, const std::string& kernel) {
      progress("mapping kernel " + std::to_string(done + 1) + " of " + std::to_string(total) + ", " + kernel);
    };
    return mapping::map_kernels(lowered->program, map, run);
  };
  rtl::RtlParams rtl;
  rtl.progress = [progress = params.progress](size_t done, size_t total, const std::string& name) {
    progress("verilated " + std::to_string(done) + " of " + std::to_string(total) + ", " + name);
  };
  lowered->kernels = make({lowered->program, mapped, [lowered] { return verilog_sources(lowered->program); }, rtl});
  lowered->state = initial_state(lowered->program);
  const auto feed = [lowered, progress = params.step_progress](std::span<const int> tokens, bool all, const auto& each,
                                                               const cpu::ScaledTrace& trace) {
    const Program& program = lowered->program;
    size_t done = 0;
    const HostTrace host = run_tokens(program, lowered->state, {tokens.begin(), tokens.end()}, [&](int step, const BitMatrix& inputs) {
      progress("step " + std::to_string(++done) + " of " + std::to_string(program.steps.size()) + ", " +
               program.steps[static_cast<size_t>(step)].name);
      return lowered->kernels.run(step, inputs);
    });
    for (size_t i = 0; i < tokens.size(); ++i) {
      const int position = static_cast<int>(i);
      if (trace) tell(program, host, position, trace);
      if (all || i + 1 == tokens.size())
        each(i, {values_of(program, host, program.logits, position), scales::logit_unit(program, host, position)});
    }
  };
  return {feed, [lowered] { lowered->state = initial_state(lowered->program); }};
}

}  // namespace bitgrid::engines
