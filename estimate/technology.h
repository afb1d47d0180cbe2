// What a cell costs and how fast it is: constants of a process and of the machine around the grid. arch/45nm.yaml gives the sources.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bitgrid::estimate {

// Limits for technology files, and for sweeps that set the same values.
inline constexpr double kMinConstant = 1e-9, kMaxConstant = 1e12;  // of constants that must be above 0; others start at 0
inline constexpr int64_t kMaxMemoryRate = int64_t{1} << 40;        // bits a cycle
inline constexpr int64_t kMaxCellsAvailable = int64_t{1} << 50;

/// Returns the area of a cell: its logic, and 64 bits of configuration.
constexpr double cell_area(double logic_um2, double bit_um2) {
  return logic_um2 + 64 * bit_um2;
}

struct Technology {
  std::string name = "45nm";
  double clock_mhz = 500;  // in cycles, which are pairs of phases
  double cell_area_um2 = cell_area(139.9, 2.66);
  double update_fj = 52.5;           // per cell and cycle, while words pass
  double memory_pj_per_bit = 0.156;  // on-chip memory, read or written
  double configuration_pj_per_bit = 0.156;
  double leakage_nw_per_cell = 0;
  int64_t memory_bits_per_cycle = 4096;  // between memory and the border ports, for estimates only (docs/estimate.md)
  int64_t cells_available = 0;           // 0: as many as the model needs, all resident
  bool operator==(const Technology&) const = default;
};

/// Additional constants for the area and speed of synthesized logic.
struct GateTechnology {
  Technology technology;
  std::string configuration;  // what holds a cell's word: a key of configuration_bit_um2
  double cell_logic_um2 = 0;
  std::map<std::string, double> configuration_bit_um2;  // flip_flops, latches, sram
  std::map<std::string, double> standard_cells_um2;     // by kind (rtl/standard_cells.h)
  double gate_delay_ps = 0, register_delay_ps = 0;
  double gate_fj = 0;  // of a two-input gate in an operation
  /// Where each constant comes from, in the file's order.
  std::vector<std::pair<std::string, std::string>> sources;
};

/// Reads arch/45nm.yaml or a file like it. Missing fields keep their defaults. Throws Error (file, line, cure).
Technology load_technology(const std::string& path);
/// The same with what synthesis needs. Empty path: arch/45nm.yaml as it was when the program was built.
GateTechnology load_gate_technology(const std::string& path);
/// The same for the file's text; `file` names the file in messages.
GateTechnology parse_gate_technology(const std::string& text, const std::string& file);

/// Returns the highest clock rate at which `levels` gates fit between registers, without wires.
double clock_mhz(const GateTechnology& t, uint64_t levels);

}  // namespace bitgrid::estimate
