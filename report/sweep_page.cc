#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

#include "report/html.h"
#include "report/svg.h"
#include "report/sweep_page.h"

namespace bitgrid::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kWidth = 900, kHeight = 460, kMargin = 70;

/// Logarithmic axis over the points' values.
struct Axis {
  double lo = 0, hi = 1;
  double at(double v) const { return hi > lo ? (std::log10(v) - lo) / (hi - lo) : 0.5; }
};

Axis axis_of(const std::vector<Json>& points, const std::string& name) {
  Axis a{1e300, -1e300};
  for (const Json& p : points) {
    if (p.contains("error")) continue;
    const double v = std::log10(std::max(1e-30, p[name].get<double>()));
    a.lo = std::min(a.lo, v), a.hi = std::max(a.hi, v);
  }
  return a;
}

}  // namespace

std::string sweep_page(const estimate::Sweep& sweep, const std::vector<Json>& points) {
  const Axis ax = axis_of(points, sweep.minimise), ay = axis_of(points, sweep.maximise);
  const std::vector<size_t> front = estimate::pareto_front(sweep, points);
  const auto x = [&](size_t i) {
    return kMargin + (kWidth - 2 * kMargin) * ax.at(std::max(1e-30, points[i][sweep.minimise].get<double>()));
  };
  const auto y = [&](size_t i) {
    return kHeight - kMargin - (kHeight - 2 * kMargin) * ay.at(std::max(1e-30, points[i][sweep.maximise].get<double>()));
  };
  const auto title = [&](size_t i) {
    std::string text;
    for (const auto& [name, value] : points[i]["parameters"].items()) text += name + " " + value.get<std::string>() + ", ";
    return escape_markup(text + fmt::format("{} {:.4g}, {} {:.4g}", sweep.minimise, points[i][sweep.minimise].get<double>(), sweep.maximise,
                                            points[i][sweep.maximise].get<double>()));
  };
  std::string svg = fmt::format("<svg viewBox='0 0 {} {}' role='img'>", kWidth, kHeight);
  svg += fmt::format("<path class='axis' d='M{0} {1}V{2}H{3}'/>", kMargin, kMargin / 2, kHeight - kMargin, kWidth - kMargin / 2);
  svg += fmt::format("<text x='{}' y='{}'>{} (log): {:.4g} .. {:.4g}</text>", kMargin, kHeight - 25, escape_markup(sweep.minimise),
                     std::pow(10, ax.lo), std::pow(10, ax.hi));
  svg += fmt::format("<text x='{}' y='20'>{} (log): {:.4g} .. {:.4g}</text>", kMargin, escape_markup(sweep.maximise), std::pow(10, ay.lo),
                     std::pow(10, ay.hi));
  std::string line;
  for (const size_t i : front) line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", x(i), y(i));
  svg += "<path class='front' d='" + line + "'/>";
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i].contains("error")) continue;
    const bool best = std::find(front.begin(), front.end(), i) != front.end();
    svg += fmt::format("<circle class='{}' cx='{:.1f}' cy='{:.1f}' r='5'><title>{}</title></circle>", best ? "best" : "point", x(i), y(i),
                       title(i));
  }
  svg += "</svg>";
  std::string table = "<table><tr><th>point</th>";
  for (const auto& [name, values] : sweep.parameters) table += "<th>" + escape_markup(name) + "</th>";
  for (const auto& name : {sweep.minimise, sweep.maximise, std::string("cycles_per_token"), std::string("energy_per_token_j")})
    table += "<th>" + escape_markup(name) + "</th>";
  table += "<th>bottleneck</th></tr>";
  for (size_t i = 0; i < points.size(); ++i) {
    const Json& p = points[i];
    const bool best = std::find(front.begin(), front.end(), i) != front.end();
    table += fmt::format("<tr{}><td>{}</td>", best ? " class='best'" : "", i);
    for (const auto& [name, value] : p["parameters"].items()) table += "<td>" + escape_markup(value.get<std::string>()) + "</td>";
    if (p.contains("error")) {
      table += "<td colspan='5'>" + escape_markup(p["error"].get<std::string>()) + "</td></tr>";
      continue;
    }
    for (const auto& name : {sweep.minimise, sweep.maximise, std::string("cycles_per_token"), std::string("energy_per_token_j")})
      table += fmt::format("<td>{:.5g}</td>", p[name].get<double>());
    table += "<td>" + escape_markup(p["bottleneck"].get<std::string>()) + "</td></tr>";
  }
  table += "</table>";
  return html_page("sweep of " + sweep.model, "<h1>Sweep</h1><p>" + escape_markup(sweep.model) +
                                                  fmt::format(": {} points, {} on the front.</p>", points.size(), front.size()) + svg +
                                                  "<div class='wide'>" + table + "</div>");
}

}  // namespace bitgrid::report
