// Waveforms of border ports and cells, one timestep per phase: value change dumps (IEEE 1364), or FST if it is built in. GTKWave reads
// both.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ir/grid_config.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::sim {

class FstFile;

/// One direction of a border port. An input shows the bit that is driven in a phase, and an output shows the bit that is latched after it.
struct PortName {
  Side side = Side::N;
  int position = 0;
  bool output = false;
  bool operator==(const PortName&) const = default;
};

/// Returns "n0_in", "w12_out".
std::string to_string(const PortName& port);

/// Reads such names. Throws Error if a name is malformed or the port is not on the grid's border.
PortName parse_port(const std::string& name, int width, int height);

/// Returns all 2 * (2W + 2H) ports of a grid: N, E, S, W; inputs before outputs.
std::vector<PortName> all_ports(int width, int height);
/// Returns the ports that a kernel uses, each once, in the same order.
std::vector<PortName> kernel_ports(const MappedKernel& kernel);

/// Collects changes as text, or in a file if `path` ends in .fst.
class VcdWriter {
 public:
  /// `scope` names the module in the dump. Throws Error if FST is requested but not built in.
  VcdWriter(std::vector<PortName> ports, const std::string& scope, const std::string& path = "");
  /// Records other signals by name; ports() is then empty.
  VcdWriter(const std::vector<std::string>& names, const std::string& scope, const std::string& path = "");
  ~VcdWriter();

  const std::vector<PortName>& ports() const { return ports_; }
  /// Takes the values of the ports (or other signals) in the next phase, one entry each.
  void sample(const std::vector<uint8_t>& values);
  /// Returns the whole dump so far, or nothing for an FST file.
  std::string text() const;
  /// Writes the dump through a temporary name. An FST file keeps the path that it was started with. Throws Error if it cannot be written.
  void write(const std::string& path);

 private:
  void declare(const std::vector<std::string>& names, const std::string& scope, const std::string& path);

  std::vector<PortName> ports_;
  std::vector<std::string> codes_;
  std::vector<uint8_t> last_;
  uint64_t phase_ = 0;
  std::string text_;
  std::unique_ptr<FstFile> fst_;
};

}  // namespace bitgrid::sim
