#include "check/check_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "check/verify_kernel.h"
#include "engines/artefacts.h"
#include "engines/progress_lines.h"
#include "engines/sampling.h"
#include "engines/streams.h"
#include "engines/text.h"
#include "ir/error.h"
#include "lowering/mapping/map.h"
#include "lowering/numerics/lower.h"
#include "reference_cpu/engine.h"

namespace bitgrid::check {
namespace {

std::vector<cpu::Trace> golden_traces(const Model& model, const std::vector<int>& tokens) {
  const cpu::CpuEngine engine(model, {cpu::CpuParams::Kernels::kGolden});
  cpu::CpuState state = engine.start();
  std::vector<cpu::Trace> traces(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) engine.step(state, tokens[i], &traces[i]);
  return traces;
}

std::vector<cpu::Trace> traces_of(const engines::TokenRunner& run, const std::vector<int>& tokens) {
  std::vector<cpu::Trace> traces(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) run(tokens[i], &traces[i]);
  return traces;
}

EngineCheck compare_traces(const std::string& engine, const std::vector<cpu::Trace>& golden, const std::vector<cpu::Trace>& packed,
                           std::optional<Mismatch>& first) {
  EngineCheck result{engine, 0, 0, {}};
  for (size_t i = 0; i < golden.size(); ++i) {
    for (const auto& [tensor, values] : golden[i]) {
      const auto& other = packed[i].at(tensor);
      for (size_t c = 0; c < values.size(); ++c) {
        ++result.compared;
        if (values[c] == other[c]) continue;
        ++result.mismatches;
        if (!first) {
          first = Mismatch{engine,
                           static_cast<int>(i),
                           tensor,
                           tensor,
                           0,
                           c,
                           0,
                           0,
                           fmt::format("{}[{}] is {}, should be {}", tensor, c, other[c], values[c])};
        }
      }
    }
  }
  return result;
}

struct Comparison {
  const Program& program;
  const std::vector<cpu::Trace>& golden;
  std::string engine;
  EngineCheck result;
  std::optional<Mismatch> first;

  void run(const HostTrace& trace) {
    for (int position = 0; position < trace.positions; ++position) {
      for (const Step& step : program.steps) compare_step(trace, position, step);
    }
  }

  void compare_step(const HostTrace& trace, int position, const Step& step) {
    const Kernel& kernel = program.kernels[static_cast<size_t>(step.kernel)];
    for (int repetition = 0; repetition < step.repeat; ++repetition) {
      size_t bit = 0;
      for (size_t port = 0; port < kernel.outputs.size(); ++port) {
        const Destination& d = step.outputs[port];
        const Tensor& tensor = program.tensors[static_cast<size_t>(d.tensor)];
        const auto& values = golden[static_cast<size_t>(position)];
        const auto it = values.find(tensor.name);
        for (int word = 0; word < kernel.outputs[port].words; ++word, bit += tensor.encoding.bits) {
          if (it == values.end()) continue;  // an intermediate of this program only; what follows from it is compared
          const int channel = d.first + repetition * d.stride + word;
          compare_value(trace.at(program, d.tensor, position, channel), it->second[static_cast<size_t>(channel)], tensor, channel, position,
                        step, repetition, bit);
        }
      }
    }
  }

  void compare_value(uint64_t code, int64_t expected, const Tensor& tensor, int channel, int position, const Step& step, int repetition,
                     size_t first_bit) {
    ++result.compared;
    const int64_t got = decode(tensor.encoding, static_cast<size_t>(channel), code);
    if (got == expected) return;
    ++result.mismatches;
    if (first) return;
    const int64_t zero = tensor.encoding.zero[tensor.encoding.zero.size() == 1 ? 0 : static_cast<size_t>(channel)];
    const auto wanted = static_cast<uint64_t>((expected - zero) / tensor.encoding.scale);
    uint32_t k = 0;
    while (k + 1 < tensor.encoding.bits && ((code ^ wanted) >> k & 1) == 0) ++k;
    first = Mismatch{engine,
                     position,
                     step.name,
                     program.kernels[static_cast<size_t>(step.kernel)].name,
                     static_cast<size_t>(repetition),
                     first_bit + k,
                     static_cast<int>(wanted >> k & 1),
                     static_cast<int>(code >> k & 1),
                     fmt::format("{}[{}] is {}, should be {}", tensor.name, channel, got, expected)};
  }
};

class Checker {
 public:
  Checker(const Model& model, const CheckParams& params) : model_(model), params_(params) {}

  CheckReport run() {
    report_.positions = static_cast<int>(params_.tokens.size());
    say("cpu: golden code");
    golden_ = golden_traces(model_, params_.tokens);
    program_ = numerics::lower(model_, lower_params());
    for (const engines::Engine* engine : params_.engines) {
      std::optional<Mismatch> first;
      const EngineCheck result = check_engine(*engine, first);
      report_.engines.push_back(result);
      if (!report_.first_mismatch) report_.first_mismatch = first;
    }
    return std::move(report_);
  }

