#include "engines/network_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "engines/network_kernel_runner.h"
#include "engines/progress_lines.h"
#include "ir/index.h"
#include "lowering/mapping/map.h"
#include "lowering/networks/lower_network.h"
#include "reference_cpu/network_engine.h"

namespace bitgrid::engines {
namespace {

struct LoweredRun {
  networks::LoweredNetwork network;
  KernelEngine kernels;
};

}  // namespace

NetworkRunner cpu_network_runner(const IntegerNetwork& network, const NetworkRunParams&) {
  return {[&network](const std::vector<std::vector<int64_t>>& codes, const SampleTrace& trace) {
    std::vector<std::vector<int64_t>> scores;
    for (size_t s = 0; s < codes.size(); ++s) {
      NetworkTrace tell;
      if (trace) tell = [&](const std::string& name, std::span<const int64_t> values) { trace(s, name, values); };
      scores.push_back(cpu::run_network(network, codes[s], tell));
    }
    return scores;
  }};
}

NetworkRunner network_kernel_runner(KernelEngine (*make)(const EngineInputs& inputs), const IntegerNetwork& network,
                                    const NetworkRunParams& params) {
  const auto run = std::make_shared<LoweredRun>();
  run->network = networks::lower_network(network, {params.tile, params.optimize, params.defects});
  const Program& program = run->network.program;
  const auto map = [&] { return mapping::map_kernels(program, {params.seed, params.optimize}, mapping_run(params.progress)); };
  const auto verilog = [&] { return verilog_sources(program); };
  run->kernels = make({program, params.mapped ? params.mapped : map, verilog, verilating_params(params.progress), params.latch_seed});
  const auto at_once = index_of(std::max(1, params.at_once));
  const auto over = [run, at_once, progress = params.step_progress](const std::vector<std::vector<int64_t>>& codes,
                                                                    const SampleTrace& trace) {
    const Program& p = run->network.program;
    std::vector<std::vector<int64_t>> scores;
    for (size_t first = 0; first < codes.size(); first += at_once) {
      const size_t last = std::min(codes.size(), first + at_once);
      networks::set_samples(run->network,
                            {codes.begin() + static_cast<std::ptrdiff_t>(first), codes.begin() + static_cast<std::ptrdiff_t>(last)});
      std::vector<int> tokens(last - first);
      std::iota(tokens.begin(), tokens.end(), 0);
      HostState state = initial_state(p);
      const HostTrace host = run_tokens(p, state, tokens, [&](int step, const StepBatch& batch) {
        progress(step_line(p, step));
        return run->kernels.run(step, batch);
      });
      for (size_t s = first; s < last; ++s) {
        for (const networks::TracedTensor& t : run->network.traced) {
          const bool is_scores = t.tensor == p.logits;
          if (!trace && !is_scores) continue;
          std::vector<int64_t> values = networks::values_of(run->network, host, t, static_cast<int>(s - first));
          if (trace) trace(s, t.name, values);
          if (is_scores) scores.push_back(std::move(values));
        }
      }
    }
    return scores;
  };
  return {over, [run] { return run->kernels.stats(); }};
}

}  // namespace bitgrid::engines
