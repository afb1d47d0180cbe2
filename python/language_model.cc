// bitgrid.LanguageModel: model.yaml, GGUF files and Hugging Face folders.
#include "python/language_model.h"

#include <fmt/format.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "check/against_model.h"
#include "check/check_model.h"
#include "check/check_scaled.h"
#include "engines/kernel_source.h"
#include "engines/text.h"
#include "engines/text_score.h"
#include "frontend/arch_file.h"
#include "ir/error.h"
#include "ir/index.h"
#include "lowering/numerics/lower.h"
#include "python/against.h"
#include "python/arrays.h"
#include "python/compiled.h"
#include "python/define.h"
#include "python/estimates.h"
#include "python/results.h"

namespace bitgrid::python {
namespace {

constexpr int64_t kMostTokens = 1'000'000;
constexpr int64_t kMostLogits = int64_t{1} << 30;  // that run() returns

/// What runs of a model have in common.
struct TextOptions {
  std::string engine;  // "": the default of the model's kind
  std::string kv, dataflow, arch, optimize = "area";
  uint64_t seed = 1;
  std::function<std::vector<MappedKernel>()> mapped = nullptr;
  std::optional<Arch> of_compile = {};  // with `mapped`
};

engines::SessionParams session_params(const LanguageModelObject& m, const TextOptions& o, const engines::Say& say) {
  engines::SessionParams params;
  const auto& defaults = engines::kDefaultEngines;
  params.engine = !o.engine.empty() ? o.engine : m.model.scaled ? defaults.run_scaled : defaults.run;
  params.seed = o.seed;
  params.optimize = mapping::parse_optimize(o.optimize);
  params.threads = threads_of(m.threads);
  params.say = say;
  params.mapped = o.mapped;
  if (m.model.scaled) {
    if (!o.arch.empty()) throw Error("--arch", "models with scales are not cut into tiles yet", "leave it out");
    params.cache = parse_cache_forms(o.kv);
    params.dataflow = scales::parse_dataflow(o.dataflow);
  } else {
    if (!o.kv.empty()) throw Error("--kv", "only models with scales choose how keys and values are cached", "leave it out");
    if (!o.dataflow.empty()) throw Error("--dataflow", "only models with scales have a choice of it", "leave it out");
    params.arch = o.of_compile ? *o.of_compile : o.arch.empty() ? Arch{} : frontend::load_arch(o.arch);
  }
  return params;
}

/// long_result for work with a model. What is unusual in the model becomes warnings of Python's.
template <typename Work>
auto work_with(const LanguageModelObject& m, const py::object& progress, const Work& work) {
  auto result = long_result(progress, [&](const engines::Say& say) {
    ModelTalk& talk = *m.talk;
    const std::lock_guard lock(talk.in_use);
    talk.say = say;
    const std::shared_ptr<void> quiet(&talk, [](ModelTalk* t) { t->say = [](const std::string&) {}; });
    return work(say);
  });
  for (const std::string& line : std::exchange(m.talk->notes, {}))
    if (PyErr_WarnEx(PyExc_UserWarning, line.c_str(), 1) != 0) throw py::error_already_set();
  return result;
}

/// Tokens of a text, or numbers of tokens as they are.
std::vector<int> tokens_of(const LanguageModelObject& m, const py::object& text, bool prompt) {
  const engines::TextModel& model = m.model;
  if (py::isinstance<py::str>(text)) {
    const auto words = text.cast<std::string>();
    if (model.fixed) return engines::tokenise(*model.fixed, prompt ? engines::normalise_prompt(*model.fixed, words) : words);
    const frontend::Tokenizer* tokenizer = model.scaled->tokenizer();
    if (tokenizer == nullptr) throw Error("the model", "it has no tokenizer for the text", "give the numbers of tokens");
    return prompt ? frontend::encode_prompt(*tokenizer, words, true) : tokenizer->encode(words);
  }
  std::vector<int> tokens;
  for (const int64_t t : whole_numbers_of(text, "tokens")) {
    if (t < 0 || t > INT32_MAX) throw Error("tokens", fmt::format("{} is no token", t), "give numbers from 0 on");
    tokens.push_back(static_cast<int>(t));
  }
  return tokens;
}

void require_tokens(const engines::Session& session, const std::vector<int>& tokens, int64_t more) {
  if (tokens.empty()) throw Error("tokens", "there are none", "give a prompt");
  for (const int t : tokens)
    if (index_of(t) >= session.vocabulary)
      throw Error("tokens", fmt::format("token {} is outside of the vocabulary", t), fmt::format("give 0 .. {}", session.vocabulary - 1));
  const auto wanted = static_cast<int64_t>(tokens.size()) + more;
  if (session.context != 0 && wanted > static_cast<int64_t>(session.context))
    throw Error("tokens", fmt::format("{} positions are asked for, and {} fit", wanted, session.context), "load with a larger context");
}

struct AllLogits {
  std::vector<std::vector<int64_t>> values;
  std::vector<double> units;
};

AllLogits all_logits(const LanguageModelObject& m, const std::vector<int>& tokens, const TextOptions& o, const py::object& progress) {
  return work_with(m, progress, [&](const engines::Say& say) {
    const auto session = engines::open_session(m.model, session_params(m, o, say));
    require_tokens(*session, tokens, 0);
    if (static_cast<int64_t>(session->vocabulary) * static_cast<int64_t>(tokens.size()) > kMostLogits)
      throw Error("tokens", fmt::format("logits of {} positions do not fit memory", tokens.size()), "give fewer at a time");
    AllLogits all;
    session->feed(tokens, true, [&](size_t i, const engines::Logits& z) {
      say(fmt::format("position {} of {}", i + 1, tokens.size()));
      all.values.push_back(z.values);
      all.units.push_back(z.unit);
    });
    return all;
  });
}

py::array_t<int64_t> run_model(const LanguageModelObject& m, const py::object& text, const TextOptions& o, const py::object& progress) {
  return array_of(all_logits(m, tokens_of(m, text, true), o, progress).values);
}

py::array_t<double> log_probabilities(const LanguageModelObject& m, const py::object& text, const TextOptions& o,
                                      const py::object& progress) {
  const AllLogits all = all_logits(m, tokens_of(m, text, true), o, progress);
  py::array_t<double> array({all.values.size(), all.values.at(0).size()});
  double* at = array.mutable_data();
  for (size_t i = 0; i < all.values.size(); ++i) {
    if (all.units[i] <= 0.0) throw Error("the model", "it states no logit scale", "add `sampling: {logit_scale: X}`");
    const std::vector<double> logs = engines::log_probabilities(all.values[i], all.units[i]);
    at = std::copy(logs.begin(), logs.end(), at);
  }
  return array;
}

/// A text that was generated.
struct Generation {
  std::string text;
  std::vector<int> tokens;
  size_t prompt_tokens = 0;
  engines::EngineStats stats;
};

std::string text_of_tokens(const LanguageModelObject& m, const std::vector<int>& tokens) {
  if (m.model.fixed) return engines::detokenise(*m.model.fixed, tokens);
  const frontend::Tokenizer* tokenizer = m.model.scaled->tokenizer();
  frontend::Utf8Stream stream;
  std::string text;
  for (const int t : tokens) text += stream.put(tokenizer == nullptr ? fmt::format("<{}>", t) : tokenizer->bytes_of(t));
  return text + stream.finish();
}

Generation generate(const LanguageModelObject& m, const py::object& prompt, int64_t count, const engines::SamplingOptions& sampling,
                    uint32_t sampling_seed, const TextOptions& o, const py::object& progress) {
  if (count < 0 || count > kMostTokens)
    throw Error("tokens", fmt::format("{} tokens cannot be generated", count), fmt::format("give 0 .. {}", kMostTokens));
  const std::vector<int> first = tokens_of(m, prompt, true);
  return work_with(m, progress, [&](const engines::Say& say) {
    const auto session = engines::open_session(m.model, session_params(m, o, say));
    require_tokens(*session, first, std::max<int64_t>(0, count - 1));
    const auto choose = session->sampler(sampling, sampling_seed);
    Generation g{{}, first, first.size(), {}};
    std::vector<int> pending = first;
    for (int64_t i = 0; i < count; ++i) {
      say(fmt::format("token {} of {}", i + 1, count));
      int next = 0;
      session->feed(pending, false, [&](size_t, const engines::Logits& z) { next = choose(z); });
      if (std::find(session->eos.begin(), session->eos.end(), next) != session->eos.end()) break;
      g.tokens.push_back(next);
      pending = {next};
    }
    g.text = text_of_tokens(m, g.tokens);
    g.stats = session->stats();
    return g;
  });
}

CheckResult check_fixed(const LanguageModelObject& m, const py::object& prompt, int positions, const std::vector<std::string>& names,
                        const TextOptions& o, const engines::Say& say, const std::vector<int>& given) {
  check::CheckParams params;
  params.engines.clear();
  for (const std::string& name : names) params.engines.push_back(&engines::find_engine(name));
  if (names.empty()) params.engines = engines::find_engines(engines::kDefaultEngines.check);
  const std::string text = prompt.is_none() ? "" : engines::detokenise(*m.model.fixed, given);
  params.tokens = check::positions_to_check(*m.model.fixed, text, positions);
  params.seed = o.seed;
  params.optimize = mapping::parse_optimize(o.optimize);
  if (!o.arch.empty()) params.arch = frontend::load_arch(o.arch);
  params.progress = say;
  const check::CheckReport report = check::check_model(*m.model.fixed, params);
  CheckResult result;
  for (const check::EngineCheck& e : report.engines) result.engines.push_back({e.engine, e.compared, e.mismatches});
  if (const auto& f = report.first_mismatch)
    result.first = FirstMismatch{f->engine, static_cast<size_t>(f->position.value_or(0)), f->step, f->bit.value_or(0), f->expected, f->got};
  return result;
}

CheckResult check_with_scales(const LanguageModelObject& m, int positions, const std::vector<std::string>& names, const TextOptions& o,
                              const engines::Say& say, const std::vector<int>& given) {
  check::ScaledCheckParams params;
  for (const std::string& name : names) params.engines.push_back(&engines::find_engine(name));
  if (names.empty()) params.engines = engines::find_engines(engines::kDefaultEngines.check_scaled);
  for (const engines::Engine* engine : params.engines) engines::require_scaled(*engine, "--engines");
  params.cache = parse_cache_forms(o.kv);
  params.dataflow = scales::parse_dataflow(o.dataflow);
  params.threads = threads_of(m.threads);
  params.progress = say;
  engines::ScaledSource& source = *m.model.scaled;
  const size_t count = std::min(static_cast<size_t>(positions), source.context());
  params.windows = {check::window_to_check(source, given, count, {params.cache, params.threads})};
  const check::ScaledCheckReport report = check::check_scaled(source, params);
  CheckResult result;
  for (const check::ScaledEngineCheck& e : report.engines) result.engines.push_back({e.engine, e.compared, e.mismatches});
  if (const auto& f = report.first) result.first = FirstMismatch{f->engine, f->position, f->name, f->index, f->expected, f->got};
  return result;
}

CheckResult check_language_model(const LanguageModelObject& m, const py::object& prompt, int positions,
                                 const std::vector<std::string>& names, const TextOptions& o, const py::object& progress) {
  if (positions < 1 || positions > kMostTokens)
    throw Error("positions", fmt::format("{} positions cannot be compared", positions), fmt::format("give 1 .. {}", kMostTokens));
  std::vector<int> given;
  if (!prompt.is_none()) given = tokens_of(m, prompt, true);
  return work_with(m, progress, [&](const engines::Say& say) {
    return m.model.fixed ? check_fixed(m, prompt, positions, names, o, say, given) : check_with_scales(m, positions, names, o, say, given);
  });
}

/// A model of texts on the grid.
struct CompiledLanguageModel : Compiled {
  LanguageModelObject source;

