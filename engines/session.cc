#include "engines/session.h"

#include <fmt/format.h>

#include <cmath>

#include "engines/kernel_source.h"
#include "engines/text.h"
#include "frontend/checkpoint/convert.h"
#include "ir/error.h"
#include "ir/number.h"

namespace bitgrid::engines {

namespace {

/// A model with scales.
struct ScaledSession {
  std::shared_ptr<ScaledSource> source;
  ScaledRunner runner;
};

std::function<int(const Logits&)> scaled_sampler(const SamplingOptions& o, uint32_t seed, std::vector<int32_t> table) {
  auto sampler = std::make_shared<ScaledSampler>();
  sampler->state = seed;
  if (!o.temperature.empty()) {
    const auto t = parse_real(o.temperature, 1e-3, 1e3);
    if (!t) throw Error("--temperature", "'" + o.temperature + "' is not a number from 0.001 to 1000", "leave it out for greedy");
    sampler->per_temperature = constant(1.0 / *t);
  } else if (o.top_k != 0 || !o.top_p.empty()) {
    throw Error("--top-k", "without a temperature the likeliest token is taken", "give --temperature too");
  }
  sampler->top_k = o.top_k;
  if (!o.top_p.empty()) {
    const auto share = parse_real(o.top_p, 0.0, 1.0);
    if (!share) throw Error("--top-p", "'" + o.top_p + "' is not a number from 0 to 1", "write a share such as 0.9");
    sampler->top_p = static_cast<uint32_t>(std::floor(*share * 65536.0 + 0.5));
  }
  return [sampler, table = std::move(table)](const Logits& z) { return next_token(*sampler, {z.values, z.scalar}, table); };
}

[[noreturn]] void refuse_text(const std::string& text, size_t vocabulary) {
  throw Error("the model", fmt::format("it has no tokenizer, so '{}' cannot be tokenized", text),
              fmt::format("give --prompt-ids with numbers 0 .. {}", vocabulary - 1));
}

void open_scaled(const TextModel& model, const SessionParams& p, const Engine& engine, Session& session) {
  const auto inner = std::make_shared<ScaledSession>(ScaledSession{model.scaled, {}});
  session.keep = inner;
  ScaledRunParams params = {p.cache, p.threads};
  params.progress = params.step_progress = p.say;
  params.seed = p.seed;
  params.optimize = p.optimize;
  params.dataflow = p.dataflow;
  inner->runner = engine.of_scaled(*inner->source, params);
  session.stats = inner->runner.stats;
  session.with_scales = true;
  session.on_grid = false;  // cycles are not counted yet
  session.context = inner->source->context();
  session.tokenizer = inner->source->tokenizer();
  if (session.tokenizer != nullptr) session.eos = session.tokenizer->eos;
  Session* self = &session;
  session.feed = [inner, self](std::span<const int> tokens, bool all, const EachLogits& each) {
    const auto give = [&](size_t i, cpu::ScaledLogits z) {
      each(i, {std::move(z.values), std::ldexp(static_cast<double>(z.unit.m), static_cast<int>(z.unit.e)), z.unit});
    };
    inner->runner.feed(tokens, all, give, self->trace);
  };
  session.restart = [inner] { inner->runner.restart(); };
  const size_t vocabulary = session.vocabulary = inner->source->vocabulary();
  const frontend::Tokenizer* tokenizer = session.tokenizer;
  session.encode_prompt = [tokenizer, vocabulary](const std::string& text) -> std::vector<int> {
    if (tokenizer == nullptr) refuse_text(text, vocabulary);
    return frontend::encode_prompt(*tokenizer, text, true);
  };
  session.encode = [tokenizer, vocabulary](const std::string& text) -> std::vector<int> {
    if (tokenizer == nullptr) refuse_text(text, vocabulary);
    return tokenizer->encode(text);
  };
  session.bytes_of = [tokenizer](int token) { return tokenizer == nullptr ? fmt::format("<{}>", token) : tokenizer->bytes_of(token); };
  session.sampler = [](const SamplingOptions& s, uint32_t seed) {
    return scaled_sampler(s, seed, s.temperature.empty() ? std::vector<int32_t>{} : frontend::function_tables(2, 1.0).sampling);
  };
}

/// A model of our own dialect.
struct FixedSession {
  std::shared_ptr<const Model> model;
  Program program;
  TokenRunner run;
  KernelEngine kernels;
  HostState state;
};

void open_kernels(const SessionParams& p, const Engine& engine, FixedSession& inner, Session& session) {
  inner.program = numerics::lower(*inner.model, {{p.arch.tile_width, p.arch.tile_height}, p.optimize});
  const auto mapped = [&] {
    auto kernels = p.mapped ? p.mapped() : mapping::map_kernels(inner.program, {p.seed, p.optimize}, mapping_run(p.say));
    session.cycles = mapping::cycles_per_token(inner.program, kernels, p.arch.configuration_bits_per_cycle);
    return kernels;
  };
  inner.kernels = engine.of_kernels({inner.program, mapped, [&] { return verilog_sources(inner.program); }, verilating_params(p.say)});
  inner.state = initial_state(inner.program);
}

void open_fixed(const TextModel& model, const SessionParams& p, const Engine& engine, Session& session) {
  const auto inner = std::make_shared<FixedSession>();
  session.keep = inner;
  inner->model = model.fixed;
  session.vocabulary = inner->model->vocabulary.size();
  const double unit = inner->model->logit_scale;
  if (engine.of_model) {
    inner->run = engine.of_model(*inner->model);
    session.feed = [inner, unit](std::span<const int> tokens, bool all, const EachLogits& each) {
      for (size_t i = 0; i < tokens.size(); ++i) {
        std::vector<int64_t> z = inner->run(tokens[i], nullptr);
        if (all || i + 1 == tokens.size()) each(i, {std::move(z), unit, {}});
      }
    };
    session.restart = [inner, &engine] { inner->run = engine.of_model(*inner->model); };
  } else {
    open_kernels(p, engine, *inner, session);
    session.feed = [inner, unit, say = p.say](std::span<const int> tokens, bool all, const EachLogits& each) {
      const auto step = [&](int n, const StepBatch& batch) {
        say(step_line(inner->program, n));
        return inner->kernels.run(n, batch);
      };
      const HostTrace trace = run_tokens(inner->program, inner->state, {tokens.begin(), tokens.end()}, step);
      for (size_t i = all ? 0 : tokens.size() - 1; i < tokens.size(); ++i)
        each(i, {logits(inner->program, trace, static_cast<int>(i)), unit, {}});
    };
    session.restart = [inner] { inner->state = initial_state(inner->program); };
    session.stats = [inner] { return inner->kernels.stats(); };
  }
  session.encode_prompt = [inner](const std::string& text) { return tokenise(*inner->model, normalise_prompt(*inner->model, text)); };
  session.encode = [inner](const std::string& text) { return tokenise(*inner->model, text); };
  session.bytes_of = [inner](int token) { return detokenise(*inner->model, {token}); };
  session.sampler = [inner](const SamplingOptions& s, uint32_t seed) -> std::function<int(const Logits&)> {
    if (s.top_k != 0 || !s.top_p.empty()) throw Error("--top-k", "only models with scales sample among the likeliest", "leave it out");
    auto sampler =
        std::make_shared<Sampler>(s.temperature.empty() ? greedy_sampler() : temperature_sampler(*inner->model, s.temperature, seed));
    return [sampler](const Logits& z) { return next_token(*sampler, z.values); };
  };
}

}  // namespace

TextModel open_text_model(const std::string& path, const OpenParams& params) {
  if (is_scaled_model(path)) return {nullptr, std::make_shared<ScaledSource>(path, params)};
  return {std::make_shared<const Model>(read_model(path, params.warn)), nullptr};
}

std::string default_engine(const std::string& model) {
  return is_scaled_model(model) ? kDefaultEngines.run_scaled : kDefaultEngines.run;
}

std::unique_ptr<Session> open_session(const TextModel& model, const SessionParams& params) {
  const Engine& engine = find_engine(params.engine);
  auto session = std::make_unique<Session>();
  session->engine = engine.name;
  session->on_grid = engine.on_grid;
  if (model.scaled) {
    require_scaled(engine, "--engine");
    open_scaled(model, params, engine, *session);
  } else {
    if (engine.of_model == nullptr && engine.of_kernels == nullptr)
      throw Error("--engine", "engine " + engine.name + " does not run this model", "choose another one: " + engine_names());
    open_fixed(model, params, engine, *session);
  }
  return session;
}

}  // namespace bitgrid::engines
