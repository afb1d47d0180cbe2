// bitgrid compile: a model, a netlist or a kernel onto the grid.
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <mutex>
#include <numeric>

#include "check/verify_kernel.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/compile_report.h"
#include "cli/numbers.h"
#include "cli/source.h"
#include "engines/artefacts.h"
#include "frontend/defects_file.h"
#include "ir/error.h"
#include "ir/output_file.h"
#include "ir/parallel.h"
#include "lowering/mapping/map.h"

namespace bitgrid::cli {
namespace {

struct CompileOptions {
  Common common;
  std::string source, out, arch, defects, mode = "auto", optimize = "area", effort = "default", strategy, grid;
  bool no_verify = false, prove = false, again = false;
  int prove_timeout = 60;
  ModelOptions scales;
  int threads = all_threads();
};

mapping::MapParams map_params(const CompileOptions& o, const Defects& defects) {
  mapping::MapParams params{o.common.seed};
  params.mode = mapping::parse_mode(o.mode);
  params.optimize = mapping::parse_optimize(o.optimize);
  params.effort = mapping::parse_effort(o.effort);
  params.defects = defects;
  params.strategy = o.strategy;
  if (!o.strategy.empty()) mapping::find_strategy(o.strategy);
  return params;
}

/// One compile from source to files.
class Compile {
 public:
  Compile(const CompileOptions& o, const engines::KernelSource& source, const mapping::Tile& tile, const Defects& defects)
      : o_(o), source_(source), tile_(tile), program_(source.program), params_(map_params(o, defects)), results_(program_.kernels.size()) {}

  void map() {
    for (size_t k = 0; k < program_.kernels.size(); ++k) keys_.push_back(mapping::mapping_key(program_.kernels[k], params_));
    // What is not verified is neither reused nor left for others to reuse.
    const engines::EarlierCompile earlier(o_.no_verify || o_.again ? "" : o_.out);
    std::vector<mapping::KernelReport> reports;
    mapping::MapRun run;
    run.threads = o_.threads;
    run.reports = &reports;
    run.reuse = [&](size_t k) { return earlier.load(keys_[k]); };
    run.progress = [&](size_t done, size_t total, const std::string& kernel) {
      progress_.say(fmt::format("mapping kernel {} of {}, {}", done + 1, total, kernel));
    };
    try {
      mapped = mapping::map_kernels(source_.program, params_, run);
    } catch (const Error& e) {
      const std::string picture = write_congestion(o_.out, reports, program_.kernels);
      if (picture.empty()) throw;
      throw Error("", e.what(), "congestion picture: " + picture);
    }
    mapping::require_fit(mapped, tile_);
    for (size_t k = 0; k < mapped.size(); ++k) {
      KernelResult& r = results_[k];
      r.report = std::move(reports[k]);
      if (const engines::KernelRecord* record = r.report.reused ? earlier.find(keys_[k]) : nullptr) {
        r.luts = record->luts;
        r.depth = record->depth;
      } else if (r.report.size) {
        r.luts = r.report.size->luts;
        r.depth = r.report.size->depth;
      }
    }
  }

  /// All that is new. Throws Error at the first kernel that is wrong.
  void verify() {
    for_kernels("verifying", [&](size_t k) {
      if (results_[k].report.reused) return;
      Stopwatch watch;
      check::VerifyParams params;
      params.defects = params_.defects;
      check::require_verified(program_.kernels[k], mapped[k], params, &results_[k].verify);
      results_[k].verify_seconds = watch.lap();
    });
  }

  /// Throws Error at the first kernel that is refuted.
  void prove() {
    check::ProveParams params;
    params.timeout_seconds = o_.prove_timeout;
    params.source_blif = source_.blif;
    for_kernels("proving", [&](size_t k) {
      results_[k].proof = check::prove_mapping(program_.kernels[k].dag, mapped[k], params, &results_[k].prove);
      if (results_[k].proof->verdict == check::Verdict::kRefuted) {
        throw Error("kernel " + mapped[k].name, "the mapping is refuted: " + check::describe(results_[k].proof->counterexample),
                    "this is a bug in the mapper; nothing was written; please report it with the source file");
      }
    });
  }

  void write(OutputFolder& folder) const {
    std::vector<engines::KernelRecord> records;
    for (size_t k = 0; k < mapped.size(); ++k) records.push_back({o_.no_verify ? 0 : keys_[k], 0, results_[k].luts, results_[k].depth});
    engines::write_compiled(folder,
                            {program_.name, source_.hash, o_.common.seed, o_.optimize, o_.mode, o_.effort, o_.strategy, params_.defects,
                             tile_.width, tile_.height},
                            mapped, records);
  }

  size_t reused() const {
    return static_cast<size_t>(std::count_if(results_.begin(), results_.end(), [](const KernelResult& r) { return r.report.reused; }));
  }
  const std::vector<KernelResult>& results() const { return results_; }
  const Defects& defects() const { return params_.defects; }
  void end_progress() { progress_.clear(); }

  std::vector<MappedKernel> mapped;

 private:
  template <typename Body>
  void for_kernels(const char* what, Body body) {
    std::mutex mutex;
    parallel_for(mapped.size(), o_.threads, [&](size_t k) {
      {
        const std::lock_guard lock(mutex);
        progress_.say(fmt::format("{} kernel {} of {}, {}", what, k + 1, mapped.size(), mapped[k].name));
      }
      body(k);
    });
  }

