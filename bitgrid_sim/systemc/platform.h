// The platform: a whole Program on tiles with SRAM banks, DRAM, a DMA, configuration ports and a host around them. It is a SystemC model
// with TLM-2.0 sockets that shows where the cycles go. docs/platform.md has the block diagram and the timing rules.
//
// Every bit moves. Operands and results travel as transactions between tiles and SRAM banks, table rows and configuration words come from
// the DRAM, and a tile computes from what was sent to it. Inside a tile, the grid is a KernelSimulator, run invocation by invocation. Each
// finishes latency_cycles after it starts, and starts are at least II apart. One clock cycle is 1 ns of SystemC time, whatever the clock
// rate.
//
// SystemC allows one simulation per process and keeps global state. simulate_platform therefore forks a child, which elaborates, runs, and
// sends its result back through a pipe. It may be called repeatedly, but by only one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bitgrid_sim/systemc/timeline.h"
#include "ir/arch.h"
#include "ir/host.h"
#include "ir/mapped_kernel.h"
#include "ir/program.h"

namespace bitgrid::platform {

/// Returns whether bitgrid was built with SystemC.
bool platform_available();

struct PlatformParams {
  Arch arch;
  std::vector<std::vector<int>> streams = {};  // texts served at the same time: the initial tokens of each, at least one
  int generate = 0;                            // tokens to generate for each stream after those
  /// Chooses the next token of a stream. It runs in the child process, so that its side effects are lost. Needed with `generate`.
  std::function<int(size_t stream, const std::vector<int64_t>& logits)> choose = nullptr;
  bool keep_values = false;    // StreamResult::values
  bool keep_timeline = false;  // PlatformResult::timeline
  std::function<void(const std::string&)> progress = nullptr;
};

struct TokenTime {
  uint64_t begin = 0;
  uint64_t end = 0;
  CycleParts parts;  // of the steps that the token waited for, one after another; idle: of tiles used by others; sum: end - begin
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TokenTime, begin, end, parts)

struct StreamResult {
  std::vector<int> tokens;  // given and generated
  std::vector<TokenTime> times;
  HostTrace values;  // codes of every tensor at every position
};

struct TileResult {
  std::string name;  // name of its kernel, or of its step if the tile keeps one
  CycleParts parts;  // sum: PlatformResult::cycles
  uint64_t loads = 0;
  uint64_t configuration_words = 0;
  uint64_t invocations = 0;
  uint64_t cell_updates = 0;  // simulated
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TileResult, name, parts, loads, configuration_words, invocations, cell_updates)

struct KernelResult {
  std::string name;
  uint64_t executions = 0;  // of its steps
  uint64_t invocations = 0;
  CycleParts parts;  // summed over executions, from when a step could begin until its results are written
  uint64_t configuration_words = 0;
  uint64_t operand_bytes = 0;
  uint64_t result_bytes = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(KernelResult, name, executions, invocations, parts, configuration_words, operand_bytes, result_bytes)

struct BusResult {
  std::string name;
  uint64_t bytes = 0;
  uint64_t transactions = 0;
  uint64_t busy_cycles = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BusResult, name, bytes, transactions, busy_cycles)

struct PlatformResult {
  uint64_t load_cycles = 0;  // configuration of resident tiles and tables before the first token
  uint64_t cycles = 0;       // from there to the end of the last token
  uint64_t sram_bytes = 0;   // used
  uint64_t dram_bytes = 0;
  std::vector<StreamResult> streams;
  std::vector<TileResult> tiles;
  std::vector<KernelResult> kernels;
  std::vector<BusResult> buses;
  Timeline timeline;  // cycle 0 is that of the first token

  uint64_t tokens() const;
  /// For all streams together.
  double tokens_per_second(double clock_mhz) const;
  /// For all tokens together.
  CycleParts parts() const;
};

/// Runs the streams to their ends. `mapped`: one per kernel. Throws Error if SystemC is missing, if tiles are too few or too small, if the
/// SRAM is too small, or if a stream has no tokens, and whatever `choose` throws.
PlatformResult simulate_platform(const Program& program, const std::vector<MappedKernel>& mapped, const PlatformParams& params);

}  // namespace bitgrid::platform
