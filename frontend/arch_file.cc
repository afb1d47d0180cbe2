#include "frontend/arch_file.h"

#include "frontend/yaml_reader.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::frontend {
namespace {

constexpr int64_t kMaxRate = 1 << 20;     // bits a cycle
constexpr int64_t kMaxLatency = 1 << 20;  // cycles

void read(const YamlMap& map, const char* key, int64_t lo, int64_t hi, int& value) {
  if (map.has(key)) value = static_cast<int>(map.get(key).integer(lo, hi));
}

/// One of two words.
template <typename T>
void read_choice(const YamlMap& map, const char* key, const char* first, T if_first, const char* second, T if_second, T& value) {
  if (!map.has(key)) return;
  const YamlValue v = map.get(key);
  const std::string text = v.text();
  if (text != first && text != second)
    throw Error(v.where(), v.path + " is '" + text + "'", std::string("choose ") + first + " or " + second);
  value = text == first ? if_first : if_second;
}

void read_memories(const YamlMap& map, Platform& p) {
  if (map.has("sram")) {
    const YamlMap sram(map.get("sram"), {"banks", "bits_per_cycle", "latency", "bytes"});
    read(sram, "banks", 1, 4096, p.sram_banks);
    read(sram, "bits_per_cycle", 0, kMaxRate, p.sram_bits_per_cycle);
    read(sram, "latency", 0, kMaxLatency, p.sram_latency);
    if (sram.has("bytes")) p.sram_bytes = sram.get("bytes").integer(0, int64_t{1} << 40);
    if (p.sram_bits_per_cycle % 8 != 0) {
      const YamlValue v = sram.get("bits_per_cycle");
      throw Error(v.where(), v.path + " is " + v.text() + ", which is not a whole number of bytes",
                  "give a multiple of 8, or 0 for unlimited");
    }
  }
  if (map.has("dram")) {
    const YamlMap dram(map.get("dram"), {"bits_per_cycle", "latency"});
    read(dram, "bits_per_cycle", 0, kMaxRate, p.dram_bits_per_cycle);
    read(dram, "latency", 0, kMaxLatency, p.dram_latency);
  }
  if (map.has("host")) {
    const YamlMap host(map.get("host"), {"bits_per_cycle", "latency"});
    read(host, "bits_per_cycle", 0, kMaxRate, p.host_bits_per_cycle);
    read(host, "latency", 0, kMaxLatency, p.host_latency);
  }
}

Platform read_platform(const YamlValue& value) {
  const YamlMap map(value, {"clock_mhz", "tiles", "residency", "schedule", "constant_streams", "border_queue", "configuration_ports",
                            "sram", "dram", "host", "dma_burst_bytes"});
  Platform p;
  if (map.has("clock_mhz")) p.clock_mhz = map.get("clock_mhz").number(kMinClockMhz, kMaxClockMhz);
  read(map, "tiles", 0, 1 << 16, p.tiles);
  read_choice(map, "residency", "resident", Residency::kResident, "shared", Residency::kShared, p.residency);
  read_choice(map, "schedule", "stages", Schedule::kStages, "dataflow", Schedule::kDataflow, p.schedule);
  read_choice(map, "constant_streams", "timed", ConstantStreams::kTimed, "free", ConstantStreams::kFree, p.constants);
  read(map, "border_queue", 1, 1024, p.border_queue);
  read(map, "configuration_ports", 1, 1 << 16, p.configuration_ports);
  read(map, "dma_burst_bytes", 8, 1 << 20, p.dma_burst_bytes);
  if (p.dma_burst_bytes % 8 != 0) {
    const YamlValue v = map.get("dma_burst_bytes");
    throw Error(v.where(), v.path + " is " + v.text() + ", which is not a whole number of configuration words", "give a multiple of 8");
  }
  read_memories(map, p);
  return p;
}

}  // namespace

Arch parse_arch(const std::string& text, const std::string& file) {
  const YamlMap map(parse_yaml(text, file, "arch/default.yaml"), {"name", "configuration_bits_per_cycle", "tile", "platform"});
  Arch arch;
  if (map.has("name")) arch.name = map.get("name").text();
  read(map, "configuration_bits_per_cycle", 1, kMaxConfigurationRate, arch.configuration_bits_per_cycle);
  if (map.has("tile")) {
    const YamlMap tile(map.get("tile"), {"width", "height"});
    read(tile, "width", 0, kMaxTileSide, arch.tile_width);
    read(tile, "height", 0, kMaxTileSide, arch.tile_height);
  }
  if (map.has("platform")) arch.platform = read_platform(map.get("platform"));
  return arch;
}

Arch load_arch(const std::string& path) {
  constexpr size_t kMaxBytes = 1 << 20;
  return parse_arch(read_file(path, kMaxBytes), path);
}

}  // namespace bitgrid::frontend
