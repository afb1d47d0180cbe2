#include "check/prove_rtl.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <map>

#include <fmt/format.h>

#include "check/temporary_folder.h"
#include "ir/error.h"
#include "ir/file.h"
#include "rtl/command.h"

namespace bitgrid {
namespace {

/// Sums and differences as ripple carries: what Yosys has by itself (look-ahead) is ten times as many gates.
constexpr const char* kAdders = R"((* techmap_celltype = "$add $sub" *)
module ripple (A, B, Y);
  parameter _TECHMAP_CELLTYPE_ = "";
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  localparam SUBTRACT = _TECHMAP_CELLTYPE_ == "$sub";
  wire [Y_WIDTH-1:0] a, b, c;
  \$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) pos_a (.A(A), .Y(a));
  \$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) pos_b (.A(B), .Y(b));
  wire [Y_WIDTH-1:0] d = SUBTRACT ? ~b : b;
  wire [Y_WIDTH-1:0] x = a ^ d;
  assign Y = x ^ c;
  wire [Y_WIDTH:0] carry = {(a & d) | (x & c), SUBTRACT ? 1'b1 : 1'b0};
  assign c = carry[Y_WIDTH-1:0];
endmodule
)";

uint32_t total(const Dag& dag, const std::vector<NodeId>& ports) {
  uint32_t sum = 0;
  for (const NodeId id : ports) sum += dag.node(id).width;
  return sum;
}

NodeId counting_tree(Dag& dag, NodeId operand, uint32_t width) {
  constexpr uint32_t kChunk = 64;
  const uint32_t bits = dag.node(operand).width;
  NodeId sum = 0;
  for (uint32_t first = 0; first < bits; first += kChunk) {
    std::vector<NodeId> counts;
    for (uint32_t i = first; i < std::min(bits, first + kChunk); ++i) counts.push_back(add_slice(dag, operand, i, 1));
    for (uint32_t digits = 2; counts.size() > 1; ++digits) {
      std::vector<NodeId> next;
      for (size_t i = 0; i < counts.size(); i += 2)
        next.push_back(i + 1 < counts.size() ? add_node(dag, Op::kAdd, digits, {counts[i], counts[i + 1]}) : counts[i]);
      counts = std::move(next);
    }
    sum = first == 0 ? counts[0] : add_node(dag, Op::kAdd, width, {sum, counts[0]});
  }
  return dag.node(sum).width == width ? sum : add_node(dag, Op::kOr, width, {sum, sum});  // extended or cut
}

std::string last_line(const std::string& log) {
  std::string text = log;
  text.erase(text.find_last_not_of("\r\n ") + 1);
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

Dag with_counting_trees(const Dag& dag) {
  Dag out;
  out.name = dag.name;
  std::vector<NodeId> moved(dag.size());
  for (NodeId id = 0; id < dag.size(); ++id) {
    const Node& node = dag.node(id);
    std::vector<NodeId> operands;
    for (const NodeId operand : node.operands) operands.push_back(moved[operand]);
    switch (node.op) {
      case Op::kInput:
        moved[id] = add_input(out, node.name, node.width, node.resident);
        break;
      case Op::kConstant:
        moved[id] = add_constant(out, node.value);
        break;
      case Op::kSlice:
        moved[id] = add_slice(out, operands[0], node.low, node.width);
        break;
      case Op::kLut:
        moved[id] = add_lut(out, operands[0], node.table);
        break;
      case Op::kPopcount:
        moved[id] = counting_tree(out, operands[0], node.width);
        break;
      case Op::kOutput:
        moved[id] = add_output(out, node.name, operands[0]);
        break;
      default:
        moved[id] = add_node(out, node.op, node.width, operands);
    }
  }
  return out;
}

std::string describe_values(const Counterexample& c, const Dag& dag) {
  if (c.output.empty()) return "an output differs (ABC names none)";
  std::map<std::string, bool> values(c.inputs.begin(), c.inputs.end());
  std::string text = fmt::format("output {}: expected {:d}, got {:d}", c.output, c.expected, c.got);
  for (const NodeId id : dag.inputs) {
    const Node& node = dag.node(id);
    BitVector value(node.width);
    for (uint32_t i = 0; i < node.width; ++i) value.set(i, values[node.width == 1 ? node.name : fmt::format("{}[{}]", node.name, i)]);
    text += fmt::format("{}{}=0x{}", id == dag.inputs[0] ? " with " : " ", node.name, to_hex(value));
  }
  return text;
}

Proof prove_datapath(const Dag& dag, const RtlSource& source, const ProveRtlParams& params, ProveRtlStats* stats) {
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  ProveRtlStats local;
  ProveRtlStats& out = stats != nullptr ? *stats : local;
  out = {};
  if (total_width(source.interface.inputs) != total(dag, dag.inputs) || total_width(source.interface.outputs) != total(dag, dag.outputs))
    throw Error(source.name, "the Verilog has other ports than the kernel", "write the Verilog again");
  const TemporaryFolder folder;
  write_file(folder.file("kernel.v"), source.text);
  write_file(folder.file("ripple.v"), kAdders);
  const std::string script =
      fmt::format("read_verilog {}; hierarchy -check -top {}; proc -norom; flatten; techmap -map {}; techmap; simplemap; write_blif {}",
                  folder.file("kernel.v"), source.interface.module, folder.file("ripple.v"), folder.file("raw.blif"));
  const int status = run_command({"timeout", "-k", "5", std::to_string(params.yosys_timeout_seconds), params.yosys, "-q", "-p", script},
                                 folder.file("yosys.log"));
  out.yosys_seconds = out.seconds = elapsed();
  if (status == 127)
    throw Error("--prove", "the program " + params.yosys + " cannot be run", "install it (Debian: apt install yosys) or leave out --prove");
  if (status == 124 || status == 137)
    return {Verdict::kOpen, fmt::format("Yosys came to no end in {} seconds", params.yosys_timeout_seconds), {}};
  if (status != 0) return {Verdict::kOpen, "Yosys does not read the Verilog: " + last_line(read_file(folder.file("yosys.log"))), {}};

  const Unpiped unpiped = remove_pipeline(read_file(folder.file("raw.blif")), source.interface);
  out.gates = unpiped.gates;
  out.registers = unpiped.registers;
  if (!unpiped.problem.empty()) return {Verdict::kRefuted, unpiped.problem, {}};
  const LutNetwork network = dag_network(with_counting_trees(dag));
  write_file(folder.file("dag.blif"), to_blif(network));
  write_file(folder.file("verilog.blif"), unpiped.blif);
  Proof proof = run_cec(folder.file("dag.blif"), folder.file("verilog.blif"), folder.file("abc.log"), params.abc);
  name_ports(proof.counterexample, network);
  out.seconds = elapsed();
  return proof;
}

}  // namespace bitgrid
