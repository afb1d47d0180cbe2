#include "cli/compile_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "ir/file.h"
#include "report/congestion.h"

namespace bitgrid::cli {
namespace {

/// Products of a weight and an activation bit that a cell does in a cycle, at full rate; 0 for kernels that are not matrices.
double macs_per_cell_per_cycle(const Kernel& kernel, const MappedKernel& mapped) {
  return static_cast<double>(kernel.bit_macs) / (static_cast<double>(mapped.grid.cells.size()) * mapped.ii);
}

template <typename T>
Json or_null(const std::optional<T>& v) {
  return v ? Json(*v) : Json(nullptr);
}

Json proved_json(const KernelResult& result) {
  if (!result.proof || result.proof->verdict == check::Verdict::kOpen) return nullptr;
  return result.proof->verdict == check::Verdict::kProved;
}

Json attempt_json(const mapping::NetlistAttempt& a) {
  return {{"method", a.method},
          {"first_width", a.first_width},
          {"first_height", a.first_height},
          {"width", a.width},
          {"height", a.height},
          {"wirelength", a.wirelength},
          {"overuse", a.overuse},
          {"overuse_left", a.overuse_left},
          {"place_seconds", a.place_seconds},
          {"route_seconds", a.route_seconds}};
}

Json netlist_json(const mapping::NetlistStats& s) {
  Json json = {{"gates", s.techmap.gates}, {"logic_cells", s.logic_cells}, {"wirelength", s.wirelength}, {"attempts", Json::array()}};
  for (const mapping::NetlistAttempt& a : s.attempts) json["attempts"].push_back(attempt_json(a));
  return json;
}

Json seconds_json(const KernelResult& result) {
  const auto& n = result.report.netlist;
  const auto stage = [&](double mapping::NetlistStats::*time) { return n ? Json((*n).*time) : Json(nullptr); };
  return {{"techmap", n ? Json(n->techmap.seconds) : Json(nullptr)},
          {"pack", stage(&mapping::NetlistStats::pack_seconds)},
          {"place", stage(&mapping::NetlistStats::place_seconds)},
          {"route", stage(&mapping::NetlistStats::route_seconds)},
          {"timing", stage(&mapping::NetlistStats::time_seconds)},
          {"map", result.report.seconds},
          {"verify", or_null(result.verify_seconds)},
          {"prove", result.proof ? Json(result.prove.seconds) : Json(nullptr)}};
}

/// Overuse after each iteration; of many, the first, some between and the last.
std::string overuse_text(const std::vector<int>& overuse) {
  constexpr size_t kShown = 12;
  std::string text;
  for (size_t i = 0; i < overuse.size(); ++i) {
    if (overuse.size() > kShown && i >= kShown / 2 && i + kShown / 2 < overuse.size()) {
      if (i == kShown / 2) text += " ...";
      continue;
    }
    text += fmt::format(" {}", overuse[i]);
  }
  return text;
}

std::string attempts_text(const mapping::NetlistStats& s) {
  std::string text;
  for (size_t i = 0; i < s.attempts.size(); ++i) {
    const mapping::NetlistAttempt& a = s.attempts[i];
    text += fmt::format("  {}: {} x {} cells, then {} x {}", a.method, a.first_width, a.first_height, a.width, a.height);
    text += a.overuse.empty() ? std::string("\n")
                              : fmt::format("; overuse per iteration{}, left {}\n", overuse_text(a.overuse), a.overuse_left);
  }
  return text;
}

std::string verdict_text(const check::Proof& proof) {
  switch (proof.verdict) {
    case check::Verdict::kProved:
      return "equivalent (ABC cec, logic extracted from the configuration)";
    case check::Verdict::kRefuted:
      return "refuted: " + check::describe(proof.counterexample);
    case check::Verdict::kOpen:
      return "not proved: " + proof.why;
  }
  return "";
}

}  // namespace

int tiles(const Program& program, size_t kernel, const MappedKernel& mapped) {
  const auto steps = std::count_if(program.steps.begin(), program.steps.end(),
                                   [&](const Step& s) { return s.kernel == static_cast<int>(kernel) && keeps_tile(program, s); });
  return mapped.residents.empty() ? 1 : std::max(1, static_cast<int>(steps));
}

Json kernel_json(const Program& program, size_t kernel, const MappedKernel& m, const KernelResult& result) {
  const size_t cells = m.grid.cells.size();
  Json per_lut = nullptr;
  if (result.luts && *result.luts > 0) per_lut = static_cast<double>(cells) / static_cast<double>(*result.luts);
  Json json = {{"name", m.name},
               {"strategy", m.strategy},
               {"width", m.grid.width},
               {"height", m.grid.height},
               {"luts", or_null(result.luts)},
               {"depth", or_null(result.depth)},
               {"cells", cells},
               {"cells_per_lut", per_lut},
               {"cells_used", cells_used(m.grid)},
               {"ii_cycles", m.ii},
               {"latency_cycles", latency_cycles(m)},
               {"proved", proved_json(result)},
               {"reused", result.report.reused},
               {"tiles", tiles(program, kernel, m)},
               {"invocations_per_token", invocations_per_token(program, static_cast<int>(kernel))},
               {"bit_macs_per_cell_per_cycle", macs_per_cell_per_cycle(program.kernels[kernel], m)},
               {"seconds", seconds_json(result)}};
  if (result.proof && result.proof->verdict == check::Verdict::kOpen) json["not_proved_because"] = result.proof->why;
  if (result.report.netlist) json["netlist"] = netlist_json(*result.report.netlist);
  return json;
}

std::string kernel_table(const Program& program, const std::vector<MappedKernel>& mapped, const std::vector<KernelResult>& results) {
  const bool any_luts = std::any_of(results.begin(), results.end(), [](const KernelResult& r) { return r.luts.has_value(); });
  const auto luts = [&](const std::string& column) { return any_luts ? fmt::format(" {:>6}", column) : std::string(); };
  std::string text = fmt::format("{:28} {:9} {:>11} {:>8} {:>8}{} {:>5} {:>8} {:>6} {:>12} {:>9}\n", "kernel", "strategy", "size", "cells",
                                 "used", luts("LUT4s"), "II", "latency", "tiles", "invocations", "bit-MACs");
  for (size_t k = 0; k < mapped.size(); ++k) {
    const MappedKernel& m = mapped[k];
    const double density = macs_per_cell_per_cycle(program.kernels[k], m);
    text += fmt::format("{:28} {:9} {:>5} x{:>4} {:>8} {:>8}{} {:>5} {:>8} {:>6} {:>12} {:>9}\n", m.name, m.strategy, m.grid.width,
                        m.grid.height, m.grid.cells.size(), cells_used(m.grid),
                        luts(results[k].luts ? std::to_string(*results[k].luts) : "-"), m.ii, latency_cycles(m), tiles(program, k, m),
                        invocations_per_token(program, static_cast<int>(k)), density > 0 ? fmt::format("{:.4f}", density) : "-");
  }
  return text;
}

std::string stage_table(const MappedKernel& m, const KernelResult& result) {
  const auto line = [](const std::string& stage, double seconds, const std::string& what) {
    return fmt::format("{:8} {:>8.2f} s  {}\n", stage, seconds, what);
  };
  std::string text;
  if (const auto& n = result.report.netlist) {
    text += line("techmap", n->techmap.seconds, fmt::format("{} LUT4s, depth {}, of {} gates", n->luts, n->depth, n->techmap.gates));
    text += line("pack", n->pack_seconds, fmt::format("{} logic cells", n->logic_cells));
    const size_t cells = m.grid.cells.size();
    text += line("place", n->place_seconds,
                 fmt::format("{} x {} cells, {:.1f} per LUT4", m.grid.width, m.grid.height,
                             static_cast<double>(cells) / static_cast<double>(std::max<size_t>(1, n->luts))));
    text += line("route", n->route_seconds, fmt::format("wirelength {} edges", n->wirelength)) + attempts_text(*n);
    text += line("timing", n->time_seconds, fmt::format("II {} cycles, latency {}", m.ii, latency_cycles(m)));
  }
  if (result.verify_seconds)
    text += line("verify", *result.verify_seconds, fmt::format("{} output bits equal to the source's", result.verify.compared));
  if (result.proof) text += line("prove", result.prove.seconds, verdict_text(*result.proof));
  return text;
}

Json defects_json(const Program& program, const Defects& defects, const std::vector<MappedKernel>& mapped,
                  const std::vector<KernelResult>& results) {
  Json json = {{"cells", defects.cells.size()}, {"edges", defects.edges.size()}};
  int64_t without = 0, with = 0;
  Json kernels = Json::array();
  for (size_t k = 0; k < mapped.size(); ++k) {
    const MappedKernel& m = mapped[k];
    const auto& flawless = results[k].report.flawless;
    const auto cells = static_cast<int64_t>(m.grid.cells.size());
    const Defects inside = clip(defects, m.grid.width, m.grid.height);
    Json kernel = {{"name", m.name}, {"cells", inside.cells.size()}, {"edges", inside.edges.size()}, {"cells_without", nullptr}};
    kernel["cells_with"] = cells;
    if (flawless) {
      kernel["cells_without"] = flawless->cells;
      kernel["ii_without"] = flawless->ii;
      kernel["latency_without"] = flawless->latency;
      without += flawless->cells * tiles(program, k, m);
      with += cells * tiles(program, k, m);
    }
    kernel["ii_with"] = m.ii;
    kernel["latency_with"] = latency_cycles(m);
    kernels.push_back(std::move(kernel));
  }
  json["cells_without"] = without;
  json["cells_with"] = with;
  json["kernels"] = std::move(kernels);
  return json;
}

std::string defects_table(const Json& defects) {
  if (defects["cells_without"].get<int64_t>() == 0) {
    return fmt::format("defects of the tile: {} bad cells, {} bad edges\n", defects["cells"].get<size_t>(), defects["edges"].get<size_t>());
  }
  std::string text = fmt::format("defects of the tile: {} bad cells, {} bad edges; cost of avoiding them:\n",
                                 defects["cells"].get<size_t>(), defects["edges"].get<size_t>());
  text += fmt::format("{:28} {:>9} {:>9} {:>14} {:>12} {:>7} {:>8} {:>12}\n", "kernel", "bad cells", "bad edges", "cells without",
                      "cells with", "growth", "II", "latency");
  const auto growth = [](const Json& j) {
    return fmt::format("{:+.1f} %", 100 * (j["cells_with"].get<double>() / j["cells_without"].get<double>() - 1));
  };
  for (const Json& k : defects["kernels"]) {
    if (k["cells_without"].is_null()) continue;
    text += fmt::format("{:28} {:>9} {:>9} {:>14} {:>12} {:>7} {:>8} {:>12}\n", k["name"].get<std::string>(), k["cells"].get<size_t>(),
                        k["edges"].get<size_t>(), k["cells_without"].get<int64_t>(), k["cells_with"].get<int64_t>(), growth(k),
                        fmt::format("{} > {}", k["ii_without"].get<int>(), k["ii_with"].get<int>()),
                        fmt::format("{} > {}", k["latency_without"].get<int>(), k["latency_with"].get<int>()));
  }
  text += fmt::format("all matrices: {} cells without defects, {} around them ({})\n", defects["cells_without"].get<int64_t>(),
                      defects["cells_with"].get<int64_t>(), growth(defects));
  return text;
}

std::string proof_summary(const std::vector<MappedKernel>& mapped, const std::vector<KernelResult>& results) {
  size_t proved = 0;
  std::map<std::string, std::vector<std::string>> open;  // why -> kernels
  for (size_t k = 0; k < results.size(); ++k) {
    if (!results[k].proof) continue;
    proved += results[k].proof->verdict == check::Verdict::kProved;
    if (results[k].proof->verdict == check::Verdict::kOpen) open[results[k].proof->why].push_back(mapped[k].name);
  }
  std::string text = fmt::format("proved {} of {} kernels\n", proved, results.size());
  for (const auto& [why, kernels] : open)
    text += fmt::format("not proved: {}{}: {}\n", kernels.front(),
                        kernels.size() > 1 ? fmt::format(" and {} more", kernels.size() - 1) : "", why);
  return text;
}

std::string write_congestion(const std::string& out, const std::vector<mapping::KernelReport>& reports,
                             const std::vector<Kernel>& kernels) {
  const auto congestion = [](const mapping::NetlistStats& stats) {
    if (stats.attempts.empty()) return report::Congestion{};
    return report::Congestion{stats.attempts.back().width, stats.attempts.back().height, stats.edge_users};
  };
  for (size_t k = 0; k < reports.size(); ++k) {
    if (!reports[k].netlist) continue;
    const report::Congestion c = congestion(*reports[k].netlist);
    if (report::overuse(c) == 0) continue;
    const std::string path = (std::filesystem::path(out) / "").parent_path().string() + ".congestion.svg";
    write_file(path, report::congestion_svg(c, fmt::format("{}: edges wanted when routing gave up", kernels[k].name)));
    return path;
  }
  return "";
}

}  // namespace bitgrid::cli
