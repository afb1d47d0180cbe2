#include "estimate/technology.h"

#include <fmt/format.h>

#include "estimate/technology_text.h"  // kDefaultTechnology: arch/45nm.yaml
#include "frontend/yaml_reader.h"
#include "ir/arch.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::estimate {
namespace {

constexpr const char* kDocs = "arch/45nm.yaml";  // every key with its meaning
constexpr const char* kStorages = "flip_flops, latches and sram";

const std::vector<std::string> kKeys = {"name",
                                        "clock_mhz",
                                        "configuration",
                                        "cell_logic_um2",
                                        "configuration_bit_um2",
                                        "cell_area_um2",
                                        "standard_cells_um2",
                                        "gate_delay_ps",
                                        "register_delay_ps",
                                        "gate_fj",
                                        "update_fj",
                                        "memory_pj_per_bit",
                                        "configuration_pj_per_bit",
                                        "leakage_nw_per_cell",
                                        "memory_bits_per_cycle",
                                        "cells_available"};

double constant(const frontend::YamlValue& value, bool zero) {
  return value.number(zero ? 0 : kMinConstant, kMaxConstant);
}

void set_source(GateTechnology& t, const std::string& key, const std::string& source) {
  for (auto& [known, text] : t.sources) {
    if (known == key) {
      text = source;
      return;
    }
  }
  t.sources.emplace_back(key, source);
}

/// A number, or a map with its value and source. What a file gives without a source has none.
void read_positive(const frontend::YamlMap& map, const std::string& key, bool zero, double& to, GateTechnology& t) {
  if (!map.has(key)) return;
  const frontend::YamlValue value = map.get(key);
  if (!value.is_map()) {
    to = constant(value, zero);
    set_source(t, key, "");
    return;
  }
  const frontend::YamlMap fields(value, {"value", "source"});
  to = constant(fields.get("value"), zero);
  set_source(t, key, fields.has("source") ? fields.get("source").text() : "");
}

void read_areas(const frontend::YamlMap& map, const std::string& key, std::map<std::string, double>& to, GateTechnology& t) {
  if (!map.has(key)) return;
  const frontend::YamlMap fields(map.get(key), {"*"});
  for (const std::string& kind : fields.keys()) {
    if (kind != "source") to[kind] = constant(fields.get(kind), false);
  }
  set_source(t, key, fields.has("source") ? fields.get("source").text() : "");
}

/// `t` has what the file leaves out.
void read_fields(const frontend::YamlMap& map, GateTechnology& t) {
  Technology& e = t.technology;
  if (map.has("name")) e.name = map.get("name").text();
  read_positive(map, "clock_mhz", false, e.clock_mhz, t);
  if (map.has("clock_mhz") && !(e.clock_mhz >= kMinClockMhz && e.clock_mhz <= kMaxClockMhz))
    throw Error(map.get("clock_mhz").where(), fmt::format("clock_mhz is {}, outside {} .. {}", e.clock_mhz, kMinClockMhz, kMaxClockMhz),
                "choose a value in that range");
  read_positive(map, "cell_logic_um2", false, t.cell_logic_um2, t);
  read_areas(map, "configuration_bit_um2", t.configuration_bit_um2, t);
  if (map.has("configuration")) {
    const frontend::YamlValue value = map.get("configuration");
    t.configuration = value.text();
    if (!t.configuration_bit_um2.contains(t.configuration))
      throw Error(value.where(), "configuration is '" + t.configuration + "'", std::string("choose among ") + kStorages);
  }
  e.cell_area_um2 = cell_area(t.cell_logic_um2, t.configuration_bit_um2[t.configuration]);
  read_positive(map, "cell_area_um2", false, e.cell_area_um2, t);
  read_areas(map, "standard_cells_um2", t.standard_cells_um2, t);
  read_positive(map, "gate_delay_ps", false, t.gate_delay_ps, t);
  read_positive(map, "register_delay_ps", true, t.register_delay_ps, t);
  read_positive(map, "gate_fj", true, t.gate_fj, t);
  read_positive(map, "update_fj", true, e.update_fj, t);
  read_positive(map, "memory_pj_per_bit", true, e.memory_pj_per_bit, t);
  read_positive(map, "configuration_pj_per_bit", true, e.configuration_pj_per_bit, t);
  read_positive(map, "leakage_nw_per_cell", true, e.leakage_nw_per_cell, t);
  if (map.has("memory_bits_per_cycle")) e.memory_bits_per_cycle = map.get("memory_bits_per_cycle").integer(1, kMaxMemoryRate);
  if (map.has("cells_available")) e.cells_available = map.get("cells_available").integer(0, kMaxCellsAvailable);
}

GateTechnology default_technology() {
  GateTechnology t;
  read_fields(frontend::YamlMap(frontend::parse_yaml(kDefaultTechnology, kDocs, kDocs), kKeys), t);
  return t;
}

}  // namespace

GateTechnology parse_gate_technology(const std::string& text, const std::string& file) {
  GateTechnology t = default_technology();
  read_fields(frontend::YamlMap(frontend::parse_yaml(text, file, kDocs), kKeys), t);
  return t;
}

GateTechnology load_gate_technology(const std::string& path) {
  constexpr size_t kMaxBytes = 1 << 20;
  return path.empty() ? default_technology() : parse_gate_technology(read_file(path, kMaxBytes), path);
}

Technology load_technology(const std::string& path) {
  return load_gate_technology(path).technology;
}

double clock_mhz(const GateTechnology& t, uint64_t levels) {
  return 1e6 / (static_cast<double>(levels) * t.gate_delay_ps + t.register_delay_ps);
}

}  // namespace bitgrid::estimate
