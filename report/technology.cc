#include "report/technology.h"

#include "frontend/yaml_reader.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid {
namespace {

void read_positive(const YamlMap& map, const std::string& key, bool zero, double& to) {
  if (!map.has(key)) return;
  const YamlValue value = map.get(key);
  const double v = value.number();
  if (!(v >= 0 && v <= 1e12) || (v == 0 && !zero))
    throw Error(value.where(), key + " is no " + (zero ? "number from 0 up" : "number above 0"), "see arch/45nm.yaml");
  to = v;
}

}  // namespace

Technology load_technology(const std::string& path) {
  constexpr size_t kMaxBytes = 1 << 20;
  const YamlMap map(YamlValue{path, "", 1, parse_yaml(read_file(path, kMaxBytes), path)},
                    {"name", "clock_mhz", "cell_area_um2", "update_fj", "memory_pj_per_bit", "configuration_pj_per_bit",
                     "leakage_nw_per_cell", "memory_bits_per_cycle", "cells_available"});
  Technology t;
  if (map.has("name")) t.name = map.get("name").text();
  read_positive(map, "clock_mhz", false, t.clock_mhz);
  read_positive(map, "cell_area_um2", false, t.cell_area_um2);
  read_positive(map, "update_fj", true, t.update_fj);
  read_positive(map, "memory_pj_per_bit", true, t.memory_pj_per_bit);
  read_positive(map, "configuration_pj_per_bit", true, t.configuration_pj_per_bit);
  read_positive(map, "leakage_nw_per_cell", true, t.leakage_nw_per_cell);
  if (map.has("memory_bits_per_cycle")) t.memory_bits_per_cycle = map.get("memory_bits_per_cycle").integer(1, int64_t{1} << 40);
  if (map.has("cells_available")) t.cells_available = map.get("cells_available").integer(0, int64_t{1} << 50);
  return t;
}

}  // namespace bitgrid