 private:
  void say(const std::string& line) const {
    if (params_.progress) params_.progress(line);
  }

  /// A folder's kernels are those of the tile that it was compiled for.
  numerics::LowerParams lower_params() const {
    const auto folder = params_.from.empty() ? std::nullopt : engines::read_compiled(params_.from, engines::Unlisted::kReport);
    if (!folder) return {{params_.arch.tile_width, params_.arch.tile_height}, params_.optimize};
    const engines::Manifest& m = folder->manifest;
    return {{m.tile_width, m.tile_height}, mapping::parse_optimize(m.optimize), m.defects};
  }

  EngineCheck check_engine(const engines::Engine& engine, std::optional<Mismatch>& first) {
    artefacts_ = changed_artefacts_ = 0;
    if (engine.of_model) return compare_traces(engine.name, golden_, traces_of(engine.of_model(model_), params_.tokens), first);
    if (engine.of_streams) return check_stream(engine, first);
    engines::KernelEngine kernels = make_engine(engine, first);
    HostState state = initial_state(program_);
    const HostTrace trace = run_tokens(program_, state, params_.tokens, [&](int step, const StepBatch& inputs) {
      say(engine.name + ": " + engines::step_line(program_, step));
      return kernels.run(step, inputs);
    });
    Comparison comparison{program_, golden_, engine.name, {engine.name, artefacts_, changed_artefacts_, {}}, std::nullopt};
    comparison.run(trace);
    comparison.result.stats = kernels.stats();
    if (comparison.first) first = comparison.first;
    return comparison.result;
  }

  /// The whole text as one stream, tokens chosen in advance.
  EngineCheck check_stream(const engines::Engine& engine, std::optional<Mismatch>& first) {
    const std::vector<MappedKernel> mapped = mapped_kernels(engine, first);
    engines::StreamsInputs inputs{program_, mapped, params_.arch, {params_.tokens}};
    inputs.keep_values = true;
    inputs.progress = [&](const std::string& line) { say(engine.name + ": " + line); };
    const engines::StreamsResult result = engine.of_streams(inputs);
    Comparison comparison{program_, golden_, engine.name, {engine.name, artefacts_, changed_artefacts_, {}}, std::nullopt};
    comparison.run(result.texts[0].values);
    comparison.result.stats = result.stats;
    if (comparison.first) first = comparison.first;
    return comparison.result;
  }

  engines::KernelEngine make_engine(const engines::Engine& engine, std::optional<Mismatch>& first) {
    rtl::RtlParams rtl = params_.rtl;
    if (!rtl.progress) {
      rtl.progress = [this, &engine](size_t done, size_t total, const std::string& source) {
        say(fmt::format("{}: {} of {} models built, {}", engine.name, done, total, source));
      };
    }
    std::optional<Mismatch> changed_text;
    const auto verilog = [&] {
      std::vector<rtl::RtlSource> sources = rtl_sources(engine, changed_text);
      if (changed_text) first = find_wrong_bit(*changed_text, sources, rtl);
      return sources;
    };
    return engine.of_kernels({program_, [&] { return mapped_kernels(engine, first); }, verilog, rtl});
  }

  /// The folder's kernels in the program's order; differences between them and a fresh mapping are noted.
  std::vector<MappedKernel> mapped_kernels(const engines::Engine& engine, std::optional<Mismatch>& first) {
    const auto folder = params_.from.empty() ? std::nullopt : engines::read_compiled(params_.from, engines::Unlisted::kReport);
    if (!folder) {
      if (!params_.from.empty()) say(fmt::format("{}: {} has no compile.json; mapping now", engine.name, params_.from));
      return mapping::map_kernels(program_, {params_.seed, params_.optimize});
    }
    note_hash(folder->manifest);
    for (const std::string& text : folder->unlisted) note(text);
    mapping::MapParams params{folder->manifest.seed, mapping::parse_optimize(folder->manifest.optimize),
                              mapping::parse_mode(folder->manifest.mode)};
    params.effort = mapping::parse_effort(folder->manifest.effort);
    params.strategy = folder->manifest.strategy;
    params.defects = folder->manifest.defects;
    const auto fresh = mapping::map_kernels(program_, params);
    std::vector<MappedKernel> kernels;
    for (size_t k = 0; k < fresh.size(); ++k) {
      const MappedKernel& artefact = engines::find_kernel(*folder, params_.from, fresh[k].name);
      if (artefact.input_bits != fresh[k].input_bits || artefact.output_bits != fresh[k].output_bits) {
        throw Error(params_.from, "kernel " + artefact.name + " has other inputs or outputs than this model's", "compile the model again");
      }
      artefacts_ += same_model_;
      if (same_model_) {
        if (const auto drift = engines::first_drift(artefact, fresh[k])) {
          note_drift(artefact.name, *drift);
          if (!first) {
            const auto wrong = verify_mapping(program_.kernels[k], artefact);
            first = artefact_mismatch(engine.name, artefact.name, wrong, *drift);
          }
        }
      }
      kernels.push_back(artefact);
    }
    return kernels;
  }

