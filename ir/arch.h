// Architecture: everything about the fabric outside the cells. The defaults match arch/default.yaml.
#pragma once

#include <cstdint>
#include <string>

namespace bitgrid {

// Limits for architecture files, and for the sweeps and technology files that set the same values.
inline constexpr int kMaxConfigurationRate = 1 << 20;  // bits a cycle
inline constexpr int kMaxTileSide = 1 << 16;           // cells
inline constexpr double kMinClockMhz = 1e-3, kMaxClockMhz = 1e6;

/// A kernel either keeps a tile of its own, which is loaded once before the first token, or is loaded each time a step needs it.
enum class Residency : uint8_t { kResident, kShared };

/// A step may begin after all steps of the previous stage, as `cycles_per_token` counts, or as soon as its operands are written.
enum class Schedule : uint8_t { kStages, kDataflow };

/// How the constant streams of a tile run. Timed streams are started so that a step can begin in any cycle. Free streams run all the time,
/// so that a step must begin at a multiple of II.
enum class ConstantStreams : uint8_t { kTimed, kFree };

/// What surrounds the tiles (docs/platform.md). Rates are in bits per cycle; 0 means unlimited. Latencies are in cycles.
struct Platform {
  double clock_mhz = 500;
  int tiles = 0;  // 0: as many as are needed (resident), or one (shared)
  Residency residency = Residency::kResident;
  Schedule schedule = Schedule::kStages;
  ConstantStreams constants = ConstantStreams::kTimed;
  int border_queue = 2;  // invocations whose operands the border of a tile can hold; it holds the results of as many more
  int configuration_ports = 1;
  int sram_banks = 16;
  int sram_bits_per_cycle = 64;  // per bank, a multiple of 8: a bank reads or writes one line of this many bits per cycle
  int sram_latency = 1;
  int64_t sram_bytes = 0;  // of all banks; 0: as large as needed
  int dram_bits_per_cycle = 128;
  int dram_latency = 50;
  int host_bits_per_cycle = 32;
  int host_latency = 100;
  int dma_burst_bytes = 256;
  bool operator==(const Platform&) const = default;
};

struct Arch {
  std::string name = "default";
  int configuration_bits_per_cycle = 64;  // of the configuration port; a cell's word is 64 bits
  int tile_width = 0;                     // cells; 0: as large as a kernel needs
  int tile_height = 0;
  Platform platform = {};
};

}  // namespace bitgrid
