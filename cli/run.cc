// bitgrid run: generates text on an engine.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/dump.h"
#include "cli/model_options.h"
#include "cli/network.h"
#include "cli/numbers.h"
#include "cli/session.h"
#include "cli/source.h"
#include "engines/engines.h"
#include "engines/network_source.h"
#include "engines/sampling.h"
#include "engines/streams.h"
#include "engines/text.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/mapping/map.h"
#include "reference_cpu/engine.h"

namespace bitgrid::cli {
namespace {

struct RunOptions {
  Common common;
  std::string model, prompt, prompt_file, prompt_ids, engine, temperature, arch, optimize = "area", trace, dump, top_p;
  int tokens = 64, streams = 1, top_k = 0;
  bool chat = false, ignore_eos = false;
  ModelOptions scales;
  NetworkOptions network;
};

double rate(size_t count, double seconds) {
  return seconds > 0.0 ? static_cast<double>(count) / seconds : 0.0;
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

/// Whole texts at once, on an engine of streams.
void run_streams(const RunOptions& o, const engines::Engine& engine) {
  const Arch arch = arch_of(o.arch);
  const Model model = read_model(o.model);
  refuse_model_options(o.scales);
  if (!o.dump.empty()) throw Error("--dump", "only models with scales have values to dump", "leave it out");
  Progress progress;
  std::vector<engines::Sampler> choosers = samplers(o, model);
  const Program program = numerics::lower(model, {{arch.tile_width, arch.tile_height}, mapping::parse_optimize(o.optimize)});
  const std::vector<int> prompt = engines::tokenise(model, engines::normalise_prompt(model, o.prompt));
  const auto mapped = map_with_progress(program, {o.common.seed, mapping::parse_optimize(o.optimize)}, progress);
  engines::StreamsInputs inputs{program, mapped, arch};
  inputs.streams.assign(static_cast<size_t>(o.streams), prompt);
  inputs.generate = o.tokens;
  inputs.choose = [&](size_t stream, const std::vector<int64_t>& z) { return engines::next_token(choosers[stream], z); };
  inputs.keep_timeline = !o.trace.empty();
  inputs.progress = [&](const std::string& line) { progress.say(line); };
  Stopwatch watch;
  const engines::StreamsResult result = engine.of_streams(inputs);
  progress.clear();
  const double seconds = watch.lap();
  Json json = {{"engine", o.engine},
               {"text", engines::detokenise(model, result.texts.at(0).tokens)},
               {"tokens", result.texts.at(0).tokens},
               {"texts", Json::array()}};
  size_t positions = 0;
  for (const engines::StreamText& stream : result.texts) {
    positions += stream.tokens.size() - std::min<size_t>(stream.tokens.size(), o.tokens > 0 ? 1 : 0);
    const std::string text = engines::detokenise(model, stream.tokens);
    std::cout << text << "\n";
    json["texts"].push_back(text);
  }
  std::cout << "\n" << result.summary;
  if (!o.trace.empty()) {
    write_file(o.trace, result.timeline);
    std::cout << fmt::format("{}: what tiles and buses did when (open it in ui.perfetto.dev or chrome://tracing)\n", o.trace);
  }
  json["arch"] = arch_json(arch, ArchParts::kWithPlatform);
  json.update(result.json);
  json["positions"] = positions;
  json["tokens_per_second"] = json["prompt_tokens_per_second"] = rate(positions, seconds);
  json["seed"] = o.common.seed;
  json["seconds"] = seconds;
  write_json(o.common, json);
}

constexpr uint64_t kMostPromptBytes = uint64_t{1} << 28;

/// The tokens that the text begins with.
std::vector<int> prompt_tokens(const RunOptions& o, const engines::Session& session) {
  const int sources =
      static_cast<int>(!o.prompt.empty()) + static_cast<int>(!o.prompt_file.empty()) + static_cast<int>(!o.prompt_ids.empty());
  if (sources > 1) throw Error("--prompt", "there is more than one prompt", "give one of --prompt, --prompt-file and --prompt-ids");
  if (!o.prompt_ids.empty()) {
    if (o.chat) throw Error("--chat", "a chat template needs a text, not --prompt-ids", "give --prompt, or leave --chat out");
    return parse_ids("--prompt-ids", o.prompt_ids, session.vocabulary);
  }
  const std::string text = o.prompt_file.empty() ? o.prompt : read_file(o.prompt_file, kMostPromptBytes);
  if (!o.chat) return session.encode_prompt(text);
  if (session.tokenizer == nullptr) throw Error("--chat", "this model has no tokenizer with a template", "leave --chat out");
  return session.encode_prompt(frontend::chat_prompt(*session.tokenizer, {{"user", text}}));
}

/// Shows tokens as they come, in whole characters.
class Screen {
 public:
  explicit Screen(const engines::Session& session) : session_(session) {}
  void show(int token) {
    const std::string bytes = session_.bytes_of(token);
    put(session_.with_scales ? stream_.put(bytes) : bytes);
  }
  void finish() { put(stream_.finish()); }
  const std::string& text() const { return text_; }

 private:
  void put(const std::string& text) {
    text_ += text;
    std::cout << text << std::flush;
  }
  const engines::Session& session_;
  frontend::Utf8Stream stream_;
  std::string text_;
};

struct Generation {
  std::vector<int> tokens;  // the prompt's and those generated
  size_t positions = 0;     // computed
  size_t prompt_positions = 0;
  double prompt_seconds = 0.0, seconds = 0.0;  // seconds: of both
};

Generation generate(const RunOptions& o, engines::Session& session, std::vector<int> tokens, Screen& screen) {
  const auto choose = session.sampler({o.temperature, o.top_k, o.top_p}, static_cast<uint32_t>(o.common.seed));
  Generation g;
  g.prompt_positions = tokens.size();
  for (const int t : tokens) screen.show(t);
  std::vector<int> pending = tokens;
  g.tokens = std::move(tokens);
  Stopwatch watch;
  for (int i = 0; i < o.tokens; ++i) {
    if (session.context != 0 && g.positions + pending.size() > session.context) {
      say_error(fmt::format("the context of {} positions is full after {} tokens (--context)", session.context, i));
      break;
    }
    int next = 0;
    session.feed(pending, false, [&](size_t, const engines::Logits& z) { next = choose(z); });
    g.positions += pending.size();
    const double lap = watch.lap();
    g.seconds += lap;
    if (i == 0) g.prompt_seconds = lap;
    g.tokens.push_back(next);
    if (!o.ignore_eos && std::find(session.eos.begin(), session.eos.end(), next) != session.eos.end()) break;
    screen.show(next);
    pending = {next};
  }
  screen.finish();
  return g;
}

void run_session(const RunOptions& o) {
  Progress progress;
  const auto session = open_session({o.model, o.engine, o.arch, o.optimize, o.common.seed, o.scales}, progress);
  const std::vector<int> prompt = prompt_tokens(o, *session);
  if (prompt.empty()) throw Error("--prompt", "the prompt has no tokens", "give a prompt");
  if (session->context != 0 && prompt.size() > session->context)
    throw Error("--prompt", fmt::format("the prompt has {} tokens, but {} positions fit", prompt.size(), session->context),
                "give a shorter one, or a larger --context");
  std::optional<Dump> dump;
  if (!o.dump.empty()) {
    if (!session->with_scales) throw Error("--dump", "only models with scales have values to dump", "leave it out");
    session->trace = dump.emplace(o.dump).trace();
  }
  progress.clear();
  Screen screen(*session);
  const Generation g = generate(o, *session, prompt, screen);
  std::cout << std::endl;
  if (dump) dump->write();
  const engines::EngineStats stats = session->stats();
  const size_t later = g.positions - std::min(g.positions, g.prompt_positions);
  const double per_second = rate(later, g.seconds - g.prompt_seconds), prompt_per_second = rate(g.prompt_positions, g.prompt_seconds);
  if (session->on_grid) {
    std::cout << fmt::format("{} positions on the grid: {} cycles per token ({} of them configuration), {:.3g} cell updates in {:.1f} s\n",
                             g.positions, session->cycles.total(), session->cycles.configuration, static_cast<double>(stats.cell_updates),
                             g.seconds);
  } else if (session->with_scales) {
    std::cout << fmt::format("{} positions: prompt {:.3g} tokens/s, generation {:.3g} tokens/s, {:.1f} s\n", g.positions, prompt_per_second,
                             per_second, g.seconds);
  }
  Json json = {{"text", screen.text()},           {"tokens", g.tokens},
               {"engine", session->engine},       {"positions", g.positions},
               {"tokens_per_second", per_second}, {"prompt_tokens_per_second", prompt_per_second},
               {"grid_cycles", stats.cycles},     {"cell_updates", stats.cell_updates}};
  if (session->on_grid) {
    json["cycles_per_token"] = session->cycles.total();
    json["configuration_cycles_per_token"] = session->cycles.configuration;
    json["arch"] = arch_json(arch_of(o.arch));
  }
  if (session->with_scales) json["kv"] = text_of(parse_cache_forms(o.scales.kv));
  json["seed"] = o.common.seed;
  json["seconds"] = g.seconds;
  write_json(o.common, json);
}

void run(RunOptions o) {
  if (engines::is_network(o.model)) {
    if (!o.prompt.empty() || !o.prompt_file.empty() || !o.prompt_ids.empty() || !o.arch.empty() || !o.dump.empty())
      throw Error(o.model, "a network runs on samples, without prompts, architecture files and dumps", "give --input X.npy alone");
    refuse_model_options(o.scales);
    return run_network_model({o.common, o.model, o.engine, o.optimize, o.network, o.scales.threads});
  }
  refuse_network_options(o.network);
  if (o.engine.empty()) o.engine = engines::default_engine(o.model);
  const engines::Engine& engine = engines::find_engine(o.engine);
  if (engine.of_streams == nullptr) {
    const std::string cure = "give --engine " + engines::engine_names(engines::runs_streams);
    if (!o.trace.empty()) throw Error("--trace", "engine " + o.engine + " has no tiles and buses to trace", cure);
    if (o.streams != 1) throw Error("--streams", "engine " + o.engine + " runs one text", cure);
  } else if (!engines::is_scaled_model(o.model)) {
    return run_streams(o, engine);
  }
  run_session(o);
}

}  // namespace

void define_run(CLI::App& command, int&) {
  auto o = std::make_shared<RunOptions>();
  command.add_option("model", o->model, "model.yaml, a GGUF file, a Hugging Face folder, or a quantised network as ONNX")->required();
  command.add_option("--prompt", o->prompt, "text to continue; empty: a newline");
  command.add_option("--prompt-file", o->prompt_file, "a file with that text");
  command.add_option("--prompt-ids", o->prompt_ids, "token ids to continue, such as 1,2,3, without a tokenizer");
  command.add_flag("--chat", o->chat, "the prompt is a user's message: apply the model's chat template");
  add_number<int>(command, "--tokens", o->tokens, {0, 1000000}, "tokens to generate");
  command.add_option("--engine", o->engine,
                     fmt::format("what runs the model: {}; default: {}, for models with scales {}", engines::engine_names(),
                                 engines::kDefaultEngines.run, engines::kDefaultEngines.run_scaled));
  command.footer("Engines:\n" + engines::list_engines());
  command.add_option("--temperature", o->temperature,
                     "sample instead of taking the likeliest token: with one of the model's temperatures; models with scales: with any");
  add_number<int>(command, "--top-k", o->top_k, {0, INT32_MAX}, "models with scales: sample among the k likeliest only; 0: all");
  command.add_option("--top-p", o->top_p, "models with scales: sample among the likeliest that have this share of the weight");
  command.add_flag("--ignore-eos", o->ignore_eos, "continue past the end-of-text token");
  command.add_option("--dump", o->dump, "models with scales: write all intermediate values into this .npz file");
  add_model_options(command, o->scales);
  add_network_options(command, o->network, true);
  command.add_option("--arch", o->arch, "architecture file (arch/default.yaml documents it)");
  const std::string with = "--engine " + engines::engine_names(engines::runs_streams) + ": ";
  add_number<int>(command, "--streams", o->streams, {1, 4096}, with + "texts generated at the same time, stream s with --seed + s");
  command.add_option("--trace", o->trace, with + "write what tiles and buses did when, for ui.perfetto.dev");
  command
      .add_option("--optimize", o->optimize,
                  "goal of the mapping: area (fewest cells), throughput (smallest II) or density (least cells times II)")
      ->capture_default_str();
  add_common(command, o->common, engines::kMostSamplingSeed);
  command.callback([o] { run(*o); });
}

}  // namespace bitgrid::cli
