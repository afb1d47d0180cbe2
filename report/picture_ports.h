// The border ports of a floorplan: marks, labels, tooltips.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "ir/mapped_kernel.h"
#include "report/picture_signals.h"

namespace bitgrid::report {

/// What passes at one border port.
struct Port {
  std::set<uint32_t> inputs, outputs;  // bits
  bool constant = false;
  int input_phase = std::numeric_limits<int>::max();  // first
  int output_phase = std::numeric_limits<int>::max();

  bool has(Signal signal) const {  // kInput, kConstant or kOutput
    return signal == Signal::kOutput ? !outputs.empty() : signal == Signal::kInput ? !inputs.empty() : constant && inputs.empty();
  }
};
using Ports = std::array<std::vector<Port>, 4>;  // [side][position]

Ports ports_of(const MappedKernel& kernel);
bool any_port(const Ports& ports, Signal signal);

/// Where the grid is in the picture. A block of block x block cells takes pixels x pixels.
struct Frame {
  int cells_wide = 0, cells_high = 0;
  int block = 1;
  int pixels = 1;
  int left = 0, top = 0;

  int width() const { return cells_wide * pixels / block; }
  int height() const { return cells_high * pixels / block; }
};

/// Returns "3:0", "7", or "12 bits" for bits that are not consecutive.
std::string bits_label(const std::set<uint32_t>& bits);
/// Returns the pixels that the longest label takes.
int label_room(const Ports& ports);

/// Draws a triangle for each port with its bits and a tooltip. block == 1.
std::string detailed_ports(const Ports& ports, const Frame& frame);
/// Draws bars along the border: inputs and constants next to it, outputs outside them.
std::string overview_ports(const Ports& ports, const Frame& frame);

}  // namespace bitgrid::report
