#include "check/prove_rtl.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <map>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/file.h"
#include "ir/temporary_folder.h"
#include "rtl/command.h"

namespace bitgrid::check {
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

/// The first part that is not proved, or proved.
Proof compare_parts(const LutNetwork& dag, const Unpiped& verilog, const TemporaryFolder& folder, const ProveRtlParams& params,
                    ProveRtlStats& stats) {
  const auto begin = std::chrono::steady_clock::now();
  const std::string expected = folder.file("dag.blif"), got = folder.file("verilog.blif"), log = folder.file("abc.log");
  const std::vector<size_t> groups = group_outputs(dag, params.part_gates);
  size_t first = 0;
  for (const size_t count : groups) {
    ProveParams abc = params.abc;
    const auto used = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin).count();
    abc.timeout_seconds = std::max(1, params.abc.timeout_seconds - static_cast<int>(used));
    const LutNetwork part = cone(dag, first, count);
    write_file(expected, to_blif(part));
    write_file(got, cone_blif(verilog, first, count));
    write_file(log, "");
    Proof proof = run_cec(expected, got, log, abc);
    if (proof.verdict != Verdict::kProved) {
      name_ports(proof.counterexample, part);
      if (proof.verdict == Verdict::kOpen && groups.size() > 1)
        proof.why += fmt::format(" (the outputs before {} are proved)", dag.outputs[first].name);
      return proof;
    }
    ++stats.parts;
    first += count;
  }
  return {Verdict::kProved, "", {}};
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

LutNetwork cone(const LutNetwork& network, size_t first, size_t count) {
  LutNetwork part;
  part.name = network.name;
  part.inputs = network.inputs;
  std::vector<SignalId> moved(network.nodes.size(), kConstantSignal);
  std::vector<bool> needed(network.nodes.size());
  const auto need = [&](SignalId s) {
    if (s != kConstantSignal && !network.is_input(s)) needed[s - network.inputs.size()] = true;
  };
  const auto to = [&](SignalId s) { return s == kConstantSignal || network.is_input(s) ? s : moved[s - network.inputs.size()]; };
  for (size_t o = first; o < first + count; ++o) need(network.outputs[o].signal);
  for (size_t n = network.nodes.size(); n-- > 0;) {
    if (!needed[n]) continue;
    for (const SignalId s : fanins(network.nodes[n])) need(s);
  }
  for (size_t n = 0; n < network.nodes.size(); ++n) {
    if (!needed[n]) continue;
    LutNode node = network.nodes[n];
    for (unsigned j = 0; j < node.fanin_count; ++j) node.fanins[j] = to(node.fanins[j]);
    moved[n] = part.signal_of_node(part.nodes.size());
    part.nodes.push_back(node);
  }
  for (size_t o = first; o < first + count; ++o) {
    part.outputs.push_back(network.outputs[o]);
    part.outputs.back().signal = to(part.outputs.back().signal);
  }
  return part;
}

std::vector<size_t> group_outputs(const LutNetwork& network, size_t nodes) {
  std::vector<size_t> groups;
  std::vector<uint32_t> group_of(network.nodes.size(), 0);
  size_t size = 0;
  /// Nodes that an output adds to group `mark`.
  const auto add = [&](SignalId root, uint32_t mark) {
    size_t added = 0;
    std::vector<SignalId> stack = {root};
    while (!stack.empty()) {
      const SignalId s = stack.back();
      stack.pop_back();
      if (s == kConstantSignal || network.is_input(s) || group_of[s - network.inputs.size()] == mark) continue;
      group_of[s - network.inputs.size()] = mark;
      ++added;
      for (const SignalId f : fanins(network.node_of(s))) stack.push_back(f);
    }
    return added;
  };
  uint32_t mark = 0;
  for (const LutOutput& output : network.outputs) {
    if (!groups.empty()) {
      size += add(output.signal, mark);
      if (size <= nodes) {
        ++groups.back();
        continue;
      }
    }
    groups.push_back(1);
    size = add(output.signal, ++mark);
  }
  return groups;
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

Proof prove_datapath(const Dag& dag, const rtl::RtlSource& source, const ProveRtlParams& params, ProveRtlStats* stats) {
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  ProveRtlStats local;
  ProveRtlStats& out = stats != nullptr ? *stats : local;
  out = {};
  if (rtl::total_width(source.interface.inputs) != total(dag, dag.inputs) ||
      rtl::total_width(source.interface.outputs) != total(dag, dag.outputs))
    throw Error(source.name, "the Verilog has other ports than the kernel", "write the Verilog again");
  const TemporaryFolder folder;
  write_file(folder.file("kernel.v"), source.text);
  write_file(folder.file("ripple.v"), kAdders);
  const std::string script =
      fmt::format("read_verilog {}; hierarchy -check -top {}; proc -norom; flatten; techmap -map {}; techmap; simplemap; write_blif {}",
                  folder.file("kernel.v"), source.interface.module, folder.file("ripple.v"), folder.file("raw.blif"));
  const int status = rtl::run_command(
      {"timeout", "-k", "5", std::to_string(params.yosys_timeout_seconds), params.yosys, "-q", "-p", script}, folder.file("yosys.log"));
  out.yosys_seconds = out.seconds = elapsed();
  if (status == 127)
    throw Error("--prove", "the program " + params.yosys + " cannot be run", "install it (Debian: apt install yosys) or leave out --prove");
  if (status == 124 || status == 137)
    return {Verdict::kOpen, fmt::format("Yosys did not finish within {} seconds", params.yosys_timeout_seconds), {}};
  if (status != 0) return {Verdict::kOpen, "Yosys does not read the Verilog: " + last_line(read_file(folder.file("yosys.log"))), {}};

  const Unpiped unpiped = remove_pipeline(read_file(folder.file("raw.blif")), source.interface);
  out.gates = unpiped.gates;
  out.registers = unpiped.registers;
  if (!unpiped.problem.empty()) return {Verdict::kRefuted, unpiped.problem, {}};
  Proof proof = compare_parts(dag_network(with_counting_trees(dag)), unpiped, folder, params, out);
  out.seconds = elapsed();
  return proof;
}

}  // namespace bitgrid::check
