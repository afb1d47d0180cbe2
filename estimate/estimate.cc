#include "estimate/estimate.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include "frontend/arch_file.h"

namespace bitgrid::estimate {
namespace {

constexpr const char* kConfiguration = "bits of configuration";
constexpr const char* kWritten = "bits of keys and values that a token writes";

/// Of a from 0 on.
int64_t ceil_div(int64_t a, int64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

int64_t tiles_of(const KernelFigures& k, const Arch& arch) {
  const int64_t across = arch.tile_width > 0 ? ceil_div(k.width, arch.tile_width) : 1;
  const int64_t down = arch.tile_height > 0 ? ceil_div(k.height, arch.tile_height) : 1;
  return checked_product({across, down, k.tiles}, "tiles");
}

/// "layers.3.up.2" -> "up": what the kernels of all layers have in common.
std::string kind_of(const std::string& name) {
  std::string kind;
  for (size_t from = 0; from < name.size();) {
    const size_t dot = std::min(name.find('.', from), name.size());
    const std::string part = name.substr(from, dot - from);
    if (part != "layers" && part.find_first_not_of("0123456789") != std::string::npos && part.rfind("head", 0) != 0)
      kind += (kind.empty() ? "" : ".") + part;
    from = dot + 1;
  }
  if (kind.empty()) return name.starts_with("layers.") ? "layers" : "head";  // a network's matrices; a model's last one
  return kind;
}

Bottleneck latency_bottleneck(const Estimate& e) {
  std::map<std::string, int64_t> cycles;  // by kind
  for (const auto& [stage, longest] : longest_of_stages(e.kernels)) cycles[kind_of(longest.kernel->name)] += longest.cycles;
  const auto worst = std::max_element(cycles.begin(), cycles.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto total = static_cast<double>(e.cycles_per_token);
  if (e.reload_cycles > std::max(worst->second, e.configuration_cycles))
    return {"configuration: weights that have no cells of their own", static_cast<double>(e.reload_cycles) / total,
            "more cells, a wider configuration port, or more streams to share each load"};
  if (e.configuration_cycles > worst->second)
    return {"configuration: writing keys and values", static_cast<double>(e.configuration_cycles) / total,
            "a wider configuration port (configuration_bits_per_cycle), or fewer key and value bits"};
  return {"latency of `" + worst->first + "`, all layers", static_cast<double>(worst->second) / total,
          worst->first == "mix" || worst->first == "score" ? "a shorter context, or a window cut over more tiles"
                                                           : "matrices cut by columns over tiles side by side: latency is their width"};
}

Bottleneck throughput_bottleneck(const Estimate& e, const EstimateParams& params, double per_token) {
  const auto share = [&](double cycles) { return cycles / per_token; };
  const double latency = static_cast<double>(e.cycles_per_token) / static_cast<double>(params.streams);
  if (per_token <= latency) return {"streams: too few to fill the pipeline", share(latency), "more streams (--streams)"};
  if (per_token <= static_cast<double>(e.memory_cycles))
    return {"memory: bits to and from ports", share(static_cast<double>(e.memory_cycles)),
            "memory_bits_per_cycle, or kernels chained on the grid"};
  if (per_token <= static_cast<double>(e.configuration_cycles))
    return {"configuration: writing keys and values", share(static_cast<double>(e.configuration_cycles)),
            "a wider configuration port (configuration_bits_per_cycle), or one for each tile"};
  return {"compute: the busiest kernel", share(static_cast<double>(e.busiest_cycles)), "a second copy of it, or --optimize throughput"};
}

}  // namespace

EstimateParams load_estimate_params(const std::string& arch_file, const std::string& technology_file) {
  EstimateParams params;
  if (!arch_file.empty()) params.arch = frontend::load_arch(arch_file);
  params.technology.clock_mhz = params.arch.platform.clock_mhz;
  if (!technology_file.empty()) params.technology = load_technology(technology_file);
  return params;
}

std::map<int, LongestKernel> longest_of_stages(const std::vector<KernelFigures>& kernels) {
  std::map<int, LongestKernel> longest;
  for (const KernelFigures& k : kernels) {
    for (const StageUse& use : k.uses) {
      LongestKernel& at = longest[use.stage];
      if (at.kernel == nullptr || k.length_cycles(use) > at.cycles) at = {&k, k.length_cycles(use)};
    }
  }
  return longest;
}

Estimate estimate(std::vector<KernelFigures> kernels, const EstimateParams& params) {
  Estimate e;
  e.kernels = std::move(kernels);
  const Technology& t = params.technology;
  int64_t shared_cells = 0, written = 0;
  double updates = 0;
  for (const KernelFigures& k : e.kernels) {
    const int64_t copies = k.resident_cells > 0 ? params.streams : 1;
    int64_t& cells = k.resident_cells > 0 ? e.resident_cells : shared_cells;
    cells = checked_sum(cells, k.cells_total(), "cells");
    e.tiles = checked_sum(e.tiles, checked_product({tiles_of(k, params.arch), copies}, "tiles"), "tiles");
    if (k.resident_cells > 0) {
      written = checked_sum(written, checked_product({k.resident_cells / k.window, k.tiles}, kWritten), kWritten);
    } else {
      e.busiest_cycles = std::max(e.busiest_cycles, k.busy_cycles());
    }
    updates += k.updates();
    e.memory_bits = checked_sum(e.memory_bits, k.port_bits_total(), "bits of memory traffic");
    e.bit_macs_per_token += static_cast<double>(k.bit_macs) * static_cast<double>(k.invocations);
  }
  e.cells_total = checked_sum(shared_cells, checked_product({e.resident_cells, params.streams}, "cells"), "cells");
  for (const auto& [stage, longest] : longest_of_stages(e.kernels))
    e.kernel_cycles = checked_sum(e.kernel_cycles, longest.cycles, "cycles");
  const int port = params.arch.configuration_bits_per_cycle;
  e.configuration_cycles = ceil_div(checked_product({written, 64}, kWritten), port);
  if (t.cells_available > 0)
    e.reload_cycles = ceil_div(checked_product({std::max<int64_t>(0, e.cells_total - t.cells_available), 64}, kConfiguration),
                               checked_product({port, params.streams}, "bits"));
  e.cycles_per_token = checked_sum(e.kernel_cycles, checked_sum(e.configuration_cycles, e.reload_cycles, "cycles"), "cycles");
  e.memory_cycles = ceil_div(e.memory_bits, t.memory_bits_per_cycle);
  e.configuration_bits = checked_product({e.cells_total, 64}, kConfiguration);
  const double hertz = t.clock_mhz * 1e6;
  e.load_seconds = static_cast<double>(e.configuration_bits) / port / hertz;

  const double latency = static_cast<double>(e.cycles_per_token);
  double per_token = latency / static_cast<double>(params.streams);
  for (const int64_t bound : {e.busiest_cycles, e.memory_cycles, e.configuration_cycles, e.reload_cycles})
    per_token = std::max(per_token, static_cast<double>(bound));
  e.tokens_per_second = hertz / per_token;
  e.tokens_per_second_per_stream = e.tokens_per_second / static_cast<double>(params.streams);
  e.area_mm2 = static_cast<double>(e.cells_total) * t.cell_area_um2 * 1e-6;
  e.energy_cells_j = updates * t.update_fj * 1e-15;
  e.energy_memory_j = static_cast<double>(e.memory_bits) * t.memory_pj_per_bit * 1e-12;
  e.energy_configuration_j =
      (static_cast<double>(written) * 64 + static_cast<double>(e.reload_cycles) * port) * t.configuration_pj_per_bit * 1e-12;
  e.energy_leakage_j = static_cast<double>(e.cells_total) * t.leakage_nw_per_cell * 1e-9 / e.tokens_per_second;
  e.energy_per_token_j = e.energy_cells_j + e.energy_memory_j + e.energy_configuration_j + e.energy_leakage_j;
  e.latency = latency_bottleneck(e);
  e.throughput = throughput_bottleneck(e, params, per_token);
  return e;
}

nlohmann::ordered_json estimate_json(const Estimate& e, const EstimateParams& params) {
  using Json = nlohmann::ordered_json;
  const Technology& t = params.technology;
  const auto bottleneck = [](const Bottleneck& b) { return Json{{"what", b.what}, {"share", b.share}, {"relief", b.relief}}; };
  Json json;
  json["technology"] = {{"name", t.name},
                        {"clock_mhz", t.clock_mhz},
                        {"cell_area_um2", t.cell_area_um2},
                        {"update_fj", t.update_fj},
                        {"memory_pj_per_bit", t.memory_pj_per_bit},
                        {"configuration_pj_per_bit", t.configuration_pj_per_bit},
                        {"leakage_nw_per_cell", t.leakage_nw_per_cell},
                        {"memory_bits_per_cycle", t.memory_bits_per_cycle},
                        {"cells_available", t.cells_available}};
  json["configuration_bits_per_cycle"] = params.arch.configuration_bits_per_cycle;
  json["tile"] = {{"width", params.arch.tile_width}, {"height", params.arch.tile_height}};
  json["streams"] = params.streams;
  json["kernels"] = Json::array();
  for (const KernelFigures& k : e.kernels) {
    json["kernels"].push_back({{"name", k.name},
                               {"strategy", k.strategy},
                               {"width", k.width},
                               {"height", k.height},
                               {"cells", k.cells()},
                               {"tiles", k.tiles},
                               {"ii_cycles", k.ii},
                               {"latency_cycles", k.latency_cycles},
                               {"invocations_per_token", k.invocations},
                               {"stage", k.uses.front().stage},
                               {"configuration_bits", checked_product({k.cells_total(), 64}, kConfiguration)},
                               {"memory_bits_per_token", k.port_bits_total()},
                               {"energy_per_token_j", k.updates() * t.update_fj * 1e-15},
                               {"area_mm2", static_cast<double>(k.cells_total()) * t.cell_area_um2 * 1e-6},
                               {"modelled", k.modelled}});
  }
  json["cells_total"] = e.cells_total;
  json["resident_cells_per_stream"] = e.resident_cells;
  json["tiles"] = e.tiles;
  json["cycles_per_token"] = e.cycles_per_token;
  json["configuration_cycles_per_token"] = e.configuration_cycles;
  json["reload_cycles_per_token"] = e.reload_cycles;
  json["memory_cycles_per_token"] = e.memory_cycles;
  json["busiest_kernel_cycles_per_token"] = e.busiest_cycles;
  json["tokens_per_second"] = e.tokens_per_second;
  json["tokens_per_second_per_stream"] = e.tokens_per_second_per_stream;
  json["bottleneck"] = e.throughput.what;
  json["latency_bottleneck"] = bottleneck(e.latency);
  json["throughput_bottleneck"] = bottleneck(e.throughput);
  json["configuration_bits"] = e.configuration_bits;
  json["load_seconds"] = e.load_seconds;
  json["memory_bits_per_token"] = e.memory_bits;
  json["bit_macs_per_token"] = e.bit_macs_per_token;
  json["area_mm2"] = e.area_mm2;
  json["energy_per_token_j"] = e.energy_per_token_j;
  json["energy_j"] = {{"cells", e.energy_cells_j},
                      {"memory", e.energy_memory_j},
                      {"configuration", e.energy_configuration_j},
                      {"leakage", e.energy_leakage_j}};
  return json;
}

std::string estimate_text(const Estimate& e, const EstimateParams& params, const std::string& unit) {
  struct Row {
    std::string name;
    int64_t kernels = 0, tiles = 0, cells = 0, invocations = 0;
    int ii = 0, latency = 0;
    double updates = 0;
    bool modelled = false;
  };
  std::vector<Row> rows;
  const bool many = e.kernels.size() > 60;
  for (const KernelFigures& k : e.kernels) {
    const std::string name = many ? kind_of(k.name) : k.name;
    auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
    if (row == rows.end()) row = rows.insert(rows.end(), Row{name});
    row->kernels += 1;
    row->tiles = checked_sum(row->tiles, k.tiles, "tiles");
    row->cells = checked_sum(row->cells, k.cells_total(), "cells");
    row->invocations = checked_sum(row->invocations, k.invocations, "invocations");
    row->ii = std::max(row->ii, k.ii);
    row->latency = std::max(row->latency, k.latency_cycles);
    row->updates += k.updates();
    row->modelled |= k.modelled;
  }
  std::string text = fmt::format("{:26} {:>7} {:>9} {:>15} {:>5} {:>8} {:>12} {:>11} {:>10}\n", many ? "kernels of all layers" : "kernel",
                                 "kernels", "tiles", "cells", "II", "latency", "invocations", "J/" + unit, "mm2");
  for (const Row& r : rows) {
    text += fmt::format("{:26} {:>7} {:>9} {:>15} {:>5} {:>8} {:>12} {:>11.3g} {:>10.4g}{}\n", r.name, r.kernels, r.tiles, r.cells, r.ii,
                        r.latency, r.invocations, r.updates * params.technology.update_fj * 1e-15,
                        static_cast<double>(r.cells) * params.technology.cell_area_um2 * 1e-6, r.modelled ? "  modelled" : "");
  }
  const Technology& t = params.technology;
  text += fmt::format("{} cells ({} of them keys and values of a stream), {} tiles, {:.4g} mm2 ({}: {} um2 per cell)\n", e.cells_total,
                      e.resident_cells, e.tiles, e.area_mm2, t.name, t.cell_area_um2);
  text += fmt::format("{} cycles per {}, {} of them configuration ({} bits per cycle), {} reloading\n", e.cycles_per_token, unit,
                      e.configuration_cycles, params.arch.configuration_bits_per_cycle, e.reload_cycles);
  text += fmt::format("{:.5g} {}s/s, {:.5g} per stream with {} stream{} at {} MHz\n", e.tokens_per_second, unit,
                      e.tokens_per_second_per_stream, params.streams, params.streams == 1 ? "" : "s", t.clock_mhz);
  text += fmt::format("{:.4g} J per {}: {:.3g} cells ({} fJ an update), {:.3g} memory, {:.3g} configuration; leakage {:.3g}; {:.4g} W\n",
                      e.energy_per_token_j, unit, e.energy_cells_j, t.update_fj, e.energy_memory_j, e.energy_configuration_j,
                      e.energy_leakage_j, e.energy_per_token_j * e.tokens_per_second);
  text +=
      fmt::format("configuration: {:.4g} bits, loaded in {:.4g} s; memory: {} bits per {}, {} cycles at {} bits per cycle\n",
                  static_cast<double>(e.configuration_bits), e.load_seconds, e.memory_bits, unit, e.memory_cycles, t.memory_bits_per_cycle);
  text += fmt::format("bottleneck of a stream: {} ({:.0f} %); relief: {}\n", e.latency.what, 100 * e.latency.share, e.latency.relief);
  text += fmt::format("bottleneck of all: {}; relief: {}\n", e.throughput.what, e.throughput.relief);
  return text;
}

}  // namespace bitgrid::estimate
