#include "engines/kernel_runner.h"

#include <fmt/format.h>

#include <memory>

#include "engines/progress_lines.h"
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
  lowered->program = scales::lower_scaled(source.integers(), params.cache, {{}, 0, params.dataflow, params.threads});
  const auto mapped = [&] {
    mapping::MapParams map{params.seed, params.optimize};
    map.effort = mapping::Effort::kFast;
    return mapping::map_kernels(lowered->program, map, mapping_run(params.progress));
  };
  const auto verilog = [&] { return verilog_sources(lowered->program); };
  EngineInputs inputs{lowered->program, mapped, verilog, verilating_params(params.progress)};
  inputs.lanes = true;
  inputs.threads = static_cast<size_t>(params.threads);
  lowered->kernels = make(inputs);
  lowered->state = initial_state(lowered->program);
  const auto feed = [lowered, progress = params.step_progress](std::span<const int> tokens, bool all, const auto& each,
                                                               const cpu::ScaledTrace& trace) {
    const Program& program = lowered->program;
    const HostTrace host = run_tokens(program, lowered->state, {tokens.begin(), tokens.end()}, [&](int step, const StepBatch& batch) {
      progress(step_line(program, step));
      return lowered->kernels.run(step, batch);
    });
    for (size_t i = 0; i < tokens.size(); ++i) {
      const int position = static_cast<int>(i);
      if (trace) tell(program, host, position, trace);
      if (all || i + 1 == tokens.size())
        each(i, {values_of(program, host, program.logits, position), scales::logit_unit(program, host, position)});
    }
  };
  return {feed, [lowered] { lowered->state = initial_state(lowered->program); }, [lowered] { return lowered->kernels.stats(); }};
}

}  // namespace bitgrid::engines
