#include "bitgrid_sim/systemc/timeline.h"

#include <algorithm>
#include <array>
#include <set>

#include "ir/json_text.h"

namespace bitgrid::platform {
namespace {

constexpr std::array<const char*, 7> kActivityNames = {
    "computing", "configuring", "waiting for the port", "waiting for memory", "filling or draining", "idle", "transfer"};

uint64_t& part(CycleParts& parts, Activity activity) {
  switch (activity) {
    case Activity::kComputing:
      return parts.computing;
    case Activity::kConfiguring:
      return parts.configuring;
    case Activity::kPort:
      return parts.port;
    case Activity::kMemory:
      return parts.memory;
    case Activity::kFilling:
      return parts.filling;
    default:
      return parts.idle;
  }
}

/// Longer by what follows without a gap, or one more.
void append(std::vector<Interval>& to, const Interval& interval) {
  if (!to.empty() && to.back().end == interval.begin && to.back().activity == interval.activity && to.back().label == interval.label) {
    to.back().end = interval.end;
    to.back().bytes += interval.bytes;
  } else {
    to.push_back(interval);
  }
}

}  // namespace

CycleParts& CycleParts::operator+=(const CycleParts& o) {
  computing += o.computing;
  filling += o.filling;
  configuring += o.configuring;
  port += o.port;
  memory += o.memory;
  idle += o.idle;
  return *this;
}

void to_json(nlohmann::json& json, const Interval& i) {
  json = {i.activity, i.label, i.begin, i.end, i.bytes};
}

void from_json(const nlohmann::json& json, Interval& i) {
  i = {json.at(0).get<Activity>(), json.at(1).get<uint32_t>(), json.at(2).get<uint64_t>(), json.at(3).get<uint64_t>(),
       json.at(4).get<uint64_t>()};
}

std::vector<Interval> resolve(std::vector<Interval> intervals) {
  std::erase_if(intervals, [](const Interval& i) { return i.begin >= i.end; });
  struct Edge {
    uint64_t cycle;
    bool opens;
    size_t interval;
  };
  std::vector<Edge> edges;
  for (size_t i = 0; i < intervals.size(); ++i) {
    edges.push_back({intervals[i].begin, true, i});
    edges.push_back({intervals[i].end, false, i});
  }
  std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.cycle < b.cycle; });
  std::set<std::pair<Activity, size_t>> open;  // the first is what shows
  std::vector<Interval> disjoint;
  for (size_t e = 0; e < edges.size(); ++e) {
    const auto key = std::pair(intervals[edges[e].interval].activity, edges[e].interval);
    if (edges[e].opens) {
      open.insert(key);
    } else {
      open.erase(key);
    }
    if (open.empty() || e + 1 == edges.size() || edges[e + 1].cycle == edges[e].cycle) continue;
    const Interval& shown = intervals[open.begin()->second];
    append(disjoint, {shown.activity, shown.label, edges[e].cycle, edges[e + 1].cycle, 0});
  }
  return disjoint;
}

CycleParts sum(const std::vector<Interval>& intervals, uint64_t total) {
  CycleParts parts;
  for (const Interval& i : intervals) part(parts, i.activity) += i.end - i.begin;
  parts.idle += total - parts.total();
  return parts;
}

std::string trace_json(const Timeline& timeline, double clock_mhz) {
  using Json = nlohmann::ordered_json;
  Json events = Json::array();
  const auto name_event = [&](const char* what, int process, size_t thread, const std::string& name) {
    events.push_back({{"ph", "M"}, {"pid", process}, {"tid", thread}, {"name", what}, {"args", {{"name", name}}}});
  };
  name_event("process_name", 1, 0, "tiles");
  name_event("process_name", 2, 0, "buses");
  for (size_t t = 0; t < timeline.tracks.size(); ++t) {
    const Track& track = timeline.tracks[t];
    const int process = track.is_tile ? 1 : 2;
    name_event("thread_name", process, t, track.name);
    for (const Interval& i : track.intervals) {
      Json args = {{"cycle", i.begin}, {"cycles", i.end - i.begin}};
      if (!track.is_tile) args["bytes"] = i.bytes;
      events.push_back({{"ph", "X"},
                        {"pid", process},
                        {"tid", t},
                        {"ts", static_cast<double>(i.begin) / clock_mhz},
                        {"dur", static_cast<double>(i.end - i.begin) / clock_mhz},
                        {"name", timeline.labels[i.label]},
                        {"cat", kActivityNames[static_cast<size_t>(i.activity)]},
                        {"args", std::move(args)}});
    }
  }
  const Json json = {{"displayTimeUnit", "ns"}, {"otherData", {{"clock_mhz", clock_mhz}}}, {"traceEvents", std::move(events)}};
  return json_text(json) + "\n";
}

}  // namespace bitgrid::platform
