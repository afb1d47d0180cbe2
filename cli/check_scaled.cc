#include "cli/check_scaled.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "check/check_scaled.h"
#include "cli/numbers.h"
#include "engines/text_score.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::cli {
namespace {

constexpr uint64_t kMostTextBytes = uint64_t{1} << 30;

std::vector<int> encoded(const engines::ScaledSource& source, const std::string& text, bool prompt) {
  if (source.tokenizer() == nullptr) throw Error("the model", "it has no tokenizer for the text", "use a model that has one");
  return prompt ? frontend::encode_prompt(*source.tokenizer(), text, true) : source.tokenizer()->encode(text);
}

void print(const check::ScaledCheckReport& report) {
  uint64_t compared = 0;
  for (const check::ScaledEngineCheck& e : report.engines) {
    std::cout << fmt::format("{:6} {:>10} values compared, {} mismatches{}\n", e.engine, e.compared, e.mismatches,
                             engines::find_engine(e.engine).of_kernels ? "" : "  (packed kernels against the definition)");
    compared += e.compared;
  }
  if (const auto& m = report.first)
    std::cout << fmt::format("first mismatch: engine {}, position {}, {} [{}]: expected {}, got {}\n", m->engine, m->position, m->name,
                             m->index, m->expected, m->got);
  for (const auto& [engine, f] : report.floats) {
    std::cout << fmt::format("{:6} {:.4f} bits per token; cpu {:.4f}, {:+.4f} (bound of docs/numerics.md: +-0.005)\n", engine,
                             f.bits_per_token, f.bits_per_token_cpu, f.bits_per_token_cpu - f.bits_per_token);
    std::cout << fmt::format(
        "       KL mean {:.1e} nat, largest {:.1e} (measured there: 2.5e-4, 2.1e-2); likeliest token the same at {:.2f} % "
        "(99.3 %)\n",
        f.kl_mean, f.kl_max, 100.0 * f.argmax_agreement);
  }
  std::cout << fmt::format("{} mismatches in {} values at {} positions\n", report.mismatches(), compared, report.positions);
}

}  // namespace

int check_scaled_model(const ScaledCheckOptions& o) {
  Progress progress;
  check::ScaledCheckParams params;
  params.engines = engines::find_engines(!o.engines.empty() ? o.engines
                                         : o.text.empty()   ? engines::kDefaultEngines.check_scaled
                                                            : engines::kDefaultEngines.check_scaled_text);
  params.cache = parse_cache_forms(o.scales.kv);
  params.dataflow = dataflow_of(o.scales, params.engines);
  params.threads = o.scales.threads;
  params.progress = [&](const std::string& line) { progress.say(line); };
  for (const engines::Engine* engine : params.engines) engines::require_scaled(*engine, "--engines");
  engines::ScaledSource source(o.model, open_params(o.scales, progress));
  const size_t context = source.context();
  if (!o.prompt_ids.empty() && !(o.prompt.empty() && o.text.empty()))
    throw Error("--prompt-ids", "--prompt or --text is given too", "give one of --prompt, --prompt-ids and --text");
  if (!o.text.empty() && !o.prompt.empty()) throw Error("--text", "--prompt is given too", "give one of --prompt, --prompt-ids and --text");
  if (o.text.empty()) {
    const size_t positions = std::min(static_cast<size_t>(o.tokens), context);
    std::vector<int> prompt = o.prompt_ids.empty() ? encoded(source, o.prompt, true)
                                                   : parse_ids("--prompt-ids", o.prompt_ids, source.integers().embedding.vocabulary);
    params.windows = {check::window_to_check(source, std::move(prompt), positions, {params.cache, params.threads})};
  } else {
    const std::vector<int> tokens = encoded(source, read_file(o.text, kMostTextBytes), false);
    for (const auto& window : engines::windows_of(tokens, context)) params.windows.emplace_back(window.begin(), window.end());
    if (params.windows.empty()) throw Error(o.text, "it has fewer than two tokens", "use a longer text");
  }
  Stopwatch watch;
  const check::ScaledCheckReport report = check::check_scaled(source, params);
  progress.clear();
  print(report);
  Json json = {{"model", source.integers().name}, {"positions", report.positions}, {"engines", Json::object()}};
  for (const check::ScaledEngineCheck& e : report.engines)
    json["engines"][e.engine] = {{"compared", e.compared}, {"mismatches", e.mismatches}};
  for (const auto& [engine, f] : report.floats)
    json["engines"][engine] = {{"positions", f.positions},
                               {"bits_per_token", f.bits_per_token},
                               {"bits_per_token_cpu", f.bits_per_token_cpu},
                               {"kl_mean", f.kl_mean},
                               {"kl_max", f.kl_max},
                               {"argmax_agreement", f.argmax_agreement}};
  json["first_mismatch"] = nullptr;
  if (const auto& m = report.first)
    json["first_mismatch"] = {{"engine", m->engine}, {"position", m->position}, {"name", m->name},
                              {"index", m->index},   {"expected", m->expected}, {"got", m->got}};
  json["kv"] = text_of(params.cache);
  json["seconds"] = watch.lap();
  write_json(o.common, json);
  return report.ok() ? 0 : 1;
}

}  // namespace bitgrid::cli
