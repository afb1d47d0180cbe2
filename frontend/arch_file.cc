#include "frontend/arch_file.h"

#include "frontend/yaml_reader.h"
#include "ir/file.h"

namespace bitgrid {

Arch load_arch(const std::string& path) {
  constexpr size_t kMaxBytes = 1 << 20;
  const YamlMap map(YamlValue{path, "", 1, parse_yaml(read_file(path, kMaxBytes), path)}, {"name", "configuration_bits_per_cycle"});
  Arch arch;
  if (map.has("name")) arch.name = map.get("name").text();
  if (map.has("configuration_bits_per_cycle")) {
    arch.configuration_bits_per_cycle = static_cast<int>(map.get("configuration_bits_per_cycle").integer(1, 1 << 20));
  }
  return arch;
}

}  // namespace bitgrid
