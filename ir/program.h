// Program: the kernels of a model and the order in which a token invokes them. Kernels do all the arithmetic; the host only moves bits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ir/dag.h"
#include "ir/kernel_form.h"
#include "ir/packed_weights.h"

namespace bitgrid {

/// Numbers travel as codes: value[c] = code[c] * scale + zero[c].
struct Encoding {
  uint32_t bits = 0;
  int64_t scale = 1;
  std::vector<int64_t> zero;     // one for all channels, or one per channel
  bool twos_complement = false;  // codes are numbers in two's complement; otherwise they are unsigned
};

/// Copies the bit below `bits` into all higher ones.
inline int64_t sign_extended(uint64_t code, uint32_t bits) {
  const uint32_t above = 64 - bits;
  return static_cast<int64_t>(code << above) >> above;
}

inline int64_t decode(const Encoding& e, size_t channel, uint64_t code) {
  const int64_t number = e.twos_complement ? sign_extended(code, e.bits) : static_cast<int64_t>(code);
  return number * e.scale + e.zero[e.zero.size() == 1 ? 0 : channel];
}

/// A named vector of numbers, one vector per token position.
struct Tensor {
  std::string name;
  int count = 0;
  Encoding encoding;
  std::vector<uint64_t> max_code;  // largest code that occurs, one for all channels or one per channel
};

/// Rows of codes in host memory, such as embedding rows and position biases.
struct CodeTable {
  std::string name;
  int rows = 0;
  int cols = 0;
  uint32_t bits = 0;
  std::vector<uint64_t> codes;                                            // row-major; none:
  std::function<void(int row, std::span<uint64_t> codes)> read_row = {};  // for token tables that are too large to keep twice
};
/// Returns the codes of a row.
std::vector<uint64_t> table_row(const CodeTable& table, int row);

/// Weights in host memory whose rows stream through kernels. Depending on the storage, the code of a weight is its bit (-1 or 1), its value
/// + 2 in two bits (-1 .. 1), or a byte in two's complement.
struct WeightMatrix {
  std::string name;
  std::shared_ptr<const PackedWeights> weights;
};

/// A ring buffer of the last `window` positions of a tensor. Position p occupies slot p mod window.
struct Cache {
  int tensor = 0;
  int window = 0;
};

/// An input or output of a kernel, as declared in the Dag: `words` numbers of `bits` bits, with number 0 in the lowest bits.
struct KernelPort {
  int words = 0;
  uint32_t bits = 0;
  std::vector<uint64_t> max_code;       // largest code that occurs, one for all words or one per word; verification draws up to it
  std::vector<uint64_t> min_code = {};  // smallest code that occurs, one per word; empty: 0
};

struct Kernel {
  std::string name;
  Dag dag;
  std::vector<KernelPort> inputs;   // in the order of dag.inputs
  std::vector<KernelPort> outputs;  // in the order of dag.outputs
  int64_t bit_macs = 0;             // products of a weight and an activation bit per invocation; 0: not a matrix
  KernelForm form = {};             // for matrices; it computes what the Dag says
};

/// Which bits of a tensor's codes a port reads: as many as the port's words have, from plane `offset` on, or from plane offset + the
/// value of a number that a kernel computed. Bits below plane 0 are 0. Bits above the highest plane repeat it; those of tensors without
/// negative numbers are 0. The host only computes an address: docs/streaming.md, "Planes".
struct PlaneWindow {
  int address = -1;  // tensor; -1: none
  int channel = 0;
  int offset = 0;
};

/// `words` of the port from a tensor: channels first + repetition * stride on.
struct TensorSource {
  int tensor = 0;
  int first = 0;
  int stride = 0;
  std::optional<PlaneWindow> window = {};  // none: all bits of a code
};
/// The table row of the token `age` positions ago, starting at column `first`. Before the start of the text it is the last row of the
/// table.
struct TokenSource {
  int table = 0;
  int age = 0;
  int first = 0;
  int stride = 0;
};
/// A fixed row of a table, starting at column first + repetition * stride. Used for constants of a layer.
struct RowSource {
  int table = 0;
  int row = 0;
  int first = 0;
  int stride = 0;
};
/// The table row of the token's position.
struct PositionSource {
  int table = 0;
  int first = 0;
  int stride = 0;
};
/// For each ring slot from first_slot + repetition * stride on: the code in table row `row` at the slot's distance t - p. Slots that were
/// never written use the last column, `window`.
struct DistanceSource {
  int table = 0;
  int row = 0;
  int window = 0;
  int first_slot = 0;
  int stride = 0;
};
/// Channels first_channel .. + channels - 1 of ring slots first_slot .. + slots - 1. Each repetition moves both starts by a stride.
struct CacheSource {
  int cache = 0;
  int first_slot = 0;
  int slots = 0;
  int first_channel = 0;
  int channels = 0;
  int slot_stride = 0;
  int channel_stride = 0;
  int planes = 0;  // > 0: repetition r reads bit r mod planes of the codes that repetition r / planes would read
};
/// The codes of row first_row + repetition of a matrix.
struct WeightSource {
  int matrix = 0;
  int first_row = 0;
  bool planes = false;  // like `planes` of CacheSource, for all bits of a code
};
using Source = std::variant<TensorSource, TokenSource, RowSource, PositionSource, DistanceSource, CacheSource, WeightSource>;

struct Destination {
  int tensor = 0;
  int first = 0;
  int stride = 0;
};

/// One use of a kernel by a token: `repeat` invocations on one tile. Steps of one stage do not depend on each other and run side by side.
struct Step {
  std::string name;  // kernel name, plus the instance if a kernel has several
  int kernel = 0;
  int repeat = 1;
  int stage = 0;
  std::vector<Source> inputs;        // one for each input port
  std::vector<Destination> outputs;  // one for each output port
};

struct Program {
  std::string name;
  std::vector<Kernel> kernels;
  std::vector<Tensor> tensors;
  std::vector<CodeTable> tables;
  std::vector<Cache> caches;
  std::vector<WeightMatrix> weights;
  std::vector<Step> steps;
  int logits = 0;  // tensor
};

/// Returns whether a step needs a tile of its own. It does if its kernel's cells hold cached numbers, which stay there between tokens.
/// Other resident numbers are written for every use, so that their steps may share a tile.
bool keeps_tile(const Program& program, const Step& step);

/// Returns how often a token invokes a kernel, over all its steps.
int invocations_per_token(const Program& program, int kernel);

/// Throws Error if ports, sources and tensors do not fit together or a tensor is read before it is written.
void verify(const Program& program);

}  // namespace bitgrid
