#include "report/page_timeline.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "ir/json_reader.h"
#include "report/svg.h"

namespace bitgrid::report {
namespace {

using TimelineJson = nlohmann::json;

struct ActivityPaint {
  const char* activity;
  const char* colour;
};
constexpr std::array<ActivityPaint, 6> kPaints = {{{"computing", "#4a9d5b"},
                                                   {"filling or draining", "#a9cfae"},
                                                   {"configuring", "#c65d57"},
                                                   {"waiting for the port", "#e8b4a0"},
                                                   {"waiting for memory", "#d9a13b"},
                                                   {"transfer", "#5b7fb5"}}};
constexpr double kTimelineWidth = 1100, kLabel = 210, kRow = 13, kTimelineTop = 26, kLeast = 0.5;

struct Event {
  uint64_t begin = 0;
  uint64_t cycles = 0;
  size_t paint = 0;
};

constexpr int64_t kMostCycles = int64_t{1} << 50;

using TrackId = std::pair<int, int>;  // process and thread

struct Tracks {
  std::map<TrackId, std::string> names;
  std::map<TrackId, std::vector<Event>> events;
  uint64_t end = 1;
};

Tracks read_tracks(const TimelineJson& trace, const std::string& file) {
  Tracks tracks;
  for (const TimelineJson& e : trace.at("traceEvents")) {
    const auto number = [&](const TimelineJson& v, const char* name, int64_t most) { return json_integer(v, name, 0, most, file); };
    const TrackId id{static_cast<int>(number(e.at("pid"), "\"pid\"", INT32_MAX)),
                     static_cast<int>(number(e.at("tid"), "\"tid\"", INT32_MAX))};
    if (e.at("ph") == "M") {
      if (e.at("name") == "thread_name") tracks.names[id] = e.at("args").at("name").get<std::string>();
      continue;
    }
    const auto activity = e.at("cat").get<std::string>();
    const auto paint = std::find_if(kPaints.begin(), kPaints.end(), [&](const ActivityPaint& p) { return p.activity == activity; });
    if (paint == kPaints.end()) throw Error(file, "unknown activity \"" + activity + "\"", "give a file that `bitgrid run --trace` wrote");
    const auto cycles = [&](const char* key) { return static_cast<uint64_t>(number(e.at("args").at(key), key, kMostCycles)); };
    const Event event{cycles("cycle"), cycles("cycles"), static_cast<size_t>(paint - kPaints.begin())};
    tracks.events[id].push_back(event);
    tracks.end = std::max(tracks.end, event.begin + event.cycles);
  }
  return tracks;
}

std::string legend() {
  std::string svg;
  double x = kLabel;
  for (const ActivityPaint& p : kPaints) {
    svg += fmt::format("<rect x='{:.0f}' y='6' width='10' height='10' fill='{}'/><text x='{:.0f}' y='15'>{}</text>", x, p.colour, x + 14,
                       p.activity);
    x += 50 + 6.5 * static_cast<double>(std::string(p.activity).size());
  }
  return svg;
}

}  // namespace

std::string platform_timeline_svg(const TimelineJson& trace, const std::string& file) {
  Tracks tracks;
  try {
    tracks = read_tracks(trace, file);
  } catch (const TimelineJson::exception& e) {
    throw Error(file, "not a trace of the platform: " + json_reason(e), "give a file that `bitgrid run --trace` wrote");
  }
  const double per_cycle = (kTimelineWidth - kLabel) / static_cast<double>(tracks.end);
  std::array<std::string, kPaints.size()> paths;
  std::string labels;
  double y = kTimelineTop;
  for (const auto& [id, name] : tracks.names) {
    uint64_t busy = 0;
    std::array<double, kPaints.size()> drawn{};  // up to where
    for (const Event& e : tracks.events[id]) {
      busy += e.cycles;
      const double x1 = kLabel + static_cast<double>(e.begin + e.cycles) * per_cycle;
      const double x0 = std::max(drawn[e.paint], kLabel + static_cast<double>(e.begin) * per_cycle);
      if (x1 - x0 <= 0) continue;
      const double width = std::max(kLeast, x1 - x0);
      drawn[e.paint] = x0 + width;
      fmt::format_to(std::back_inserter(paths[e.paint]), "M{:.1f} {:.0f}h{:.1f}v{:.0f}h-{:.1f}z", x0, y + 2, width, kRow - 3, width);
    }
    labels += fmt::format("<text x='0' y='{:.0f}'>{}<title>{}: in use {:.1f} % of the time</title></text>", y + kRow - 2,
                          escape_markup(name.size() > 30 ? name.substr(0, 29) + "…" : name), escape_markup(name),
                          100 * static_cast<double>(busy) / static_cast<double>(tracks.end));
    y += kRow;
  }
  std::string svg =
      fmt::format("<svg style='min-width:700px;font-size:11px' viewBox='0 0 {} {:.0f}'>", kTimelineWidth, y + 20) + legend() + labels;
  for (size_t p = 0; p < kPaints.size(); ++p)
    if (!paths[p].empty()) svg += fmt::format("<path fill='{}' d='{}'/>", kPaints[p].colour, paths[p]);
  return svg + fmt::format("<text x='{}' y='{:.0f}'>cycles 0 to {}</text></svg>", kLabel, y + 14, tracks.end);
}

}  // namespace bitgrid::report
