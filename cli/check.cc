// bitgrid check: engines side by side, the first difference named.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "check/check_model.h"
#include "check/prove_rtl.h"
#include "cli/against.h"
#include "cli/check_scaled.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/model_options.h"
#include "cli/network.h"
#include "cli/numbers.h"
#include "cli/source.h"
#include "engines/artefacts.h"
#include "engines/network_source.h"
#include "engines/sampling.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::cli {
namespace {

struct CheckOptions {
  Common common;
  std::string model, engines, from, prompt, temperature, arch, optimize = "area";
  int tokens = 16;
  bool prove = false;
  int prove_timeout = 300;
  std::string kernel;
  std::string text, prompt_ids, against;
  ModelOptions scales;
  NetworkOptions network;
};

std::string default_engines(const CheckOptions& o) {
  if (o.from.empty()) return engines::kDefaultEngines.check;
  const bool compiled = is_there(o.from + "/compile.json"), verilog = is_there(o.from + "/verilog.json");
  if (!compiled && !verilog)
    throw Error(o.from, "there is neither compile.json nor verilog.json", "give the -o folder of `bitgrid compile` or `bitgrid verilog`");
  return engines::default_engines_of_folder(compiled, verilog);
}

Json mismatch_json(const std::optional<check::Mismatch>& m) {
  if (!m) return nullptr;
  Json json = {{"engine", m->engine}, {"position", nullptr},   {"step", m->step},
               {"kernel", m->kernel}, {"invocation", nullptr}, {"bit", nullptr}};
  if (m->position) json["position"] = *m->position;
  if (m->invocation) json["invocation"] = *m->invocation;
  if (m->bit) json["bit"] = *m->bit;
  json["expected"] = m->expected;
  json["got"] = m->got;
  json["detail"] = m->detail;
  return json;
}

void print(const check::CheckReport& report) {
  for (const std::string& note : report.artefact_notes) std::cout << note << "\n";
  uint64_t compared = 0, mismatches = 0;
  for (const check::EngineCheck& e : report.engines) {
    std::cout << fmt::format("{:6} {:>10} values compared, {} mismatches{}\n", e.engine, e.compared, e.mismatches,
                             engines::find_engine(e.engine).of_model ? "  (packed kernels against the golden code)" : "");
    compared += e.compared;
    mismatches += e.mismatches;
  }
  if (const auto& m = report.first_mismatch) {
    std::cout << fmt::format("first mismatch: engine {}, ", m->engine);
    if (m->position) std::cout << fmt::format("position {}, ", *m->position);
    std::cout << fmt::format("step {}, kernel {}", m->step, m->kernel);
    if (m->bit)
      std::cout << fmt::format(", invocation {}, bit {}: expected {}, got {}", m->invocation.value_or(0), *m->bit, m->expected, m->got);
    std::cout << fmt::format(" ({})\n", m->detail);
  }
  const size_t notes = report.artefact_notes.size();
  const std::string but =
      notes == 0 ? "" : fmt::format(", but the folder does not match this model ({} note{} above)", notes, notes == 1 ? "" : "s");
  std::cout << fmt::format("{} mismatches in {} values at {} positions{}\n", mismatches, compared, report.positions, but);
}

/// The Verilog to prove: what the source gives now, or what a folder holds.
std::vector<rtl::RtlSource> verilog_to_prove(const CheckOptions& o, const Program& program) {
  if (o.from.empty()) return engines::verilog_sources(program);
  const auto folder = engines::read_verilog(o.from, engines::Unlisted::kReport);
  if (!folder) throw Error(o.from, "there is no verilog.json", "give the -o folder of `bitgrid verilog`");
  for (const std::string& text : folder->unlisted) std::cout << text << "\n";
  std::vector<rtl::RtlSource> sources;
  for (const Kernel& kernel : program.kernels) {
    const auto it =
        std::find_if(folder->kernels.begin(), folder->kernels.end(), [&](const rtl::RtlSource& s) { return s.name == kernel.name; });
    if (it == folder->kernels.end()) throw Error(o.from, "kernel " + kernel.name + " is missing", "write the Verilog again");
    sources.push_back(*it);
  }
  return sources;
}

std::string verdict_text(const check::Proof& proof, const Dag& dag) {
  if (proof.verdict == check::Verdict::kProved) return "proved";
  if (proof.verdict == check::Verdict::kOpen) return "not proved: " + proof.why;
  return "REFUTED: " + (proof.why.empty() ? check::describe_values(proof.counterexample, dag) : proof.why);
}

int prove(const CheckOptions& o) {
  const Arch arch = arch_of(o.arch);
  const engines::KernelSource source =
      read_source(o.model, {{{arch.tile_width, arch.tile_height}, mapping::parse_optimize(o.optimize)}, o.network.grid});
  const Program& program = source.program;
  const std::vector<rtl::RtlSource> verilog = verilog_to_prove(o, program);
  check::ProveRtlParams params;
  params.abc.timeout_seconds = params.yosys_timeout_seconds = o.prove_timeout;
  check::require_abc(params.abc);
  Json json = {{"source", o.model}, {"kernels", Json::array()}};
  size_t count[3] = {};
  Stopwatch watch;
  std::cout << fmt::format("{:24} {:>9} {:>9} {:>8} {:>8}  verdict\n", "datapath of kernel", "gates", "registers", "Yosys s", "total s");
  for (size_t k = 0; k < program.kernels.size(); ++k) {
    const Kernel& kernel = program.kernels[k];
    if (!o.kernel.empty() && kernel.name != o.kernel) continue;
    check::ProveRtlStats stats;
    const check::Proof proof = check::prove_datapath(kernel.dag, verilog[k], params, &stats);
    const std::string verdict = verdict_text(proof, kernel.dag);
    ++count[static_cast<size_t>(proof.verdict)];
    std::cout << fmt::format("{:24} {:>9} {:>9} {:>8.1f} {:>8.1f}  {}\n", kernel.name, stats.gates, stats.registers, stats.yosys_seconds,
                             stats.seconds, verdict)
              << std::flush;
    Json entry = {{"name", kernel.name},  {"proved", proof.verdict == check::Verdict::kProved},
                  {"gates", stats.gates}, {"registers", stats.registers},
                  {"parts", stats.parts}, {"seconds", stats.seconds}};
    if (proof.verdict == check::Verdict::kOpen) {
      entry["proved"] = nullptr;
      entry["not_proved_because"] = proof.why;
    }
    if (proof.verdict == check::Verdict::kRefuted) entry["refuted"] = verdict;
    json["kernels"].push_back(entry);
  }
  const size_t total = count[0] + count[1] + count[2];
  if (total == 0) throw Error("--kernel", "there is no kernel " + o.kernel, "`bitgrid verilog` lists them");
  std::cout << fmt::format("{} of {} proved for all inputs, {} refuted, {} open\n", count[static_cast<size_t>(check::Verdict::kProved)],
                           total, count[static_cast<size_t>(check::Verdict::kRefuted)], count[static_cast<size_t>(check::Verdict::kOpen)]);
  json["seconds"] = watch.lap();
  write_json(o.common, json);
  return count[static_cast<size_t>(check::Verdict::kRefuted)] == 0 ? 0 : 1;
}

/// Arrays in place of engines.
int check_arrays(const CheckOptions& o) {
  if (!o.engines.empty() || !o.from.empty() || !o.arch.empty() || !o.text.empty() || !o.prompt_ids.empty())
    throw Error("--against", "arrays are compared with engine cpu alone, without --engines, --from, --arch, --text and --prompt-ids",
                "leave those out");
  refuse_model_options(o.scales);
  if (!engines::is_network(o.model)) refuse_network_options(o.network);
  if (!engines::is_network(o.model) && engines::is_scaled_model(o.model))
    throw Error("--against", "models with scales are not compared with arrays",
                "give a network as ONNX, or a model.yaml of integers alone");
  return check_against({o.common, o.model, o.against, o.network, o.scales.threads, o.prompt, o.temperature, o.tokens});
}

int check(const CheckOptions& o) {
  if (o.prove) return prove(o);
  if (!o.against.empty()) return check_arrays(o);
  if (engines::is_network(o.model)) {
    if (!o.prompt.empty() || !o.prompt_ids.empty() || !o.text.empty() || !o.arch.empty() || !o.from.empty() || !o.temperature.empty())
      throw Error(o.model, "a network is checked on samples, without prompts, texts, architecture files or folders",
                  "give --input X.npy alone");
    refuse_model_options(o.scales);
    return check_network_model({o.common, o.model, o.engines, o.optimize, o.network, o.scales.threads});
  }
  refuse_network_options(o.network);
  if (engines::is_scaled_model(o.model)) {
    if (!o.from.empty()) throw Error("--from", "models with scales are not compiled", "leave it out");
    if (!o.arch.empty()) throw Error("--arch", kNoTiles, "leave it out");
    if (!o.temperature.empty()) throw Error("--temperature", "models with scales continue a prompt greedily here", "leave it out");
    return check_scaled_model({o.common, o.model, o.engines, o.text, o.prompt, o.prompt_ids, o.tokens, o.scales});
  }
  if (!o.text.empty() || !o.prompt_ids.empty())
    throw Error(o.text.empty() ? "--prompt-ids" : "--text", "this model has its own characters as tokens: it is checked with --prompt",
                "give --prompt");
  refuse_model_options(o.scales);
  const Model model = read_model(o.model);
  Progress progress;
  check::CheckParams params;
  params.engines = engines::find_engines(o.engines.empty() ? default_engines(o) : o.engines);
  params.tokens = check::positions_to_check(model, o.prompt, o.tokens, o.temperature, static_cast<uint32_t>(o.common.seed));
  params.from = o.from;
  params.seed = o.common.seed;
  params.optimize = mapping::parse_optimize(o.optimize);
  params.arch = arch_of(o.arch);
  params.progress = [&](const std::string& line) { progress.say(line); };
  Stopwatch watch;
  const check::CheckReport report = check::check_model(model, params);
  progress.clear();
  print(report);
  Json json = {{"model", model.name}, {"positions", report.positions}, {"engines", Json::object()}};
  for (const check::EngineCheck& e : report.engines) json["engines"][e.engine] = {{"compared", e.compared}, {"mismatches", e.mismatches}};
  json["first_mismatch"] = mismatch_json(report.first_mismatch);
  json["artefacts"] = report.artefact_notes;
  json["seed"] = o.common.seed;
  json["seconds"] = watch.lap();
  write_json(o.common, json);
  return report.ok() ? 0 : 1;
}

}  // namespace

