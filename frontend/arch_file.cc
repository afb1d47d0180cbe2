#include "frontend/arch_file.h"

#include "frontend/yaml_reader.h"
#include "ir/file.h"

namespace bitgrid {

Arch load_arch(const std::string& path) {
  constexpr size_t kMaxBytes = 1 << 20;
  const YamlMap map(YamlValue{path, "", 1, parse_yaml(read_file(path, kMaxBytes), path)}, {"name", "configuration_bits_per_cycle", "tile"});
  Arch arch;
  if (map.has("name")) arch.name = map.get("name").text();
  if (map.has("configuration_bits_per_cycle")) {
    arch.configuration_bits_per_cycle = static_cast<int>(map.get("configuration_bits_per_cycle").integer(1, 1 << 20));
  }
  if (map.has("tile")) {
    const YamlMap tile(map.get("tile"), {"width", "height"});
    const auto cells = [&](const char* key) { return tile.has(key) ? static_cast<int>(tile.get(key).integer(0, 1 << 16)) : 0; };
    arch.tile_width = cells("width");
    arch.tile_height = cells("height");
  }
  return arch;
}

}  // namespace bitgrid
