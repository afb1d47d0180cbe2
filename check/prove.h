// Proves that a mapped kernel computes what its source says. ABC's combinational equivalence checker compares both as LUT networks.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "check/extract.h"
#include "ir/dag.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::check {

enum class Verdict : uint8_t { kProved, kRefuted, kOpen };

/// Values of inputs for which an output differs, as far as ABC states them (inputs that do not matter may be missing).
struct Counterexample {
  std::string output;
  bool expected = false;
  bool got = false;
  std::vector<std::pair<std::string, bool>> inputs;
};

struct Proof {
  Verdict verdict = Verdict::kOpen;
  std::string why;  // kOpen: what stopped it
  Counterexample counterexample;
};

struct ProveParams {
  int timeout_seconds = 60;          // of ABC, per kernel
  std::string abc = "berkeley-abc";  // program
  std::string source_blif;           // the text of the netlist that the Dag was read from, if any: compared instead of the Dag
  ExtractParams extract;
};

struct ProveStats {
  ExtractStats extract;
  size_t luts = 0;  // of the extracted network, after copies are folded
  double seconds = 0;
};

/// Throws Error if ABC cannot be run.
void require_abc(const ProveParams& params = {});

/// Extracts the kernel's logic (see extract_logic) and has ABC compare it with the Dag's bits or with the netlist itself. Inputs and
/// outputs are matched by order. Whatever other invocations could contribute becomes inputs of the extracted network that the source does
/// not have, so that the proof holds for any values of them. Kernels with loops stay open, because their network is only that of the first
/// invocation. Throws Error if ABC cannot be run or if the kernel's bit counts differ from the Dag's.
Proof prove_mapping(const Dag& dag, const MappedKernel& mapped, const ProveParams& params = {}, ProveStats* stats = nullptr);

/// Returns "output s[2]: expected 1, got 0 with a=1 b[0]=0", with at most `max_inputs` inputs.
std::string describe(const Counterexample& counterexample, size_t max_inputs = 32);

/// Returns the bit level of a Dag as a LutNetwork of two-input nodes, for comparison. Bits are called NAME[i], or NAME if there is one.
LutNetwork dag_network(const Dag& dag);

/// Reads what ABC's `cec` printed.
Proof parse_cec(const std::string& log);

/// Has ABC compare two BLIF files whose inputs and outputs are matched by order. `log` names a file for its output. Throws Error if ABC
/// cannot be run.
Proof run_cec(const std::string& expected, const std::string& got, const std::string& log, const ProveParams& params);

/// Replaces ABC's numbers of inputs and outputs with the network's names.
void name_ports(Counterexample& counterexample, const LutNetwork& source);

}  // namespace bitgrid::check
