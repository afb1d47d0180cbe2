#include "rtl/datapath.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/args.h>
#include <fmt/format.h>

#include "ir/error.h"
#include "rtl/schedule.h"
#include "rtl/verilog_functions.h"

namespace bitgrid::rtl {
namespace {

/// Verilog identifiers for the names of a Dag, to be used behind a prefix that keeps them apart from keywords and from the fixed ports. No
/// "__" in them: Verilator would write that differently in its C++.
class Identifiers {
 public:
  std::string unique(const std::string& name) {
    std::string base;
    for (const char c : name) {
      const char legal = c == '.' ? '_' : c;
      if (legal != '_' || (!base.empty() && base.back() != '_')) base += legal;
    }
    if (!base.empty() && base.back() == '_') base.pop_back();
    if (base.empty()) base = "x";
    std::string result = base;
    for (int i = 2; !taken_.insert(result).second; ++i) result = fmt::format("{}_v{}", base, i);
    return result;
  }

 private:
  std::unordered_set<std::string> taken_;
};

std::string join(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

BitVector fit(const BitVector& value, uint32_t low, uint32_t width) {
  BitVector result(width);
  for (uint32_t i = 0; i < width && low + i < value.width; ++i) result.set(i, value.get(low + i));
  return result;
}

class DatapathWriter {
 public:
  DatapathWriter(const Dag& dag, const DatapathParams& params) : dag_(dag), schedule_(schedule_stages(dag, params.levels_per_stage)) {
    Identifiers identifiers;
    interface_.module = "bitgrid_" + Identifiers().unique(dag.name);
    interface_.latency_cycles = schedule_.stages;
    const std::vector<std::string> names = node_names(dag);
    for (NodeId id = 0; id < dag.size(); ++id) {
      const Op op = dag.node(id).op;
      names_.push_back((op == Op::kInput ? "i_" : op == Op::kOutput ? "o_" : "w_") + identifiers.unique(names[id]));
    }
    for (const NodeId id : dag.inputs) interface_.inputs.push_back({names_[id], dag.node(id).width});
    for (const NodeId id : dag.outputs) interface_.outputs.push_back({names_[id], dag.node(id).width});
  }

  std::string write() {
    std::string body;
    for (uint32_t stage = 0; stage < schedule_.stages; ++stage) body += write_stage(stage);
    body += write_outputs();
    return write_header() + functions_.text() + write_valid() + body + "endmodule\n";
  }

  DatapathStats stats() const {
    const auto nodes = std::count(schedule_.live.begin(), schedule_.live.end(), 1);
    return {interface_, schedule_.stages, register_bits_, static_cast<uint32_t>(nodes)};
  }

 private:
  // values

  /// The node's value as the logic of `stage` sees it.
  std::string value(NodeId id, uint32_t stage) const {
    const Node& node = dag_.node(id);
    if (node.op == Op::kConstant) return verilog_literal(node.value);
    if (schedule_.constant[id] || stage == schedule_.stage[id]) return names_[id];
    return register_name(id, stage);
  }

  std::string register_name(NodeId id, uint32_t stage) const { return fmt::format("r{}_{}", stage, names_[id].substr(2)); }

  std::string slice(NodeId id, uint32_t stage, uint32_t low, uint32_t width) const {
    const Node& node = dag_.node(id);
    if (node.op == Op::kConstant) return verilog_literal(fit(node.value, low, width));
    if (width == node.width) return value(id, stage);
    return width == 1 ? fmt::format("{}[{}]", value(id, stage), low) : fmt::format("{}[{}:{}]", value(id, stage), low + width - 1, low);
  }

  /// Some bits of a gate, as an expression of its operands.
  std::string gate(NodeId id, uint32_t low, uint32_t width) const {
    const Node& node = dag_.node(id);
    fmt::dynamic_format_arg_store<fmt::format_context> operands;
    for (const NodeId operand : node.operands) {
      const uint32_t present = std::min(dag_.node(operand).width, node.width);
      const uint32_t bits = low >= present ? 0 : std::min(width, present - low);
      if (dag_.node(operand).op == Op::kConstant) {
        operands.push_back(verilog_literal(fit(dag_.node(operand).value, low, width)));
      } else if (bits == 0) {
        operands.push_back(verilog_literal(BitVector(width)));
      } else {
        const std::string value = slice(operand, schedule_.stage[id], low, bits);
        operands.push_back(bits == width ? value : fmt::format("{{{}'b0, {}}}", width - bits, value));
      }
    }
    return fmt::vformat(info(node.op).verilog, operands);
  }

  /// The node's value extended or cut to `width`.
  std::string value_of_width(NodeId id, uint32_t stage, uint32_t width) const {
    const Node& node = dag_.node(id);
    if (node.op == Op::kConstant) return verilog_literal(fit(node.value, 0, width));
    if (width <= node.width) return slice(id, stage, 0, width);
    return fmt::format("{{{}'b0, {}}}", width - node.width, value(id, stage));
  }

  std::string expression(NodeId id) {
    const Node& node = dag_.node(id);
    const uint32_t stage = schedule_.stage[id];
    switch (node.op) {
      case Op::kSlice:
        return slice(node.operands[0], stage, node.low, node.width);
      case Op::kConcat: {
        std::vector<std::string> parts;
        for (const NodeId operand : node.operands) parts.push_back(value(operand, stage));
        return "{" + join(parts) + "}";
      }
      case Op::kPopcount: {
        const NodeId operand = node.operands[0];
        const auto bits = [&](uint32_t low, uint32_t width) {
          return schedule_.folded[operand] ? gate(operand, low, width) : slice(operand, stage, low, width);
        };
        return functions_.popcount(bits, dag_.node(operand).width, node.width);
      }
      case Op::kLut:
        return functions_.lut(value(node.operands[0], stage), node.table);
      default:
        return operator_expression(node, stage);
    }
  }

  std::string operator_expression(const Node& node, uint32_t stage) const {
    const OpInfo& op = info(node.op);
    uint32_t width = node.width;
    if (op.width == WidthRule::kOne) {
      for (const NodeId operand : node.operands) width = std::max(width, dag_.node(operand).width);
    }
    fmt::dynamic_format_arg_store<fmt::format_context> operands;
    for (size_t i = 0; i < node.operands.size(); ++i) {
      const bool condition = op.width == WidthRule::kCondition && i == 0;
      operands.push_back(value_of_width(node.operands[i], stage, condition ? 1 : width));
    }
    return fmt::vformat(op.verilog, operands);
  }

  // text

  std::string write_header() const {
    std::string out =
        "// Written by bitgrid. The lines from @module to @end tell its Verilator harness the ports; keep them when you edit the file.\n";
    out += interface_comment(interface_);
    out +=
        fmt::format("{}{}: one invocation per clock, {} clocks from in_valid to out_valid.\n", kKernelRemark, dag_.name, schedule_.stages);
    out += "/* verilator lint_off DECLFILENAME */  // the file is named after the kernel\n";
    if (has_comparison())
      out += "/* verilator lint_off UNSIGNED */  // a comparison with 0 is what the kernel says\n/* verilator lint_off CMPCONST */\n";
    out += "\n";
    out += fmt::format("module {} (\n", interface_.module);
    out += "  input  wire clk,\n  input  wire rst,  // synchronous\n  input  wire in_valid,\n";
    for (const NodeId id : dag_.inputs) {
      const bool waived = schedule_.partly_used[id] && schedule_.last[id] == 0;
      const std::string port = fmt::format("  input  wire {}{},", verilog_range(dag_.node(id).width), names_[id]);
      out += waived ? waive_unused(port) : port + "\n";
    }
    out += "  output wire out_valid";
    for (const NodeId id : dag_.outputs) out += fmt::format(",\n  output wire {}{}", verilog_range(dag_.node(id).width), names_[id]);
    return out + "\n);\n\n";
  }

  bool has_comparison() const {
    for (NodeId id = 0; id < dag_.size(); ++id) {
      if (schedule_.live[id] && dag_.node(id).op == Op::kLess) return true;
    }
    return false;
  }

  /// A declaration of which the kernel uses only some bits.
  static std::string waive_unused(const std::string& declaration) {
    return "  /* verilator lint_off UNUSED */\n" + declaration + "\n  /* verilator lint_on UNUSED */\n";
  }

  std::string declaration(const std::string& kind, NodeId id, const std::string& name, const std::string& definition, bool waived) const {
    const std::string text = fmt::format("  {} {}{}{};", kind, verilog_range(dag_.node(id).width), name, definition);
    return waived ? waive_unused(text) : text + "\n";
  }

  std::string write_valid() const {
    const uint32_t stages = schedule_.stages;
    std::string out = fmt::format("  reg {}valid;\n  always @(posedge clk) ", verilog_range(stages));
    if (stages == 1) return out + "valid <= rst ? 1'b0 : in_valid;\n  assign out_valid = valid;\n\n";
    out += fmt::format("valid <= rst ? {}'b0 : {{valid[{}:0], in_valid}};\n", stages, stages - 2);
    return out + fmt::format("  assign out_valid = valid[{}];\n\n", stages - 1);
  }

  std::string write_stage(uint32_t stage) {
    std::string wires, registers, assignments;
    for (NodeId id = 0; id < dag_.size(); ++id) {
      const Node& node = dag_.node(id);
      if (!schedule_.live[id] || schedule_.folded[id] || node.op == Op::kConstant || node.op == Op::kOutput) continue;
      const bool computed_here = schedule_.stage[id] == stage && node.op != Op::kInput;
      if (computed_here) {
        const bool ends_here = schedule_.constant[id] || schedule_.last[id] == stage;
        wires += declaration("wire", id, names_[id], " = " + expression(id), ends_here && schedule_.partly_used[id]);
      }
      if (schedule_.constant[id] || schedule_.stage[id] > stage || schedule_.last[id] <= stage) continue;
      const bool ends_next = schedule_.last[id] == stage + 1;
      registers += declaration("reg", id, register_name(id, stage + 1), "", ends_next && schedule_.partly_used[id]);
      assignments += fmt::format("    {} <= {};\n", register_name(id, stage + 1), value(id, stage));
      register_bits_ += node.width;
    }
    std::string out = fmt::format("  // Stage {} of {}.\n", stage + 1, schedule_.stages) + wires + registers;
    if (!assignments.empty()) out += "  always @(posedge clk) begin\n" + assignments + "  end\n";
    return out + "\n";
  }

  std::string write_outputs() const {
    std::string out;
    for (const NodeId id : dag_.outputs)
      out += fmt::format("  assign {} = {};\n", names_[id], value(dag_.node(id).operands[0], schedule_.stages));
    return out;
  }

  const Dag& dag_;
  StageSchedule schedule_;
  std::vector<std::string> names_;  // by node, with a prefix of two characters
  RtlInterface interface_;
  VerilogFunctions functions_;
  uint64_t register_bits_ = 0;
};

}  // namespace

std::string datapath_verilog(const Dag& dag, const DatapathParams& params, DatapathStats* stats) {
  if (params.levels_per_stage == 0) throw Error("dag " + dag.name, "0 logic levels per stage", "allow at least 1");
  DatapathWriter writer(dag, params);
  std::string text = writer.write();
  if (stats != nullptr) *stats = writer.stats();
  return text;
}

}  // namespace bitgrid::rtl
