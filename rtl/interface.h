// What a user of a datapath module must know: its ports and its latency. The Verilog file itself holds this as a comment at its head.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitgrid::rtl {

struct RtlPort {
  std::string name;  // a Verilog identifier without "__"
  uint32_t width = 0;
  bool operator==(const RtlPort&) const = default;
};

/// A module with ports clk, rst (synchronous), in_valid, the inputs, out_valid, the outputs. It takes an invocation in every clock. The
/// result of the invocation at the inputs in clock t is at the outputs, with out_valid, in clock t + latency_cycles.
struct RtlInterface {
  std::string module;
  uint32_t latency_cycles = 0;  // at least 1
  std::vector<RtlPort> inputs;  // in column order of the Dag's BitMatrix
  std::vector<RtlPort> outputs;
  bool operator==(const RtlInterface&) const = default;
};

/// Returns the sum of the widths.
uint32_t total_width(const std::vector<RtlPort>& ports);

/// The beginning of the remark that names the kernel.
inline constexpr std::string_view kKernelRemark = "// Kernel ";

/// These write the comment and read it back from a Verilog text. `source` names the text in Errors.
std::string interface_comment(const RtlInterface& interface);
RtlInterface parse_interface(std::string_view verilog, const std::string& source);

}  // namespace bitgrid::rtl
