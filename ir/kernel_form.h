// What is known of a kernel beyond its Dag: its matrix, in the form that the matrix strategies take.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace bitgrid {

/// Consecutive input bits of the kernel that form an unsigned number, bit 0 first.
struct Word {
  uint32_t first = 0;  // index of bit 0 among the kernel's input bits
  uint32_t bits = 0;
  uint32_t shift = 0;  // bit k travels in slot k + shift, so that the number counts 2^shift times
  uint64_t max = 0;    // largest value that occurs, before the shift
  uint64_t rest = 0;   // value while no invocation enters (MappedKernel::resting_ones)
};

/// A weight in LUT contents. An input bit chooses between `zero` and `one`, which are each -1 .. 1.
struct ResidentDigit {
  uint32_t bit = 0;
  int8_t zero = 0;
  int8_t one = 0;
};

/// One row of cells: start + sum of digit[c] * column[c]. Each column has an entry in exactly one of `weights` and `residents`.
struct PlaneRow {
  std::vector<int8_t> weights;  // -1, 0, 1
  std::vector<ResidentDigit> residents;
  int64_t start = 0;               // constant first partial sum: must keep every partial sum >= 0
  std::optional<Word> start_word;  // an input word instead of `start`
};

/// One sum: the sum of 2^p * plane p, most significant plane first, plus an input word that is added at the row end.
struct RowGroup {
  std::vector<PlaneRow> planes;
  std::optional<Word> residual;
  int multiplier = 1;  // with BitSerialForm::multiply: z = (sum + strip_constant) * multiplier + multiplier_constant, 7 bits dropped
  int multiplier_constant = 0;
};

/// Saturation of the sum; see lowering/mapping/matrix/row_end_stamps.h.
struct ClampForm {
  int shift = 0;
  int sign = 0;
  int width = 0;
  bool low = false;
};

/// What a kernel computes, as arrays of digits. The output bits are the raw sums of all groups (raw_bits each), then the results of all
/// groups.
struct BitSerialForm {
  std::vector<Word> columns;
  std::vector<RowGroup> groups;
  uint32_t raw_bits = 0;       // > 0: the sums leave unchanged, with this many bits each
  uint32_t raw_shift = 0;      // from this slot on
  int64_t strip_constant = 0;  // added to every group's sum on its way to the clamp or the sign
  bool multiply = false;       // 8-bit multipliers before the clamp
  std::optional<ClampForm> clamp;
  bool sign = false;
  int word_slots = 0;  // P = II
};

/// One output: 1 if at least `theta` inputs agree with their weight. Input bit 1 agrees with weight +1, bit 0 with weight -1, and weight 0
/// never agrees. Theta may be any number: 0 or less gives the constant 1, and more than the number of nonzero weights gives the constant 0.
struct PopcountRow {
  std::vector<int8_t> weights;  // -1, 0, 1; one for each input
  int64_t theta = 0;
};

/// Input bit c of the kernel is input c, output bit r is row r.
struct PopcountForm {
  uint32_t inputs = 0;
  std::vector<PopcountRow> rows;
};

/// A layer that is wider than a tile is cut into parts of consecutive inputs, each at least kLeastPart wide. Each part but the last passes
/// its running counts to the next. They are output bits of the one part, and input bits of the other after its own inputs
/// (popcount_wave_state_bits of them, in the same order). The last part gives the answers.
struct InputPart {
  uint32_t first = 0;
  uint32_t count = 0;
};
/// The inputs of a parallel form that a kernel adds to running counts, and which parallel form it is.
struct CountPart {
  InputPart inputs;
  bool interleaved = false;
};

/// A column of resident numbers. One or two consecutive input bits form a code, which selects the number that is added to the sum.
struct StreamedColumn {
  uint32_t first = 0;           // input bit: bit 0 of the code
  std::vector<uint64_t> table;  // by code: 2 or 4 numbers
  /// For each code, or empty: the first input bit of the number, if the number is an input word of table_bits bits. `table` is 0 there.
  std::vector<std::optional<uint32_t>> residents = {};
};

/// A row of a matrix whose weights stream past resident activations: start + sum of table[code] over all columns, modulo 2^sum_bits. The
/// tables follow from the activations, the codes are weights, and each invocation computes one row.
struct StreamedForm {
  std::vector<StreamedColumn> columns;
  uint32_t table_bits = 0;         // every table entry is below 2^table_bits
  uint32_t sum_bits = 0;           // of the only output
  uint64_t start = 0;              // the same for every row, below 2^sum_bits
  std::optional<Word> start_word;  // an input word instead of `start`, of at most sum_bits
};

/// How bits mean a number. In offset binary, code = number + 2^(bits - 1).
enum class NumberCode : uint8_t { kUnsigned, kOffset, kTwos };

/// A factor of a product.
struct Factor {
  uint32_t bits = 0;  // consecutive input bits of the kernel, bit 0 first
  NumberCode code = NumberCode::kUnsigned;
};

/// The product of two words, the kernel's inputs in this order. It is signed where a factor is.
struct ProductForm {
  Factor a, b;
  uint32_t outputs = 0;        // the lowest bits of the product; at most a.bits + b.bits
  bool offset_result = false;  // a signed product with all its bits leaves in offset binary, otherwise in two's complement
};

/// What is known of a kernel beyond its Dag: the forms that a matrix or a product can take on the grid. None: tables and glue.
struct KernelForm {
  std::optional<BitSerialForm> serial;
  std::optional<PopcountForm> parallel;
  std::optional<CountPart> part = {};  // a part of `parallel`, with the form already chosen
  std::optional<StreamedForm> streamed = {};
  std::optional<ProductForm> product = {};
};

}  // namespace bitgrid
