// Architecture: what the fabric around the cells is like. Defaults are those of arch/default.yaml.
#pragma once

#include <cstdint>
#include <string>

namespace bitgrid {

// Ranges of an architecture file, and of sweeps and technology files that set the same.
inline constexpr int kMaxConfigurationRate = 1 << 20;  // bits a cycle
inline constexpr int kMaxTileSide = 1 << 16;           // cells
inline constexpr double kMinClockMhz = 1e-3, kMaxClockMhz = 1e6;

/// Whether kernels keep tiles of their own, loaded once before the first token, or are loaded whenever a step needs them.
enum class Residency : uint8_t { kResident, kShared };

/// When a step may begin: after all steps of the stage before it, as `cycles_per_token` counts, or as soon as its operands are written.
enum class Schedule : uint8_t { kStages, kDataflow };

/// Constant streams of a tile: begun so that an invocation can start in any cycle, or running on, so that it starts at a multiple of II.
enum class ConstantStreams : uint8_t { kTimed, kFree };

/// What stands around the tiles (docs/platform.md). Rates are in bits a cycle; 0: unlimited. Latencies are in cycles.
struct Platform {
  double clock_mhz = 500;
  int tiles = 0;  // 0: as many as are needed (resident), or one (shared)
  Residency residency = Residency::kResident;
  Schedule schedule = Schedule::kStages;
  ConstantStreams constants = ConstantStreams::kTimed;
  int border_queue = 2;  // invocations whose operands, and as many whose results, the border of a tile can hold
  int configuration_ports = 1;
  int sram_banks = 16;
  int sram_bits_per_cycle = 64;  // of a bank, a multiple of 8: a bank reads or writes one line of so many bits a cycle
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
  int configuration_bits_per_cycle = 64;  // of the configuration port: a cell's word is 64 bits
  int tile_width = 0;                     // cells; 0: as large as a kernel needs
  int tile_height = 0;
  Platform platform = {};
};

}  // namespace bitgrid
