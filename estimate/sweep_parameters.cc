#include "estimate/sweep_parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/error.h"
#include "ir/number.h"
#include "lowering/mapping/map.h"

namespace bitgrid::estimate {
namespace {

struct Target {
  EstimateSource& source;
  EstimateParams& params;
};

struct Parameter {
  const char* name;
  void (*set)(const SweepValue&, const Target&);
};

template <typename T>
T whole(const SweepValue& v, T least, T most) {
  const auto number = parse_whole(v.text, least, most);
  if (!number)
    throw Error(v.where, fmt::format("{} is `{}`", v.name, v.text), fmt::format("give a whole number from {} to {}", least, most));
  return *number;
}

double real(const SweepValue& v, double least, double most) {
  const auto number = parse_real(v.text, least, most);
  if (!number) throw Error(v.where, fmt::format("{} is `{}`", v.name, v.text), fmt::format("give a number from {} to {}", least, most));
  return *number;
}

/// A key of the shapes file that takes a number.
void override_number(const SweepValue& v, const Target& to, int least, int most) {
  whole(v, least, most);
  to.source.overrides.emplace_back(v.name, v.text);
}
void override_bits(const SweepValue& v, const Target& to) {
  override_number(v, to, 1, kMaxShapeBits);
}

constexpr Parameter kParameters[] = {
    {"streams", [](const SweepValue& v, const Target& to) { to.params.streams = whole(v, int64_t{1}, kMaxStreams); }},
    {"context", [](const SweepValue& v, const Target& to) { to.source.context = whole(v, 1, kMaxContext); }},
    {"configuration_bits_per_cycle",
     [](const SweepValue& v, const Target& to) { to.params.arch.configuration_bits_per_cycle = whole(v, 1, kMaxConfigurationRate); }},
    {"tile_width",
     [](const SweepValue& v, const Target& to) { to.params.arch.tile_width = to.source.lower.tile.width = whole(v, 0, kMaxTileSide); }},
    {"tile_height",
     [](const SweepValue& v, const Target& to) { to.params.arch.tile_height = to.source.lower.tile.height = whole(v, 0, kMaxTileSide); }},
    {"clock_mhz", [](const SweepValue& v, const Target& to) { to.params.technology.clock_mhz = real(v, kMinClockMhz, kMaxClockMhz); }},
    {"memory_bits_per_cycle",
     [](const SweepValue& v, const Target& to) { to.params.technology.memory_bits_per_cycle = whole(v, int64_t{1}, kMaxMemoryRate); }},
    {"cells_available",
     [](const SweepValue& v, const Target& to) { to.params.technology.cells_available = whole(v, int64_t{0}, kMaxCellsAvailable); }},
    {"cell_area_um2",
     [](const SweepValue& v, const Target& to) { to.params.technology.cell_area_um2 = real(v, kMinConstant, kMaxConstant); }},
    {"update_fj", [](const SweepValue& v, const Target& to) { to.params.technology.update_fj = real(v, 0, kMaxConstant); }},
    {"optimize",
     [](const SweepValue& v, const Target& to) {
       try {
         to.source.lower.optimize = mapping::parse_optimize(v.text);
       } catch (const Error& e) {
         throw Error(v.where, e.what());
       }
     }},
    {"activation_bits", override_bits},
    {"kv_bits", override_bits},
    {"score_bits", override_bits},
    {"weights", [](const SweepValue& v, const Target& to) { to.source.overrides.emplace_back(v.name, v.text); }},
    {"weight_group", [](const SweepValue& v, const Target& to) { override_number(v, to, 0, kMaxWidth); }},
    {"defect_rate", [](const SweepValue& v, const Target& to) { to.source.defect_rate = real(v, 0, 0.5); }},
    {"seed", [](const SweepValue& v, const Target& to) { to.source.seed = whole(v, uint64_t{0}, UINT64_MAX); }},
};

}  // namespace

std::vector<std::string> sweep_parameter_names() {
  std::vector<std::string> names;
  for (const Parameter& p : kParameters) names.emplace_back(p.name);
  return names;
}

void set_sweep_parameter(const SweepValue& value, EstimateSource& source, EstimateParams& params) {
  const auto p = std::find_if(std::begin(kParameters), std::end(kParameters), [&](const Parameter& k) { return value.name == k.name; });
  if (p == std::end(kParameters)) throw Error(value.where, "`" + value.name + "` is not a parameter of a sweep", "see docs/estimate.md");
  p->set(value, {source, params});
}

}  // namespace bitgrid::estimate
