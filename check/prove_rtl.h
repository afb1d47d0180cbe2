// Proof that datapath Verilog computes its Dag: Yosys reads the Verilog, ABC compares it with the Dag's LUT network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "check/prove.h"
#include "ir/dag.h"
#include "rtl/verilator.h"

namespace bitgrid::check {

struct ProveRtlParams {
  ProveParams abc;              // its timeout is for all parts of a kernel together
  size_t part_gates = 60000;    // of the Dag: outputs are compared in parts of at most so many gates, or one by one
  std::string yosys = "yosys";  // program
  int yosys_timeout_seconds = 300;
};

struct ProveRtlStats {
  size_t gates = 0;      // of the Verilog, as Yosys has them before any optimisation, that outputs depend on
  size_t registers = 0;  // likewise
  size_t parts = 0;      // that ABC compared
  double yosys_seconds = 0;
  double seconds = 0;  // in all
};

/// For all inputs: the outputs of `source` are the Dag's outputs of the invocation that entered latency_cycles before. Every path from an
/// input to an output is shown to pass exactly that many registers (else the proof is refuted, with what differs in `why`); then the
/// registers are taken for wires and ABC compares. Popcounts of the Dag are compared as trees of sums, which is what the Verilog has, so
/// that ABC finds matching points inside. out_valid is not part of the proof. Throws Error if a program cannot be run or the ports are not
/// the Dag's.
Proof prove_datapath(const Dag& dag, const rtl::RtlSource& source, const ProveRtlParams& params = {}, ProveRtlStats* stats = nullptr);

/// The same function with every popcount as sums of pairs of neighbouring counts, 64 bits at a time.
Dag with_counting_trees(const Dag& dag);

/// The counterexample as input values by port name, hexadecimal: "output s[2]: expected 1, got 0 with a=3 b=0". Bits that ABC does not
/// state are 0.
std::string describe_values(const Counterexample& counterexample, const Dag& dag);

/// A netlist as Yosys writes it, made combinational: registers that lie on every path are wires.
struct UnpipedGate {
  std::string_view name;         // of its output
  std::vector<uint32_t> fanins;  // inputs, then gates in order
  std::string_view cover;        // its lines in BLIF
};
struct Unpiped {
  std::shared_ptr<const std::string> text;  // what names and covers are parts of
  std::string module;
  std::vector<std::string> inputs, outputs;
  std::vector<UnpipedGate> netlist;  // what outputs depend on, topologically
  std::vector<uint32_t> drivers;     // of outputs: an input or a gate
  size_t gates = 0, registers = 0;
  std::string problem;  // what is wrong with the pipeline; empty: nothing
};
Unpiped remove_pipeline(std::string blif, const rtl::RtlInterface& interface);

/// Outputs first .. first + count - 1 with what they depend on, and all inputs.
std::string cone_blif(const Unpiped& unpiped, size_t first, size_t count);

/// The same of a LUT network.
LutNetwork cone(const LutNetwork& network, size_t first, size_t count);

/// Numbers of outputs, in order, such that what each group depends on has at most `nodes` nodes, or it is one output.
std::vector<size_t> group_outputs(const LutNetwork& network, size_t nodes);

}  // namespace bitgrid::check
