#include "cli/session.h"

#include "engines/progress_lines.h"
#include "ir/error.h"

namespace bitgrid::cli {

std::vector<MappedKernel> map_with_progress(const Program& program, const mapping::MapParams& params, Progress& progress) {
  return mapping::map_kernels(program, params, engines::mapping_run([&](const std::string& line) { progress.say(line); }));
}

std::unique_ptr<engines::Session> open_session(const SessionOptions& o, Progress& progress) {
  const engines::Engine& engine = engines::find_engine(o.engine);
  engines::SessionParams params;
  params.engine = o.engine;
  params.seed = o.seed;
  params.optimize = mapping::parse_optimize(o.optimize);
  params.threads = o.scales.threads;
  params.say = [&progress](const std::string& line) { progress.say(line); };
  engines::OpenParams open;
  if (engines::is_scaled_model(o.model)) {
    engines::require_scaled(engine, "--engine");
    if (!o.arch.empty()) throw Error("--arch", kNoTiles, "leave it out");
    open = open_params(o.scales, progress);
    params.cache = parse_cache_forms(o.scales.kv);
    params.dataflow = dataflow_of(o.scales, {&engine});
  } else {
    refuse_model_options(o.scales);
    params.arch = arch_of(o.arch);
    open.warn = [](const std::string& warning) { say_error("warning: " + warning); };
  }
  auto session = engines::open_session(engines::open_text_model(o.model, open), params);
  progress.clear();
  return session;
}

}  // namespace bitgrid::cli
