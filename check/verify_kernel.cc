#include "check/verify_kernel.h"

#include <fmt/format.h>

#include "bitgrid_sim/kernel_simulator.h"
#include "ir/dag.h"
#include "ir/error.h"

namespace bitgrid::check {
namespace {

constexpr int kFew = 4;         // invocations after a start or a change of resident bits
constexpr int kLaneRows = 128;  // two invocations in each of 64 lanes

}  // namespace

std::optional<BitDifference> first_difference(const BitMatrix& expected, const BitMatrix& got) {
  for (size_t row = 0; row < expected.rows; ++row) {
    for (size_t bit = 0; bit < expected.cols; ++bit) {
      if (expected.get(row, bit) != got.get(row, bit)) return BitDifference{row, bit, expected.get(row, bit), got.get(row, bit)};
    }
  }
  return std::nullopt;
}

BitMatrix random_invocations(const Kernel& kernel, int rows, std::mt19937_64& random) {
  BitMatrix batch(static_cast<size_t>(rows), input_bits(kernel.dag));
  size_t column = 0;
  for (size_t p = 0; p < kernel.inputs.size(); ++p) {
    const KernelPort& port = kernel.inputs[p];
    const bool resident = kernel.dag.node(kernel.dag.inputs[p]).resident;
    for (int word = 0; word < port.words; ++word, column += port.bits) {
      const uint64_t max = port.max_code[port.max_code.size() == 1 ? 0 : static_cast<size_t>(word)];
      const uint64_t min = port.min_code.empty() ? 0 : port.min_code[static_cast<size_t>(word)];
      for (int row = 0; row < rows; ++row) {
        const auto at = static_cast<size_t>(row);
        if (resident && row > 0) {
          batch.set_word(at, column, port.bits, batch.get_word(0, column, port.bits));
          continue;
        }
        // The ends of the range first, then uniform; every fourth invocation mixes only ends.
        uint64_t code = row == 0 ? max : row == 1 ? min : min + random() % (max - min + 1);
        if (row % 4 == 3) code = random() & 1 ? max : min;
        if (resident) code = random() % (max + 1);
        batch.set_word(at, column, port.bits, code);
      }
    }
  }
  return batch;
}

std::optional<BitDifference> verify_mapping(const Kernel& kernel, const MappedKernel& mapped, const VerifyParams& params,
                                            VerifyStats* stats) {
  std::mt19937_64 random(params.seed);
  std::optional<BitDifference> difference;
  size_t done = 0;
  const auto compare = [&](sim::KernelSimulator& simulator, int rows) {
    const BitMatrix inputs = random_invocations(kernel, rows, random);
    const BitMatrix expected = evaluate(kernel.dag, inputs), got = simulator.run(inputs);
    difference = first_difference(expected, got);
    if (difference) difference->invocation += done;
    done += inputs.rows;
    if (stats) stats->compared += expected.rows * expected.cols;
    return !difference;
  };
  sim::KernelSimulatorParams fabric;
  fabric.defects = params.defects;
  fabric.garbage_seed = params.seed;
  const auto end = [&](const sim::KernelSimulator& simulator) {
    if (stats) stats->cell_updates += simulator.stats().cell_updates();
  };
  fabric.latch_seed = random();
  if (params.starts > 0) {
    sim::KernelSimulator simulator(mapped, fabric);
    for (int s = 0; s < params.starts && !difference; ++s) {
      if (s > 0) simulator.restart(mapped, random());
      const int sets = mapped.residents.empty() || s > 0 ? 1 : 1 + params.resident_changes;
      for (int set = 0; set < sets && compare(simulator, s == 0 && set == 0 ? params.invocations : kFew); ++set) {
      }
    }
    end(simulator);
  }
  if (params.lanes && !difference && params.defects.empty()) {
    fabric.engine = sim::GridEngine::kLanes;
    fabric.latch_seed = random();
    sim::KernelSimulator simulator(mapped, fabric);
    compare(simulator, kLaneRows);
    end(simulator);
  }
  return difference;
}

void require_verified(const Kernel& kernel, const MappedKernel& mapped, const VerifyParams& params, VerifyStats* stats) {
  const auto wrong = verify_mapping(kernel, mapped, params, stats);
  if (!wrong) return;
  throw Error("kernel " + mapped.name,
              fmt::format("the mapping is wrong: random invocation {}, bit {}: expected {}, got {}", wrong->invocation, wrong->bit,
                          wrong->expected, wrong->got),
              "this is a bug in the mapper; nothing was written; please report it with the source file");
}

}  // namespace bitgrid::check