  const CompileOptions& o_;
  const engines::KernelSource& source_;
  const mapping::Tile tile_;
  const Program& program_;
  mapping::MapParams params_;
  std::vector<uint64_t> keys_;
  std::vector<KernelResult> results_;
  Progress progress_;
};

void compile(const CompileOptions& o) {
  const Arch arch = arch_of(o.arch);
  if (o.prove) check::require_abc();
  Stopwatch watch;
  const mapping::Tile tile{arch.tile_width, arch.tile_height};
  const Defects defects = o.defects.empty() ? Defects{} : frontend::load_defects(o.defects);
  OutputFolder folder(o.out);  // before anything is read of it
  const engines::KernelSource source = read_source(o.source, {{tile, mapping::parse_optimize(o.optimize), defects}, o.grid, o.scales});
  const Program& program = source.program;
  Json seconds = {{"lower", watch.lap()}};
  Compile compile(o, source, tile, defects);
  compile.map();
  seconds["map"] = watch.lap();
  if (!o.no_verify) compile.verify();
  seconds["verify"] = watch.lap();
  if (o.prove) compile.prove();
  seconds["prove"] = watch.lap();
  compile.end_progress();
  compile.write(folder);

  const auto& mapped = compile.mapped;
  Json json = {{"seed", o.common.seed}, {"arch", arch_json(arch)}, {"optimize", o.optimize}, {"mode", o.mode}, {"effort", o.effort}};
  json["strategy"] = o.strategy.empty() ? Json() : Json(o.strategy);
  json["kernels"] = Json::array();
  int64_t cells_total = 0;
  for (size_t k = 0; k < mapped.size(); ++k) {
    cells_total += static_cast<int64_t>(mapped[k].grid.cells.size()) * tiles(program, k, mapped[k]);
    json["kernels"].push_back(kernel_json(program, k, mapped[k], compile.results()[k]));
  }
  json["kernels_reused"] = compile.reused();
  json["cells_total"] = cells_total;
  std::cout << kernel_table(program, mapped, compile.results());
  if (source.is_model) {
    const mapping::TokenCycles cycles = mapping::cycles_per_token(program, mapped, arch.configuration_bits_per_cycle);
    json["cycles_per_token"] = cycles.total();
    json["configuration_cycles_per_token"] = cycles.configuration;
    std::cout << fmt::format("{} cells on {} kernels; {} cycles per token, {} of them configuration ({} bits per cycle)\n", cells_total,
                             mapped.size(), cycles.total(), cycles.configuration, arch.configuration_bits_per_cycle);
    std::cout << "bit-MACs: products of a weight and an activation bit, per cell and cycle at full rate\n";
  } else {
    std::cout << fmt::format("{} cells\n", cells_total) << stage_table(mapped[0], compile.results()[0]);
  }
  if (!o.defects.empty()) {
    json["defects"] = defects_json(program, compile.defects(), mapped, compile.results());
    std::cout << defects_table(json["defects"]);
  }
  if (compile.reused() > 0) std::cout << fmt::format("reused {} of {} kernels\n", compile.reused(), mapped.size());
  if (o.prove) std::cout << proof_summary(mapped, compile.results());
  json["seconds"] = seconds;
  std::cout << fmt::format("lowered in {:.2f} s, mapped in {:.2f} s, {}{}; written to {}\n", seconds["lower"].get<double>(),
                           seconds["map"].get<double>(),
                           o.no_verify ? std::string("not verified") : fmt::format("verified in {:.2f} s", seconds["verify"].get<double>()),
                           o.prove ? fmt::format(", proofs in {:.2f} s", seconds["prove"].get<double>()) : std::string(), o.out);
  write_json(o.common, json);
}

}  // namespace

void define_compile(CLI::App& command, int&) {
  auto o = std::make_shared<CompileOptions>();
  command.add_option("source", o->source, "MODEL.yaml, NETWORK.onnx, NETLIST.blif or KERNEL.dag")->required();
  command
      .add_option("-o,--output", o->out, "folder for the mapped kernels; unchanged kernels from an earlier compilation there are reused")
      ->required();
  command.add_option("--input-grid", o->grid, kInputGridHelp);
  add_lowering_options(command, o->scales);
  command.add_option("--arch", o->arch, "architecture file (arch/default.yaml documents it)");
  command.add_option("--defects", o->defects, "YAML list of bad cells and edges of the tile, which every kernel avoids");
  command.add_option("--mode", o->mode, "mode of netlists and kernels: auto, wave (II = 1) or settle (inputs held)")->capture_default_str();
  command.add_option("--effort", o->effort, "effort for netlists: fast (quick, more cells), default or dense (fewest cells, slow)")
      ->capture_default_str();
  command
      .add_option("--optimize", o->optimize,
                  "goal if a matrix has several forms: area (fewest cells), throughput (smallest II) or density (least cells times II)")
      ->capture_default_str();
  command.add_option("--strategy", o->strategy, "use this strategy for the kernels it is made for; other kernels are mapped as usual");
  command.footer("Strategies (docs/architecture.md):\n" + mapping::list_strategies());
  command.add_flag("--no-verify", o->no_verify, "do not simulate the mapped kernels against their Dags (and reuse nothing)");
  command.add_flag("--prove", o->prove, "prove with ABC (berkeley-abc) that the configuration has the logic of the source");
  add_number<int>(command, "--prove-timeout", o->prove_timeout, {1, 1000000}, "seconds for each kernel");
  command.add_flag("--again", o->again, "map everything again, reuse nothing");
  add_number<int>(command, "--threads", o->threads, {1, kMostThreads}, "kernels mapped in parallel; the result does not depend on it");
  add_common(command, o->common);
  command.callback([o] { compile(*o); });
}

}  // namespace bitgrid::cli
