// bitgrid sweep: estimates over ranges of parameters.
#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/numbers.h"
#include "estimate/sweep.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_text.h"
#include "ir/output_file.h"
#include "ir/parallel.h"
#include "report/sweep_page.h"

namespace bitgrid::cli {
namespace {

struct SweepOptions {
  Common common;
  std::string file, out, slurm, parallel;
  std::optional<size_t> point;
  int threads = all_threads();
};

/// A path in a shell, from any folder. `what` it is the path of.
std::string quoted(const std::string& what, const std::string& path) {
  const std::string absolute = std::filesystem::absolute(path).string();
  if (absolute.find_first_of("\n\r") != std::string::npos)
    throw Error(what, "its path has a line break, which a list of jobs cannot hold", "rename it");
  std::string out = "'";
  for (const char c : absolute) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// The command that makes one point; `n` is a number or a shell variable. A job may have another PATH.
std::string point_command(const SweepOptions& o, const std::string& n) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  return quoted("the program", program) + " sweep " + quoted("SWEEP.yaml", o.file) + " -o " + quoted("-o", o.out) + " --point " + n;
}

/// Slurm takes no more tasks in an array unless it is configured to (MaxArraySize).
constexpr size_t kMostTasks = 1001;

struct SlurmArray {
  size_t each;  // points of a task
  size_t tasks;
};
SlurmArray slurm_array(size_t points) {
  const size_t each = (points + kMostTasks - 1) / kMostTasks;
  return {each, (points + each - 1) / each};
}

std::string slurm_job(const SweepOptions& o, size_t points) {
  const auto [each, tasks] = slurm_array(points);
  return fmt::format(R"(#!/bin/sh
#SBATCH --job-name=bitgrid-sweep
#SBATCH --array=0-{}
point=$((SLURM_ARRAY_TASK_ID * {}))
end=$((point + {}))
if [ "$end" -gt {} ]; then end={}; fi
status=0
while [ "$point" -lt "$end" ]; do
  {} || status=1
  point=$((point + 1))
done
exit $status
)",
                     tasks - 1, each, each, points, points, point_command(o, "\"$point\""));
}

void write_jobs(const SweepOptions& o, size_t points) {
  if (!o.slurm.empty()) {
    write_file(o.slurm, slurm_job(o, points));
    std::cout << fmt::format("{}: {} points in {} jobs; sbatch it, and then run this command without --slurm to collect\n", o.slurm, points,
                             slurm_array(points).tasks);
  }
  if (!o.parallel.empty()) {
    std::string lines;
    for (size_t n = 0; n < points; ++n) lines += point_command(o, std::to_string(n)) + "\n";
    write_file(o.parallel, lines);
    std::cout << fmt::format("{}: {} jobs; `parallel < {}`, and then run this command without --parallel to collect\n", o.parallel, points,
                             o.parallel);
  }
}

void sweep(const SweepOptions& o) {
  const estimate::Sweep s = estimate::read_sweep(o.file);
  const estimate::EstimateModel model = estimate::read_estimate_model(s.model);
  const size_t count = s.points();
  make_folders(o.out);
  make_folders(o.out + "/points");
  if (!o.slurm.empty() || !o.parallel.empty()) return write_jobs(o, count);
  std::mutex mutex;
  std::set<std::string> warned;  // points share their model
  const auto make = [&](size_t n) {
    std::vector<std::string> warnings;
    Json point = estimate::run_point(s, model, n, &warnings);
    {
      const std::lock_guard lock(mutex);
      for (const std::string& warning : warnings)
        if (warned.insert(warning).second) say_error("warning: " + warning);
    }
    write_file(estimate::point_path(o.out, n), json_text(point, 1) + "\n");
    return point;
  };
  if (o.point) {
    if (*o.point >= count) throw Error("--point", fmt::format("there is no point {}", *o.point), fmt::format("give 0 .. {}", count - 1));
    make(*o.point);
    return;
  }
  Stopwatch watch;
  Progress progress;
  std::vector<Json> points(count);
  std::atomic<size_t> done = 0, reused = 0;
  parallel_for(count, o.threads, [&](size_t n) {
    points[n] = estimate::load_point(s, model, o.out, n);
    if (points[n].is_null()) {
      points[n] = make(n);
    } else {
      ++reused;
    }
    const std::lock_guard lock(mutex);
    progress.say(fmt::format("{} of {} points", ++done, count));
  });
  progress.clear();
  Json json = {{"model", s.model},
               {"minimise", s.minimise},
               {"maximise", s.maximise},
               {"points", points},
               {"front", estimate::pareto_front(s, points)}};
  write_file(o.out + "/sweep.csv", estimate::sweep_csv(s, points));
  write_file(o.out + "/sweep.json", json_text(json, 1) + "\n");
  write_file(o.out + "/pareto.html", report::sweep_page(s, points));
  const double seconds = watch.lap();
  std::cout << fmt::format("{} points in {:.2f} s ({} of them there already), {} on the front; {}/sweep.csv, sweep.json, pareto.html\n",
                           count, seconds, reused.load(), json["front"].size(), o.out);
  json["seconds"] = seconds;
  json["points_reused"] = reused.load();
  write_json(o.common, json);
}

}  // namespace

void define_sweep(CLI::App& command, int&) {
  auto o = std::make_shared<SweepOptions>();
  command.add_option("sweep", o->file, "SWEEP.yaml (docs/estimate.md)")->required();
  command.add_option("-o,--output", o->out, "folder for points, tables and page")->required();
  add_number<int>(command, "--threads", o->threads, {1, kMostThreads}, "points computed in parallel");
  command.add_option("--slurm", o->slurm, "write this Slurm job array instead of running");
  command.add_option("--parallel", o->parallel, "write this list of commands for GNU parallel instead of running");
  add_number<size_t>(command, "--point", o->point, {0, estimate::kMaxSweepPoints - 1}, "compute only this point (as the jobs do)");
  add_common(command, o->common);
  command.callback([o] { sweep(*o); });
}

}  // namespace bitgrid::cli
