// bitgrid run: generates text on an engine.
#include <fmt/format.h>

#include <functional>
#include <iostream>
#include <memory>

#include "bitgrid_sim/systemc/platform_report.h"
#include "check/check_model.h"
#include "check/engines.h"
#include "cli/common.h"
#include "cli/numbers.h"
#include "cli/source.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/map.h"
#include "reference_cpu/engine.h"
#include "reference_cpu/sampling.h"
#include "reference_cpu/text.h"

namespace bitgrid::cli {
namespace {

struct Options {
  Common common;
  std::string model, prompt, engine = "grid", temperature, arch, optimize = "area", trace;
  int tokens = 64, streams = 1;
};

/// Feeds tokens and returns the logits after the last one.
struct Session {
  std::function<std::vector<int64_t>(const std::vector<int>&)> feed;
  std::function<EngineStats()> stats = [] { return EngineStats{}; };
};

Session cpu_session(const Model& model) {
  const auto engine = std::make_shared<CpuEngine>(model);
  const auto state = std::make_shared<CpuState>(engine->start());
  return {[engine, state](const std::vector<int>& tokens) {
    std::vector<int64_t> z;
    for (const int t : tokens) z = engine->step(*state, t);
    return z;
  }};
}

Session kernel_session(const Program& program, KernelEngine engine) {
  const auto state = std::make_shared<HostState>(initial_state(program));
  return {[&program, state, run = engine.run](const std::vector<int>& tokens) {
            const HostTrace trace = run_tokens(program, *state, tokens, run);
            return logits(program, trace, trace.positions - 1);
          },
          engine.stats};
}

std::vector<MappedKernel> map_with_progress(const Options& o, const Lowered& lowered, Progress& progress) {
  MapRun run;
  run.progress = [&](size_t done, size_t total, const std::string& kernel) {
    progress.say(fmt::format("mapping kernel {} of {}, {}", done + 1, total, kernel));
  };
  return map_kernels(lowered, {o.common.seed, parse_optimize(o.optimize)}, run);
}

/// Stream s samples with the seed of --seed + s.
std::vector<Sampler> samplers(const Options& o, const Model& model) {
  std::vector<Sampler> all;
  for (int s = 0; s < o.streams; ++s) {
    const uint64_t seed = o.common.seed + static_cast<uint64_t>(s);
    if (seed > kMostSamplingSeed)
      throw Error("--seed", fmt::format("stream {} would have the seed {}, above {}", s, seed, kMostSamplingSeed), "give a smaller one");
    all.push_back(o.temperature.empty() ? greedy_sampler() : temperature_sampler(model, o.temperature, static_cast<uint32_t>(seed)));
  }
  return all;
}

/// The whole text at once, on the platform of the architecture file.
void run_platform(const Options& o, const Arch& arch, const Model& model) {
  Progress progress;
  std::vector<Sampler> choosers = samplers(o, model);
  const Lowered lowered = lower(model, {{arch.tile_width, arch.tile_height}, parse_optimize(o.optimize)});
  PlatformParams params;
  params.arch = arch;
  params.streams.assign(static_cast<size_t>(o.streams), tokenise(model, normalise_prompt(model, o.prompt)));
  params.generate = o.tokens;
  params.choose = [&](size_t stream, const std::vector<int64_t>& z) { return next_token(choosers[stream], z); };
  params.keep_timeline = !o.trace.empty();
  params.progress = [&](const std::string& line) { progress.say(line); };
  const auto mapped = map_with_progress(o, lowered, progress);
  const int64_t own = cycles_per_token(lowered.program, mapped, arch.configuration_bits_per_cycle).total();
  Stopwatch watch;
  const PlatformResult result = simulate_platform(lowered.program, mapped, params);
  progress.clear();
  const double seconds = watch.lap();
  Json json = {{"engine", o.engine}, {"texts", Json::array()}};
  for (const StreamResult& stream : result.streams) {
    std::cout << detokenise(model, stream.tokens) << "\n";
    json["texts"].push_back(detokenise(model, stream.tokens));
  }
  std::cout << "\n" << platform_result_text(result, arch.platform, own);
  if (!o.trace.empty()) {
    write_file(o.trace, trace_json(result.timeline, arch.platform.clock_mhz));
    std::cout << fmt::format("{}: what tiles and buses did when (open it in ui.perfetto.dev or chrome://tracing)\n", o.trace);
  }
  json["arch"] = arch_json(arch, ArchParts::kWithPlatform);
  json["platform"] = platform_result_json(result, arch.platform, own);
  json["seed"] = o.common.seed;
  json["seconds"] = seconds;
  write_json(o.common, json);
}

void run(const Options& o) {
  const Arch arch = arch_of(o.arch);
  const Model model = read_model(o.model);
  const Engine engine = parse_engine(o.engine);
  if (engine == Engine::kSystemC) return run_platform(o, arch, model);
  if (!o.trace.empty()) throw Error("--trace", "engine " + o.engine + " knows no tiles and buses", "give --engine systemc");
  if (o.streams != 1) throw Error("--streams", "engine " + o.engine + " runs one text", "give --engine systemc");
  Sampler sampler =
      o.temperature.empty() ? greedy_sampler() : temperature_sampler(model, o.temperature, static_cast<uint32_t>(o.common.seed));
  std::vector<int> tokens = tokenise(model, normalise_prompt(model, o.prompt));
  Progress progress;
  Lowered lowered;
  Session session;
  TokenCycles cycles;
  if (engine == Engine::kCpu) {
    session = cpu_session(model);
  } else {
    lowered = lower(model, {{arch.tile_width, arch.tile_height}, parse_optimize(o.optimize)});
    const Program& program = lowered.program;
    if (engine == Engine::kDag) session = kernel_session(program, dag_engine(program));
    RtlParams rtl;
    rtl.progress = [&](size_t done, size_t total, const std::string& source) {
      progress.say(fmt::format("verilated {} of {}, {}", done, total, source));
    };
    if (engine == Engine::kGrid || engine == Engine::kFabric) {
      auto mapped = map_with_progress(o, lowered, progress);
      cycles = cycles_per_token(program, mapped, arch.configuration_bits_per_cycle);
      if (engine == Engine::kGrid) {
        session = kernel_session(program, grid_engine(program, std::move(mapped)));
      } else {
        auto fabrics = build_rtl(fabric_sources(mapped), rtl);
        session = kernel_session(program, fabric_engine(program, std::move(mapped), std::move(fabrics)));
      }
    }
    if (engine == Engine::kRtl) session = kernel_session(program, rtl_engine(program, build_rtl(verilog_sources(program), rtl)));
  }
  progress.clear();
  Stopwatch watch;
  std::cout << detokenise(model, tokens) << std::flush;
  std::vector<int> pending = tokens;
  for (int i = 0; i < o.tokens; ++i) {
    const int next = next_token(sampler, session.feed(pending));
    tokens.push_back(next);
    pending = {next};
    std::cout << detokenise(model, pending) << std::flush;
  }
  std::cout << std::endl;
  const double seconds = watch.lap();
  const EngineStats stats = session.stats();
  if (engine == Engine::kGrid || engine == Engine::kFabric) {
    std::cout << fmt::format("{} positions on the grid: {} cycles per token ({} of them configuration), {:.3g} cell updates in {:.1f} s\n",
                             tokens.size() - 1, cycles.total(), cycles.configuration, static_cast<double>(stats.cell_updates), seconds);
  }
  Json json = {{"text", detokenise(model, tokens)},
               {"tokens", tokens},
               {"engine", o.engine},
               {"grid_cycles", stats.cycles},
               {"cell_updates", stats.cell_updates}};
  if (engine == Engine::kGrid || engine == Engine::kFabric) {
    json["cycles_per_token"] = cycles.total();
    json["configuration_cycles_per_token"] = cycles.configuration;
    json["arch"] = arch_json(arch);
  }
  json["seed"] = o.common.seed;
  json["seconds"] = seconds;
  write_json(o.common, json);
}

}  // namespace

void add_run(CLI::App& app, int&) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "generate text with a model on an engine");
  command->add_option("model", o->model, "model.yaml")->required();
  command->add_option("--prompt", o->prompt, "text to continue; empty: a newline");
  add_number<int>(*command, "--tokens", o->tokens, {0, 1000000}, "tokens to generate");
  command
      ->add_option("--engine", o->engine,
                   "cpu, dag, grid, rtl (the kernels' datapath Verilog), fabric (the fabric's Verilog, configured) or systemc (tiles among "
                   "memories and buses)")
      ->capture_default_str();
  command->add_option("--temperature", o->temperature, "sample with one of the model's temperatures instead of taking the likeliest token");
  command->add_option("--arch", o->arch, "architecture file (arch/default.yaml documents it)");
  add_number<int>(*command, "--streams", o->streams, {1, 4096},
                  "--engine systemc: texts generated at the same time, stream s with --seed + s");
  command->add_option("--trace", o->trace, "--engine systemc: write what tiles and buses did when, for ui.perfetto.dev");
  command
      ->add_option("--optimize", o->optimize,
                   "of the mapping: area (fewest cells), throughput (smallest II) or density (least cells times II)")
      ->capture_default_str();
  add_common(*command, o->common, kMostSamplingSeed);
  command->callback([o] { run(*o); });
}

}  // namespace bitgrid::cli