  std::vector<rtl::RtlSource> rtl_sources(const engines::Engine& engine, std::optional<Mismatch>& first) {
    std::vector<rtl::RtlSource> fresh = engines::verilog_sources(program_);
    const auto folder = params_.from.empty() ? std::nullopt : engines::read_verilog(params_.from, engines::Unlisted::kReport);
    if (!folder) return fresh;
    note_hash(folder->manifest);
    for (const std::string& text : folder->unlisted) note(text);
    std::vector<rtl::RtlSource> sources;
    for (const rtl::RtlSource& f : fresh) {
      const auto it =
          std::find_if(folder->kernels.begin(), folder->kernels.end(), [&](const rtl::RtlSource& s) { return s.name == f.name; });
      if (it == folder->kernels.end()) throw Error(params_.from, "kernel " + f.name + " is missing", "write the Verilog again");
      if (rtl::total_width(it->interface.inputs) != rtl::total_width(f.interface.inputs) ||
          rtl::total_width(it->interface.outputs) != rtl::total_width(f.interface.outputs)) {
        throw Error(params_.from, "kernel " + f.name + " has other ports than this model's", "write the Verilog again");
      }
      artefacts_ += same_model_;
      if (same_model_) {
        if (const auto drift = engines::first_drift(*it, f)) {
          note_drift(f.name, *drift);
          if (!first) first = artefact_mismatch(engine.name, f.name, std::nullopt, *drift);
        }
      }
      sources.push_back(*it);
    }
    return sources;
  }

  /// A changed Verilog text, run on random invocations.
  Mismatch find_wrong_bit(const Mismatch& changed, const std::vector<rtl::RtlSource>& sources, const rtl::RtlParams& rtl) const {
    const auto of_kernel = [&](const auto& k) { return k.name == changed.kernel; };
    const auto kernel = std::find_if(program_.kernels.begin(), program_.kernels.end(), of_kernel);
    const auto source = std::find_if(sources.begin(), sources.end(), of_kernel);
    constexpr int kInvocations = 256;
    std::mt19937_64 random(1);
    const BitMatrix inputs = random_invocations(*kernel, kInvocations, random);
    const auto wrong = first_difference(evaluate(kernel->dag, inputs), rtl::build_rtl({*source}, rtl)[0]->run(inputs));
    return artefact_mismatch(changed.engine, changed.kernel, wrong, changed.detail);
  }

  void note_drift(const std::string& kernel, const std::string& drift) {
    ++changed_artefacts_;
    note("kernel " + kernel + " differs from this model's: " + drift);
  }

  /// Several engines may read the same artefacts.
  void note(const std::string& text) {
    auto& notes = report_.artefact_notes;
    if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
  }

  void note_hash(const engines::Manifest& manifest) {
    same_model_ = manifest.source_hash == model_.content_hash;
    if (!same_model_) {
      note(fmt::format("{} was made from other weights or another model file (content {:016x}, now {:016x})", params_.from,
                       manifest.source_hash, model_.content_hash));
    }
  }

  /// Stands until a wrong value at a position is found.
  static Mismatch artefact_mismatch(const std::string& engine, const std::string& kernel, const std::optional<BitDifference>& wrong,
                                    const std::string& drift) {
    Mismatch m{engine, std::nullopt, kernel, kernel, std::nullopt, std::nullopt, 0, 0, drift};
    if (wrong) {
      m.invocation = wrong->invocation;
      m.bit = wrong->bit;
      m.expected = wrong->expected;
      m.got = wrong->got;
      m.detail = "random invocations; " + drift;
    }
    return m;
  }

  const Model& model_;
  const CheckParams& params_;
  CheckReport report_;
  Program program_;
  std::vector<cpu::Trace> golden_;
  bool same_model_ = true;
  uint64_t artefacts_ = 0, changed_artefacts_ = 0;  // of the current engine
};

}  // namespace

bool CheckReport::ok() const {
  return !first_mismatch && artefact_notes.empty() &&
         std::all_of(engines.begin(), engines.end(), [](const EngineCheck& e) { return e.mismatches == 0; });
}

CheckReport check_model(const Model& model, const CheckParams& params) {
  return Checker(model, params).run();
}

std::vector<int> positions_to_check(const Model& model, const std::string& prompt, int positions, const std::string& temperature,
                                    uint32_t seed) {
  std::vector<int> tokens = engines::tokenise(model, engines::normalise_prompt(model, prompt));
  tokens.resize(std::min(tokens.size(), static_cast<size_t>(positions)));
  const cpu::CpuEngine engine(model);
  cpu::CpuState state = engine.start();
  engines::Sampler sampler = temperature.empty() ? engines::greedy_sampler() : engines::temperature_sampler(model, temperature, seed);
  std::vector<int64_t> z;
  for (const int t : tokens) z = engine.step(state, t);
  while (tokens.size() < static_cast<size_t>(positions)) {
    tokens.push_back(engines::next_token(sampler, z));
    z = engine.step(state, tokens.back());
  }
  return tokens;
}

}  // namespace bitgrid::check
