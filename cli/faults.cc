// bitgrid faults: which single faults of the fabric change what a mapped kernel computes.
#include <fmt/format.h>

#include <array>
#include <iostream>
#include <memory>
#include <random>

#include "bitgrid_sim/faults.h"
#include "bitgrid_sim/kernel_schedule.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/numbers.h"
#include "cli/stimulus.h"
#include "engines/artefacts.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::cli {
namespace {

constexpr std::array<std::string_view, 5> kKinds = {"stuck0", "stuck1", "flip", "config", "upset"};

struct FaultsOptions {
  Common common;
  std::string folder, kernel, stimulus, faults, missed, kinds = "stuck0,stuck1";
  size_t invocations = 64, sample = 0, threads = 1;
};

sim::FaultListParams parse_kinds(const std::string& text) {
  sim::FaultListParams params;
  bool* const flags[] = {&params.stuck0, &params.stuck1, &params.flip, &params.config, &params.upset};
  for (bool* flag : flags) *flag = false;
  std::istringstream list(text);
  for (std::string item; std::getline(list, item, ',');) {
    const auto kind = std::find(kKinds.begin(), kKinds.end(), item);
    if (kind == kKinds.end())
      throw Error("--kinds", "'" + item + "' is not a kind of fault", "choose from stuck0, stuck1, flip, config, upset");
    *flags[kind - kKinds.begin()] = true;
  }
  return params;
}

BitMatrix random_stimulus(size_t rows, uint32_t bits, std::mt19937_64& random) {
  BitMatrix inputs(rows, bits);
  for (size_t r = 0; r < rows; ++r) {
    for (uint32_t b = 0; b < bits; ++b) inputs.set(r, b, random() & 1u);
  }
  return inputs;
}

/// Of a kind: how many there were, can be seen, were.
struct Count {
  size_t faults = 0, observable = 0, detected = 0;
};

std::string_view kind_of(const sim::Fault& fault) {
  const bool upset = fault.kind == sim::FaultKind::kFlip && fault.first == fault.last;
  return kKinds[upset ? 4 : static_cast<size_t>(fault.kind)];
}

void faults(const FaultsOptions& o) {
  const auto folder = engines::read_compiled(o.folder);
  if (!folder) throw Error(o.folder, "there is no compile.json in this folder", "give the -o folder of `bitgrid compile`");
  const MappedKernel& kernel = engines::find_kernel(*folder, o.folder, o.kernel);
  std::mt19937_64 random(o.common.seed);
  const BitMatrix inputs =
      o.stimulus.empty() ? random_stimulus(o.invocations, kernel.input_bits, random) : read_invocations(o.stimulus, kernel.input_bits);
  sim::FaultListParams list = parse_kinds(o.kinds);
  const sim::KernelSchedule schedule = sim::make_schedule(kernel);
  list.upset_phases = static_cast<int64_t>(inputs.rows) * schedule.period + schedule.last_phase;
  list.sample = o.sample;
  const std::vector<sim::Fault> all =
      o.faults.empty() ? sim::list_faults(kernel.grid, list, random)
                       : sim::parse_faults(read_file(o.faults, kMostFaultBytes), o.faults, kernel.grid.width, kernel.grid.height);
  Progress progress;
  sim::CampaignParams params;
  params.threads = o.threads;
  params.progress = [&](size_t done, size_t total) { progress.say(fmt::format("{} of {} faults that can be seen", done, total)); };
  Stopwatch watch;
  sim::CampaignStats stats;
  const std::vector<sim::FaultOutcome> outcomes = sim::run_campaign(kernel, inputs, all, params, &stats);
  progress.clear();
  const double seconds = watch.lap();

  std::array<Count, kKinds.size()> counts;
  Count sum;
  std::vector<sim::Fault> missed;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto kind = static_cast<size_t>(std::find(kKinds.begin(), kKinds.end(), kind_of(all[i])) - kKinds.begin());
    for (Count* c : {&counts[kind], &sum}) {
      ++c->faults;
      c->observable += outcomes[i].observable;
      c->detected += outcomes[i].detected;
    }
    if (outcomes[i].observable && !outcomes[i].detected) missed.push_back(all[i]);
  }
  std::cout << fmt::format("kernel {}, {} invocations{}\n", kernel.name, inputs.rows, o.stimulus.empty() ? " at random" : "");
  std::cout << fmt::format("{:8} {:>10} {:>12} {:>16}\n", "kind", "faults", "on a path", "change an output");
  Json json_kinds = Json::object();
  for (size_t k = 0; k < kKinds.size(); ++k) {
    const Count& c = counts[k];
    if (c.faults == 0) continue;
    std::cout << fmt::format("{:8} {:>10} {:>12} {:>16}\n", kKinds[k], c.faults, c.observable, c.detected);
    json_kinds[std::string(kKinds[k])] = {{"faults", c.faults}, {"observable", c.observable}, {"detected", c.detected}};
  }
  std::cout << fmt::format("{} of {} single faults change an output ({:.1f} % of those on a path to one)\n", sum.detected, sum.faults,
                           sum.observable == 0 ? 0.0 : 100.0 * static_cast<double>(sum.detected) / static_cast<double>(sum.observable));
  if (!o.missed.empty()) write_file(o.missed, sim::print_faults(missed));
  write_json(o.common, {{"kernel", kernel.name},
                        {"invocations", inputs.rows},
                        {"faults", sum.faults},
                        {"observable", sum.observable},
                        {"detected", sum.detected},
                        {"kinds", json_kinds},
                        {"passes", stats.passes},
                        {"cell_updates", stats.cell_updates},
                        {"seed", o.common.seed},
                        {"seconds", seconds}});
}

}  // namespace

void define_faults(CLI::App& command, int&) {
  auto o = std::make_shared<FaultsOptions>();
  command.add_option("folder", o->folder, "the folder of a compile")->required();
  command.add_option("--kernel", o->kernel, "kernel of the folder");
  command.add_option("--stimulus", o->stimulus, "JSON lines, invocations {\"in\": \"HEX\"}; if not given: random bits");
  add_number<size_t>(command, "--invocations", o->invocations, {1, 1000000}, "random invocations");
  command
      .add_option("--kinds", o->kinds,
                  "kinds of faults: stuck0, stuck1, flip (always), config (a wrong bit), upset (a flip in one random phase)")
      ->capture_default_str();
  add_number<size_t>(command, "--sample", o->sample, {0, size_t{1} << 40}, "number of faults to draw at random; 0: all of them");
  command.add_option("--faults", o->faults,
                     "these faults instead, each on its own: lines stuck0|stuck1|flip X Y [NESW] [FIRST[-LAST]], config X Y BIT");
  command.add_option("--missed", o->missed, "write the faults on a path to an output that changed no output to this file");
  add_number<size_t>(command, "--threads", o->threads, {1, kMostThreads}, "threads that work on the faults");
  add_common(command, o->common);
  command.callback([o] { faults(*o); });
}

}  // namespace bitgrid::cli
