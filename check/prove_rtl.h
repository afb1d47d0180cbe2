// Proves that datapath Verilog computes its Dag. Yosys reads the Verilog, and ABC compares it with the Dag's LUT network.
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
  ProveParams abc;              // its timeout covers all parts of a kernel together
  size_t part_gates = 60000;    // of the Dag: outputs are compared in parts with at most this many gates, or one by one
  std::string yosys = "yosys";  // program
  int yosys_timeout_seconds = 300;
};

struct ProveRtlStats {
  size_t gates = 0;      // of the Verilog that outputs depend on, as Yosys has them before any optimisation
  size_t registers = 0;  // likewise
  size_t parts = 0;      // that ABC compared
  double yosys_seconds = 0;
  double seconds = 0;  // in all
};

/// Proves for all inputs that the outputs of `source` are the Dag's outputs of the invocation that entered latency_cycles before. It shows
/// that every path from an input to an output passes exactly that many registers (otherwise the proof is refuted, and `why` says what
/// differs). Then it treats the registers as wires, and ABC compares. Popcounts of the Dag are compared as trees of sums, as the Verilog
/// has them, so that ABC finds matching points inside. The proof does not cover out_valid. Throws Error if a program cannot be run or the
/// ports are not the Dag's.
Proof prove_datapath(const Dag& dag, const rtl::RtlSource& source, const ProveRtlParams& params = {}, ProveRtlStats* stats = nullptr);

/// Returns the same function with every popcount as sums of pairs of adjacent counts, 64 bits at a time.
Dag with_counting_trees(const Dag& dag);

/// Returns the counterexample as hexadecimal input values by port name: "output s[2]: expected 1, got 0 with a=3 b=0". Bits that ABC does
/// not state are 0.
std::string describe_values(const Counterexample& counterexample, const Dag& dag);

/// A gate of a netlist as Yosys writes it, made combinational: registers that lie on every path become wires.
struct UnpipedGate {
  std::string_view name;         // of its output
  std::vector<uint32_t> fanins;  // inputs, then gates in order
  std::string_view cover;        // its lines in BLIF
};
struct Unpiped {
  std::shared_ptr<const std::string> text;  // owns the text of names and covers
  std::string module;
  std::vector<std::string> inputs, outputs;
  std::vector<UnpipedGate> netlist;  // gates that outputs depend on, in topological order
  std::vector<uint32_t> drivers;     // of outputs: an input or a gate
  size_t gates = 0, registers = 0;
  std::string problem;  // problem of the pipeline; empty: none
};
Unpiped remove_pipeline(std::string blif, const rtl::RtlInterface& interface);

/// Returns outputs first .. first + count - 1 with everything they depend on, and all inputs.
std::string cone_blif(const Unpiped& unpiped, size_t first, size_t count);

/// The same for a LUT network.
LutNetwork cone(const LutNetwork& network, size_t first, size_t count);

/// Splits the outputs, in order, into groups. Each depends on at most `nodes` nodes, or is a single output. Returns the sizes of the
/// groups.
std::vector<size_t> group_outputs(const LutNetwork& network, size_t nodes);

}  // namespace bitgrid::check
