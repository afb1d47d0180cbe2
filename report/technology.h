// What a cell costs and how fast it is: constants of a process and of the machine around the grid. docs/estimate.md gives the sources.
#pragma once

#include <cstdint>
#include <string>

namespace bitgrid {

struct Technology {
  std::string name = "45nm";
  double clock_mhz = 500;            // cycles, that is pairs of phases
  double cell_area_um2 = 292.5;      // 64 latches, 60 multiplexers, 4 latches
  double update_fj = 52.5;           // of a cell in a cycle, while words pass
  double memory_pj_per_bit = 0.156;  // on-chip memory, read or written
  double configuration_pj_per_bit = 0.156;
  double leakage_nw_per_cell = 0;
  int64_t memory_bits_per_cycle = 4096;  // between memory and the border ports
  int64_t cells_available = 0;           // 0: as many as the model needs, all resident
  bool operator==(const Technology&) const = default;
};

/// Reads arch/45nm.yaml or one like it; fields that it leaves out keep their defaults. Throws Error (file, line, cure).
Technology load_technology(const std::string& path);

}  // namespace bitgrid
