// Records what tiles and buses did and when: intervals on tracks, and the trace file that Perfetto and chrome://tracing show.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bitgrid::platform {

/// What a tile is doing; the first that applies counts. kTransfer is what buses do.
enum class Activity : uint8_t {
  kComputing,    // an invocation is entering, for II cycles from its start
  kConfiguring,  // words arrive through the configuration port
  kPort,         // words are ready for the port, but it is busy with those of other tiles
  kMemory,       // a step has the tile, but waits for operands or words, for room for results, or for results to be written
  kFilling,      // invocations are in the grid or constant streams run up, but none is entering
  kIdle,
  kTransfer,
};

/// The cycles of a tile or of a step, by activity.
struct CycleParts {
  uint64_t computing = 0;
  uint64_t filling = 0;  // and draining
  uint64_t configuring = 0;
  uint64_t port = 0;
  uint64_t memory = 0;
  uint64_t idle = 0;  // of a step: other steps have the tile

  uint64_t total() const { return computing + filling + configuring + port + memory + idle; }
  CycleParts& operator+=(const CycleParts& o);
  bool operator==(const CycleParts&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CycleParts, computing, filling, configuring, port, memory, idle)

/// Cycles begin .. end - 1.
struct Interval {
  Activity activity = Activity::kIdle;
  uint32_t label = 0;  // into Timeline::labels
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t bytes = 0;  // of transfers
  bool operator==(const Interval&) const = default;
};
void to_json(nlohmann::json& json, const Interval& interval);
void from_json(const nlohmann::json& json, Interval& interval);

struct Track {
  std::string name;
  bool is_tile = false;
  std::vector<Interval> intervals;  // in order and disjoint
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Track, name, is_tile, intervals)

struct Timeline {
  std::vector<std::string> labels;
  std::vector<Track> tracks;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Timeline, labels, tracks)

/// Turns the overlapping intervals of a tile into disjoint ones in order. The first activity in the order of Activity wins; gaps stay gaps.
std::vector<Interval> resolve(std::vector<Interval> intervals);

/// Returns the sums of disjoint intervals. The rest of `total` is idle.
CycleParts sum(const std::vector<Interval>& intervals, uint64_t total);

/// Returns JSON in the trace event format, with one process for the tiles and one for the buses, and a thread for each. Times are in
/// microseconds at the given clock. The args of each event give the exact "cycle" and "cycles".
std::string trace_json(const Timeline& timeline, double clock_mhz);

}  // namespace bitgrid::platform
