#include "report/page_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "report/html.h"
#include "report/svg.h"

namespace bitgrid::report {
namespace {

/// "layers.0.query.1" -> "layers.0.query", "layers.0.mix.head3.slot0" -> "layers.0.mix".
std::string group_of(const std::string& name) {
  std::string out;
  for (size_t from = 0, parts = 0; from < name.size() && parts < 3; ++parts) {
    const size_t dot = std::min(name.find('.', from), name.size());
    const std::string part = name.substr(from, dot - from);
    const bool number = part.find_first_not_of("0123456789") == std::string::npos;
    if (!(parts != 1 && number)) out += (out.empty() ? "" : ".") + part;
    from = dot + 1;
  }
  return out;
}

struct Box {
  int stage = 0, row = 0, steps = 0;
};

}  // namespace

std::string graph_svg(const Program& program) {
  constexpr double kPitchX = 150, kPitchY = 46, kBoxX = 126, kBoxY = 30;
  std::map<std::string, Box> nodes;
  std::vector<std::string> writer(program.tensors.size());
  std::set<std::pair<std::string, std::string>> edges;
  std::map<int, int> column, rows;  // dense columns by stage
  for (const Step& step : program.steps) column.emplace(step.stage, 0);
  int columns = 0;
  for (auto& [stage, c] : column) c = columns++;
  for (const Step& step : program.steps) {
    const std::string group = group_of(step.name);
    const auto [it, added] = nodes.try_emplace(group);
    if (added) it->second = {column[step.stage], rows[step.stage]++, 0};
    ++it->second.steps;
    for (const Destination& d : step.outputs) writer[static_cast<size_t>(d.tensor)] = group;
    for (const Source& s : step.inputs) {
      int tensor = -1;
      if (const auto* t = std::get_if<TensorSource>(&s)) tensor = t->tensor;
      if (const auto* c = std::get_if<CacheSource>(&s)) tensor = program.caches[static_cast<size_t>(c->cache)].tensor;
      if (tensor >= 0 && writer[static_cast<size_t>(tensor)] != group && !writer[static_cast<size_t>(tensor)].empty())
        edges.emplace(writer[static_cast<size_t>(tensor)], group);
    }
  }
  int deepest = 1;
  for (const auto& [stage, n] : rows) deepest = std::max(deepest, n);
  const double width = columns * kPitchX + 10, height = deepest * kPitchY + 10;
  std::string svg = fmt::format("<svg style='max-width:none' width='{0}' height='{1}' viewBox='0 0 {0} {1}'>", width, height);
  const auto x = [&](const Box& n) { return 5 + n.stage * kPitchX; };
  const auto y = [&](const Box& n) { return 5 + n.row * kPitchY + kBoxY / 2; };
  for (const auto& [from, to] : edges) {
    const Box &a = nodes[from], &b = nodes[to];
    const double x0 = x(a) + kBoxX, x1 = x(b), bend = (x1 - x0) / 2;
    svg += fmt::format(
        "<path fill='none' stroke='currentColor' stroke-opacity='.4' d='M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}'/>", x0,
        y(a), x0 + bend, y(a), x1 - bend, y(b), x1, y(b));
  }
  for (const auto& [name, n] : nodes) {
    svg += fmt::format(
        "<g><title>{0}: {1} steps</title><rect x='{2:.0f}' y='{3:.0f}' width='{4}' height='{5}' rx='5' fill='Canvas'/>"
        "<rect x='{2:.0f}' y='{3:.0f}' width='{4}' height='{5}' rx='5' fill='#68a3' "
        "stroke='currentColor'/><text x='{6:.0f}' y='{7:.0f}'>{8}</text></g>",
        escape_markup(name), n.steps, x(n), y(n) - kBoxY / 2, kBoxX, kBoxY, x(n) + 6, y(n) + 5,
        escape_markup(name.size() > 17 ? name.substr(0, 16) + "…" : name));
  }
  return svg + "</svg>";
}

std::string timeline_svg(const estimate::Estimate& e) {
  constexpr double kWidth = 1100, kRow = 20, kLabel = 190;
  const std::map<int, estimate::LongestKernel> longest = estimate::longest_of_stages(e.kernels);
  const double height = kRow * static_cast<double>(longest.size() + 1) + 24;
  std::string svg = fmt::format("<svg style='min-width:700px' viewBox='0 0 {} {}'>", kWidth, height);
  const double per_cycle = (kWidth - kLabel - 90) / static_cast<double>(std::max<int64_t>(1, e.cycles_per_token));
  int64_t begin = 0;
  int row = 0;
  const auto bar = [&](const std::string& name, int64_t length, const char* fill) {
    svg += fmt::format(
        "<text x='0' y='{:.0f}'>{}</text><rect x='{:.1f}' y='{:.0f}' width='{:.1f}' height='{}' fill='{}'/><text x='{:.1f}' "
        "y='{:.0f}'>{}</text>",
        row * kRow + 15.0, escape_markup(name), kLabel + static_cast<double>(begin) * per_cycle, row * kRow + 3.0,
        std::max(1.0, static_cast<double>(length) * per_cycle), kRow - 6, fill,
        kLabel + static_cast<double>(begin + length) * per_cycle + 4, row * kRow + 15.0, length);
    begin += length;
    ++row;
  };
  for (const auto& [stage, at] : longest) bar(group_of(at.kernel->name), at.cycles, "#4a9d5b");
  bar("configuration", e.configuration_cycles + e.reload_cycles, "#c65d57");
  return svg + fmt::format("<text x='{}' y='{:.0f}'>cycles; total {}</text></svg>", kLabel, height - 6, e.cycles_per_token);
}

std::string roofline_svg(const estimate::Estimate& e, const estimate::EstimateParams& params) {
  constexpr double kWidth = 900, kHeight = 420, kMargin = 60;
  double peak = 0;  // all matrices at their II
  for (const estimate::KernelFigures& k : e.kernels) peak += static_cast<double>(k.bit_macs) * static_cast<double>(k.tiles) / k.ii;
  const double macs = e.bit_macs_per_token, memory = static_cast<double>(params.technology.memory_bits_per_cycle);
  const double intensity = macs / std::max(1.0, static_cast<double>(e.memory_bits)),
               one = macs / static_cast<double>(std::max<int64_t>(1, e.cycles_per_token));
  const double configured = e.configuration_cycles > 0 ? macs / static_cast<double>(e.configuration_cycles) : peak;
  const double x0 = std::log10(intensity) - 2, x1 = std::log10(intensity) + 2, y1 = std::log10(std::max(peak, 1.0)) + 0.5,
               y0 = std::min(std::log10(std::max(one, 1e-6)) - 0.5, y1 - 3);
  const auto x = [&](double v) { return kMargin + (kWidth - 2 * kMargin) * (std::log10(v) - x0) / (x1 - x0); };
  const auto y = [&](double v) { return kHeight - kMargin + (kHeight - 1.5 * kMargin) * (y0 - std::log10(std::max(v, 1e-9))) / (y1 - y0); };
  std::string svg = fmt::format("<svg style='min-width:560px' viewBox='0 0 {} {}'><path class='axis' d='M{} {}V{}H{}'/>", kWidth, kHeight,
                                kMargin, kMargin / 2, kHeight - kMargin, kWidth - kMargin / 2);
  std::string roof;
  for (double lx = x0; lx <= x1 + 1e-9; lx += 0.05) {
    const double v = std::pow(10, lx);
    roof += fmt::format("{}{:.1f} {:.1f}", roof.empty() ? "M" : "L", x(v), std::min(kHeight - kMargin, y(std::min(peak, memory * v))));
  }
  svg += "<path class='front' d='" + roof + "'/>";
  const auto level = [&](double v, const std::string& text) {
    svg += fmt::format("<path class='axis' stroke-dasharray='4 4' d='M{} {:.1f}H{}'/><text x='{}' y='{:.1f}'>{}: {:.4g}</text>", kMargin,
                       y(v), kWidth - kMargin / 2, kMargin + 8, y(v) - 4, text, v);
  };
  level(peak, "compute, all tiles at their II");
  if (configured < peak) level(configured, "configuration of keys and values");
  svg += fmt::format("<circle class='best' cx='{:.1f}' cy='{:.1f}' r='6'/><text x='{:.1f}' y='{:.1f}'>one stream: {:.4g}</text>",
                     x(intensity), y(one), x(intensity) + 10, y(one) + 4, one);
  return svg + fmt::format(
                   "<text x='{}' y='{}'>bit products per bit of memory traffic (here {:.4g}); slope: {} bits per cycle</text><text x='{}' "
                   "y='18'>bit products per cycle</text></svg>",
                   kMargin, kHeight - 20, intensity, params.technology.memory_bits_per_cycle, kMargin);
}

}  // namespace bitgrid::report