  TextOptions with(const std::string& engine) const {
    if (source.model.scaled)
      throw Error(source.path, "models with scales do not run on an earlier compile yet", "run the model itself, with engine=\"grid\"");
    TextOptions o;
    o.engine = engine;
    o.optimize = options.optimize;
    o.seed = options.seed;
    o.mapped = [kernels = mapped] { return *kernels; };
    o.of_compile = read.arch;
    return o;
  }
};

CompiledLanguageModel compile_language_model(const LanguageModelObject& m, const CompileOptions& options) {
  CompiledLanguageModel c;
  c.source = m;
  c.options = options;
  c.read = options.read();
  c.is_model = true;
  c.program = std::make_shared<const Program>(work_with(m, options.progress, [&](const engines::Say& say) {
    say("lowering");
    return m.model.fixed ? numerics::lower(*m.model.fixed, c.read.lower) : scales::lower_scaled(m.model.scaled->integers(), {});
  }));
  c.source_hash = m.model.fixed ? m.model.fixed->content_hash : engines::hash_of_kernels(*c.program);
  c.mapped = std::make_shared<const std::vector<MappedKernel>>(
      long_result(options.progress, [&](const engines::Say& say) { return map_program(*c.program, c.options, c.read, say); }));
  return c;
}

/// Adds run(), log_probabilities() and generate() to a class: `options` makes a TextOptions of the object and what the caller says.
template <typename Class, typename Source>
void define_texts(Class& c, const Source& source) {
  using Object = typename Class::type;
  const char* tokens =
      "text: a prompt, or the numbers of tokens. engine: one of the program's; None: \"cpu\" of models with scales, else \"grid\".\n"
      "kv, dataflow: of models with scales, as --kv and --dataflow. progress: True, or a function that is told lines.";
  static const std::string run_doc = std::string("Runs a text and returns its integer logits, int64 [positions, vocabulary].\n\n") + tokens;
  static const std::string log_doc =
      std::string("Natural logarithms of the probabilities of the next token, float64 [positions, vocabulary].\n\n") + tokens;
  static const std::string generate_doc =
      std::string(
          "Continues a prompt and returns a Generation.\n\ntokens: how many at most; an end-of-text token ends it.\n"
          "temperature: None takes the likeliest token; else tokens are drawn with `seed`, among the top_k likeliest or those that\n"
          "have the share top_p of the weight (models with scales).\n") +
      tokens;
  const auto number = [](const py::object& value) { return value.is_none() ? std::string() : py::cast<std::string>(py::str(value)); };
  c.def(
      "run",
      [source](const Object& m, const py::object& text, const std::optional<std::string>& engine, const std::string& kv,
               const std::string& dataflow, const py::object& progress) {
        const auto [model, options] = source(m, engine, kv, dataflow);
        return run_model(model, text, options, progress);
      },
      py::arg("text"), py::kw_only(), py::arg("engine") = py::none(), py::arg("kv") = "", py::arg("dataflow") = "",
      py::arg("progress") = py::none(), run_doc.c_str());
  c.def(
      "log_probabilities",
      [source](const Object& m, const py::object& text, const std::optional<std::string>& engine, const std::string& kv,
               const std::string& dataflow, const py::object& progress) {
        const auto [model, options] = source(m, engine, kv, dataflow);
        return log_probabilities(model, text, options, progress);
      },
      py::arg("text"), py::kw_only(), py::arg("engine") = py::none(), py::arg("kv") = "", py::arg("dataflow") = "",
      py::arg("progress") = py::none(), log_doc.c_str());
  c.def(
      "generate",
      [source, number](const Object& m, const py::object& text, int64_t tokens_wanted, const std::optional<std::string>& engine,
                       const py::object& temperature, int top_k, const py::object& top_p, uint32_t seed, const std::string& kv,
                       const std::string& dataflow, const py::object& progress) {
        const auto [model, options] = source(m, engine, kv, dataflow);
        return generate(model, text, tokens_wanted, {number(temperature), top_k, number(top_p)}, seed, options, progress);
      },
      py::arg("text"), py::arg("tokens") = 64, py::kw_only(), py::arg("engine") = py::none(), py::arg("temperature") = py::none(),
      py::arg("top_k") = 0, py::arg("top_p") = py::none(), py::arg("seed") = 1, py::arg("kv") = "", py::arg("dataflow") = "",
      py::arg("progress") = py::none(), generate_doc.c_str());
}

}  // namespace

LanguageModelObject load_language_model(const std::string& path, const LoadOptions& options) {
  engines::OpenParams params;
  if (options.context < 0)
    throw Error("context", fmt::format("{} positions are no context", options.context), "give 0, for the model's own, or more");
  params.context = static_cast<size_t>(options.context);
  params.threads = threads_of(options.threads);
  LanguageModelObject m{path, options.threads, {}};
  params.progress = [talk = m.talk](const std::string& line) { talk->say(line); };
  params.warn = [talk = m.talk](const std::string& line) { talk->notes.push_back(line); };
  m.model = work_with(m, py::none(), [&](const engines::Say&) { return engines::open_text_model(path, params); });
  return m;
}

void define_language_model(py::module_& m) {
  py::class_<Generation>(m, "Generation", "A prompt and what an engine made follow it.")
      .def_readonly("text", &Generation::text, "All of it.")
      .def_property_readonly(
          "tokens", [](const Generation& g) { return py::array_t<int>(py::cast(g.tokens)); }, "All of it, int32 [tokens].")
      .def_readonly("prompt_tokens", &Generation::prompt_tokens, "How many of them are the prompt's.")
      .def_property_readonly(
          "grid_cycles", [](const Generation& g) { return g.stats.cycles; }, "Cycles of the simulated hardware, summed over kernels.")
      .def_property_readonly(
          "cell_updates", [](const Generation& g) { return g.stats.cell_updates; }, "Of engines grid and fabric.")
      .def("__str__", [](const Generation& g) { return g.text; })
      .def("__repr__", [](const Generation& g) { return fmt::format("<bitgrid.Generation of {} tokens>", g.tokens.size()); });

  py::class_<LanguageModelObject> c(m, "LanguageModel", "A model that continues texts: model.yaml, a GGUF file, a Hugging Face folder.");
  c.def_property_readonly(
      "vocabulary",
      [](const LanguageModelObject& l) {
        return work_with(l, py::none(), [&](const engines::Say&) {
          return l.model.fixed ? l.model.fixed->vocabulary.size() : l.model.scaled->vocabulary();
        });
      },
      "Tokens are 0 .. vocabulary - 1.");
  c.def_property_readonly(
      "has_scales", [](const LanguageModelObject& l) { return l.model.scaled != nullptr; },
      "Whether its numbers have scales that arise while it runs (docs/numerics.md).");
  c.def(
      "encode",
      [](const LanguageModelObject& l, const std::string& text, bool prompt) {
        return py::array_t<int>(py::cast(tokens_of(l, py::str(text), prompt)));
      },
      py::arg("text"), py::kw_only(), py::arg("prompt") = false,
      "Tokens of a text, int32; as a prompt with what the model wants before it.");
  c.def(
      "decode", [](const LanguageModelObject& l, const py::object& tokens) { return text_of_tokens(l, tokens_of(l, tokens, false)); },
      py::arg("tokens"), "The text of tokens.");
  const auto source = [](const LanguageModelObject& l, const std::optional<std::string>& engine, const std::string& kv,
                         const std::string& dataflow) {
    TextOptions o;
    o.engine = engine.value_or("");
    o.kv = kv;
    o.dataflow = dataflow;
    return std::pair(l, o);
  };
  define_texts(c, source);
  c.def(
      "check",
      [](const LanguageModelObject& l, const py::object& prompt, int positions, const std::vector<std::string>& names,
         const std::string& kv, const std::string& dataflow, const std::string& arch, const std::string& optimize, uint64_t seed,
         const py::object& progress) {
        return check_language_model(l, prompt, positions, names, {"", kv, dataflow, arch, optimize, seed}, progress);
      },
      py::arg("prompt") = py::none(), py::kw_only(), py::arg("positions") = 16, py::arg("engines") = std::vector<std::string>{},
      py::arg("kv") = "", py::arg("dataflow") = "", py::arg("arch") = "", py::arg("optimize") = "area", py::arg("seed") = 1,
      py::arg("progress") = py::none(),
      "Compares engines with the definition value by value and returns a Check; a Mismatch names step or value, and its bit or element.\n\n"
      "The prompt is continued by engine cpu up to `positions`. engines: without them those of `bitgrid check`.");
  static const std::string against_doc = std::string(
                                             "Compares arrays of your own kernel with the exact integers of engine cpu over a text.\n\n"
                                             "text: a prompt, or the numbers of tokens. arrays: a dict of arrays [positions, ...] by name: "
                                             "\"layers.0.query\", .. \"logits\";\n"
                                             "an unknown name is answered with all of them. Of models without scales.\n") +
                                         kAgainstText;
  c.def(
      "against",
      [](const LanguageModelObject& l, const py::object& text, const py::dict& arrays, const py::object& progress) {
        if (!l.model.fixed) throw Error(l.path, "models with scales are not compared with arrays", "run check() on them");
        const std::vector<int> tokens = tokens_of(l, text, true);
        return compare_with(
            arrays, [&] { return check::exact_arrays(*l.model.fixed, tokens); }, tokens.size(), progress);
      },
      py::arg("text"), py::arg("arrays"), py::kw_only(), py::arg("progress") = py::none(), against_doc.c_str());
  define_estimate_of(c, "Size, speed and cost before anything is mapped; returns an Estimate.",
                     [](const LanguageModelObject& l, const EstimateArguments& a) { return estimate_file(l.path, a); });
  define_compile(c, "Maps all kernels onto the grid and returns a CompiledLanguageModel.", compile_language_model);
  c.def("__repr__", [](const LanguageModelObject& l) { return fmt::format("<bitgrid.LanguageModel {}>", l.path); });

  py::class_<CompiledLanguageModel, Compiled> compiled(m, "CompiledLanguageModel", "A model of texts on the grid.");
  define_texts(compiled, [](const CompiledLanguageModel& l, const std::optional<std::string>& engine, const std::string& kv,
                            const std::string& dataflow) {
    TextOptions o = l.with(engine.value_or("grid"));
    o.kv = kv;
    o.dataflow = dataflow;
    return std::pair(l.source, o);
  });
  compiled.def_property_readonly(
      "cycles_per_token",
      [](const CompiledLanguageModel& l) {
        return mapping::cycles_per_token(*l.program, *l.mapped, l.read.arch.configuration_bits_per_cycle).total();
      },
      "Cycles of a token in the steady state, with configuration.");
}

}  // namespace bitgrid::python