void define_check(CLI::App& command, int& status) {
  auto o = std::make_shared<CheckOptions>();
  command
      .add_option("model", o->model,
                  "model.yaml, a GGUF file, a Hugging Face folder or a network as ONNX; with --prove also a .blif or .dag file")
      ->required();
  command.add_option("--engines", o->engines,
                     fmt::format("list of {}; default: {}, or with --from what the folder holds", engines::engine_names(),
                                 engines::kDefaultEngines.check));
  command.footer("Engines:\n" + engines::list_engines());
  add_number<int>(command, "--tokens", o->tokens, {1, 1000000}, "positions to compare");
  command.add_option("--prompt", o->prompt, "text of the first positions; the CPU engine continues it as `run` would");
  command.add_option("--prompt-ids", o->prompt_ids, "models with scales: the same as token ids, such as 1,2,3");
  command.add_option("--text", o->text, "models with scales: compare over the windows of this text, with engine float by probabilities");
  add_model_options(command, o->scales);
  add_network_options(command, o->network, false);
  command.add_option(
      "--against", o->against,
      "instead of running engines, compare the arrays of this .npz file (numpy.savez), named by layer, with the exact integers");
  command.add_option("--temperature", o->temperature, "continue the prompt by sampling with --seed, as `run --temperature` does");
  command.add_option("--from", o->from, "use the artefacts in this folder (from compile or verilog) unchanged");
  command.add_option(
      "--arch", o->arch,
      "architecture file: layers larger than its tile are cut (with --from: as they were compiled); memories and buses around the tiles");
  command
      .add_option("--optimize", o->optimize,
                  "goal of the mapping: area (fewest cells), throughput (smallest II) or density (least cells times II)")
      ->capture_default_str();
  command.add_flag("--prove", o->prove,
                   "instead of running engines, prove the datapath Verilog of every kernel equal to its Dag for all inputs (Yosys, ABC)");
  add_number<int>(command, "--prove-timeout", o->prove_timeout, {1, 1000000}, "seconds for each of the two, per kernel");
  command.add_option("--kernel", o->kernel, "--prove: only this kernel");
  add_common(command, o->common, engines::kMostSamplingSeed);
  command.callback([o, &status] { status = check(*o); });
}

}  // namespace bitgrid::cli
