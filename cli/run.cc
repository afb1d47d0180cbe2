// bitgrid run: generates text on an engine.
#include <fmt/format.h>

#include <functional>
#include <iostream>
#include <memory>

#include "bitgrid_sim/systemc/platform_report.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/numbers.h"
#include "cli/source.h"
#include "engines/engines.h"
#include "engines/sampling.h"
#include "engines/text.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/mapping/map.h"
#include "reference_cpu/engine.h"

namespace bitgrid::cli {
namespace {

struct RunOptions {
  Common common;
  std::string model, prompt, engine = "grid", temperature, arch, optimize = "area", trace;
  int tokens = 64, streams = 1;
};

/// Feeds tokens and returns the logits after the last one.
struct Session {
  std::function<std::vector<int64_t>(const std::vector<int>&)> feed;
  std::function<engines::EngineStats()> stats = [] { return engines::EngineStats{}; };
};

Session model_session(engines::TokenRunner run) {
  return {[run = std::move(run)](const std::vector<int>& tokens) {
    std::vector<int64_t> z;
    for (const int t : tokens) z = run(t, nullptr);
    return z;
  }};
}

Session kernel_session(const Program& program, engines::KernelEngine engine) {
  const auto state = std::make_shared<HostState>(initial_state(program));
  return {[&program, state, run = engine.run](const std::vector<int>& tokens) {
            const HostTrace trace = run_tokens(program, *state, tokens, run);
            return logits(program, trace, trace.positions - 1);
          },
          engine.stats};
}

std::vector<MappedKernel> map_with_progress(const RunOptions& o, const Program& program, Progress& progress) {
  mapping::MapRun run;
  run.progress = [&](size_t done, size_t total, const std::string& kernel) {
    progress.say(fmt::format("mapping kernel {} of {}, {}", done + 1, total, kernel));
  };
  return mapping::map_kernels(program, {o.common.seed, mapping::parse_optimize(o.optimize)}, run);
}

/// Stream s samples with the seed of --seed + s.
std::vector<engines::Sampler> samplers(const RunOptions& o, const Model& model) {
  std::vector<engines::Sampler> all;
  for (int s = 0; s < o.streams; ++s) {
    const uint64_t seed = o.common.seed + static_cast<uint64_t>(s);
    if (seed > engines::kMostSamplingSeed)
      throw Error("--seed", fmt::format("stream {} would have the seed {}, above {}", s, seed, engines::kMostSamplingSeed),
                  "give a smaller one");
    all.push_back(o.temperature.empty() ? engines::greedy_sampler()
                                        : engines::temperature_sampler(model, o.temperature, static_cast<uint32_t>(seed)));
  }
  return all;
}

/// The whole text at once, on the platform of the architecture file.
void run_platform(const RunOptions& o, const Arch& arch, const Model& model) {
  Progress progress;
  std::vector<engines::Sampler> choosers = samplers(o, model);
  const Program program = numerics::lower(model, {{arch.tile_width, arch.tile_height}, mapping::parse_optimize(o.optimize)});
  platform::PlatformParams params;
  params.arch = arch;
  params.streams.assign(static_cast<size_t>(o.streams), engines::tokenise(model, engines::normalise_prompt(model, o.prompt)));
  params.generate = o.tokens;
  params.choose = [&](size_t stream, const std::vector<int64_t>& z) { return engines::next_token(choosers[stream], z); };
  params.keep_timeline = !o.trace.empty();
  params.progress = [&](const std::string& line) { progress.say(line); };
  const auto mapped = map_with_progress(o, program, progress);
  const int64_t own = mapping::cycles_per_token(program, mapped, arch.configuration_bits_per_cycle).total();
  Stopwatch watch;
  const platform::PlatformResult result = platform::simulate_platform(program, mapped, params);
  progress.clear();
  const double seconds = watch.lap();
  Json json = {{"engine", o.engine}, {"texts", Json::array()}};
  for (const platform::StreamResult& stream : result.streams) {
    std::cout << engines::detokenise(model, stream.tokens) << "\n";
    json["texts"].push_back(engines::detokenise(model, stream.tokens));
  }
  std::cout << "\n" << platform::platform_result_text(result, arch.platform, own);
  if (!o.trace.empty()) {
    write_file(o.trace, platform::trace_json(result.timeline, arch.platform.clock_mhz));
    std::cout << fmt::format("{}: what tiles and buses did when (open it in ui.perfetto.dev or chrome://tracing)\n", o.trace);
  }
  json["arch"] = arch_json(arch, ArchParts::kWithPlatform);
  json["platform"] = platform::platform_result_json(result, arch.platform, own);
  json["seed"] = o.common.seed;
  json["seconds"] = seconds;
  write_json(o.common, json);
}

void run(const RunOptions& o) {
  const Arch arch = arch_of(o.arch);
  const Model model = read_model(o.model);
  const engines::Engine& engine = engines::find_engine(o.engine);
  if (engine.whole_texts) return run_platform(o, arch, model);
  if (!o.trace.empty()) throw Error("--trace", "engine " + o.engine + " knows no tiles and buses", "give --engine systemc");
  if (o.streams != 1) throw Error("--streams", "engine " + o.engine + " runs one text", "give --engine systemc");
  engines::Sampler sampler = o.temperature.empty()
                                 ? engines::greedy_sampler()
                                 : engines::temperature_sampler(model, o.temperature, static_cast<uint32_t>(o.common.seed));
  std::vector<int> tokens = engines::tokenise(model, engines::normalise_prompt(model, o.prompt));
  Progress progress;
  Program program;
  Session session;
  mapping::TokenCycles cycles;
  if (engine.of_model) {
    session = model_session(engine.of_model(model));
  } else {
    program = numerics::lower(model, {{arch.tile_width, arch.tile_height}, mapping::parse_optimize(o.optimize)});
    const auto mapped = [&] {
      auto kernels = map_with_progress(o, program, progress);
      cycles = mapping::cycles_per_token(program, kernels, arch.configuration_bits_per_cycle);
      return kernels;
    };
    rtl::RtlParams rtl;
    rtl.progress = [&](size_t done, size_t total, const std::string& source) {
      progress.say(fmt::format("verilated {} of {}, {}", done, total, source));
    };
    session = kernel_session(program, engine.of_kernels({program, mapped, [&] { return engines::verilog_sources(program); }, rtl}));
  }
  progress.clear();
  Stopwatch watch;
  std::cout << engines::detokenise(model, tokens) << std::flush;
  std::vector<int> pending = tokens;
  for (int i = 0; i < o.tokens; ++i) {
    const int next = engines::next_token(sampler, session.feed(pending));
    tokens.push_back(next);
    pending = {next};
    std::cout << engines::detokenise(model, pending) << std::flush;
  }
  std::cout << std::endl;
  const double seconds = watch.lap();
  const engines::EngineStats stats = session.stats();
  if (engine.on_grid) {
    std::cout << fmt::format("{} positions on the grid: {} cycles per token ({} of them configuration), {:.3g} cell updates in {:.1f} s\n",
                             tokens.size() - 1, cycles.total(), cycles.configuration, static_cast<double>(stats.cell_updates), seconds);
  }
  Json json = {{"text", engines::detokenise(model, tokens)},
               {"tokens", tokens},
               {"engine", o.engine},
               {"grid_cycles", stats.cycles},
               {"cell_updates", stats.cell_updates}};
  if (engine.on_grid) {
    json["cycles_per_token"] = cycles.total();
    json["configuration_cycles_per_token"] = cycles.configuration;
    json["arch"] = arch_json(arch);
  }
  json["seed"] = o.common.seed;
  json["seconds"] = seconds;
  write_json(o.common, json);
}

}  // namespace

void define_run(CLI::App& command, int&) {
  auto o = std::make_shared<RunOptions>();
  command.add_option("model", o->model, "model.yaml")->required();
  command.add_option("--prompt", o->prompt, "text to continue; empty: a newline");
  add_number<int>(command, "--tokens", o->tokens, {0, 1000000}, "tokens to generate");
  command.add_option("--engine", o->engine, "what runs the model: " + engines::engine_names())->capture_default_str();
  command.footer("Engines:\n" + engines::list_engines());
  command.add_option("--temperature", o->temperature, "sample with one of the model's temperatures instead of taking the likeliest token");
  command.add_option("--arch", o->arch, "architecture file (arch/default.yaml documents it)");
  add_number<int>(command, "--streams", o->streams, {1, 4096},
                  "--engine systemc: texts generated at the same time, stream s with --seed + s");
  command.add_option("--trace", o->trace, "--engine systemc: write what tiles and buses did when, for ui.perfetto.dev");
  command
      .add_option("--optimize", o->optimize,
                  "of the mapping: area (fewest cells), throughput (smallest II) or density (least cells times II)")
      ->capture_default_str();
  add_common(command, o->common, engines::kMostSamplingSeed);
  command.callback([o] { run(*o); });
}

}  // namespace bitgrid::cli
