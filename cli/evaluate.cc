// bitgrid evaluate: bits per token and byte of a text.
#include <fmt/format.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/session.h"
#include "engines/text_score.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::cli {
namespace {

constexpr uint64_t kMostTextBytes = uint64_t{1} << 30;

struct EvaluateOptions {
  Common common;
  std::string model, text, engine, arch, optimize = "area";
  ModelOptions scales;
};

struct Score {
  double bits = 0.0;
  size_t positions = 0, bytes = 0;
};

/// Feeds windows, each from an empty cache, and scores all tokens but the first of each.
Score score(engines::Session& session, const std::vector<std::span<const int>>& windows, Progress& progress) {
  size_t total = 0;
  for (const auto& w : windows) total += w.size() - 1;
  Score s;
  for (const std::span<const int> window : windows) {
    session.restart();
    const auto each = [&](size_t i, const engines::Logits& z) {
      if (z.unit <= 0.0) throw Error("the model", "it states no logit scale", "add `sampling: {logit_scale: X}`");
      const int next = window[i + 1];
      s.bits += engines::bits_of(z.values, z.unit, next);
      s.bytes += session.bytes_of(next).size();
      ++s.positions;
      progress.say(fmt::format("position {} of {}, {:.4f} bits per token", s.positions, total, s.bits / static_cast<double>(s.positions)));
    };
    session.feed(window.first(window.size() - 1), true, each);
  }
  progress.clear();
  return s;
}

void evaluate(EvaluateOptions o) {
  if (o.engine.empty()) o.engine = engines::kDefaultEngines.evaluate;
  Progress progress;
  const auto session = open_session({o.model, o.engine, o.arch, o.optimize, o.common.seed, o.scales}, progress);
  const std::vector<int> tokens = session->encode(read_file(o.text, kMostTextBytes));
  const size_t window = o.scales.context != 0 ? static_cast<size_t>(o.scales.context) : session->context;
  const auto windows = engines::windows_of(tokens, window);
  if (windows.empty())
    throw Error(o.text, fmt::format("it has {} tokens, and the first of a window is not scored", tokens.size()), "use a longer text");
  Stopwatch watch;
  const Score s = score(*session, windows, progress);
  const double seconds = watch.lap();
  const double count = static_cast<double>(s.positions);
  const double per_token = s.bits / count, per_byte = s.bits / static_cast<double>(std::max<size_t>(s.bytes, 1));
  std::cout << fmt::format("{:.6f} bits per token, {:.6f} bits per byte; {} positions in {} windows, {:.1f} s\n", per_token, per_byte,
                           s.positions, windows.size(), seconds);
  Json json = {{"engine", session->engine},
               {"bits_per_token", per_token},
               {"bits_per_byte", per_byte},
               {"positions", s.positions},
               {"windows", windows.size()},
               {"context", window},
               {"tokens_per_second", seconds > 0.0 ? count / seconds : 0.0},
               {"seconds", seconds}};
  if (session->with_scales) json["kv"] = text_of(parse_cache_forms(o.scales.kv));
  write_json(o.common, json);
}

}  // namespace

void define_evaluate(CLI::App& command, int&) {
  auto o = std::make_shared<EvaluateOptions>();
  command.add_option("model", o->model, "model.yaml, a GGUF file or a Hugging Face folder")->required();
  command.add_option("--text", o->text, "the text, cut into windows of --context tokens without overlap (0: the whole text, or what fits)")
      ->required();
  command.add_option("--engine", o->engine,
                     "what runs the model: " + engines::engine_names() + "; default: " + engines::kDefaultEngines.evaluate);
  command.add_option("--arch", o->arch, "architecture file (arch/default.yaml documents it)");
  add_model_options(command, o->scales);
  add_common(command, o->common);
  command.callback([o] { evaluate(*o); });
}

}  // namespace bitgrid::cli
