#include "lowering/mapping/streamed/streamed_matrix.h"

#include <gtest/gtest.h>

#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "check/verify_kernel.h"
#include "ir/dag.h"
#include "lowering/mapping/map.h"
#include "tests/support/errors.h"

namespace bitgrid::mapping {
namespace {

/// A row of random codes, and the sum that they stand for.
int64_t fill_row(const StreamedMatrix& m, BitMatrix& batch, size_t row, std::mt19937_64& random) {
  int64_t sum = 0;
  const WeightCode& w = m.weights;
  for (size_t i = 0; i < m.x.size(); ++i) {
    const size_t k = random() % w.values.size();
    batch.set_word(row, i * w.bits, w.bits, w.first + k);
    sum += w.values[k] * m.x[i];
  }
  return sum;
}

TEST(StreamedMatrix, TheKernelIsTheSumOfProducts) {
  std::mt19937_64 random(1);
  for (const WeightCode& weights : {unsigned_weights(1), unsigned_weights(2), unsigned_weights(8), ternary_weights()}) {
    const bool is_signed = weights.first > 0;
    StreamedMatrix m{{}, is_signed ? -100 : 0, 100, weights, 0, 0};
    for (int i = 0; i < 33; ++i) m.x.push_back(m.least + static_cast<int64_t>(random() % static_cast<uint64_t>(101 - m.least)));
    const Kernel kernel = streamed_kernel("m", m);
    BitMatrix batch(20, input_bits(kernel.dag));
    std::vector<int64_t> expected;
    for (size_t row = 0; row < batch.rows; ++row) expected.push_back(fill_row(m, batch, row, random) + plan_streamed("m", m).offset);
    const BitMatrix sums = evaluate(kernel.dag, batch);
    for (size_t row = 0; row < batch.rows; ++row)
      EXPECT_EQ(sums.get_word(row, 0, kernel.outputs[0].bits), static_cast<uint64_t>(expected[row]));
  }
}

/// The tables' words that x make, as table_words says.
std::vector<uint64_t> tables_of(const StreamedShape& shape, const std::vector<int64_t>& x) {
  std::vector<uint64_t> words;
  const int64_t o = table_offset(shape);
  for (size_t i = 0; i < x.size(); i += shape.weights.bits == 1 ? 2 : 1) {
    if (shape.weights.bits == 2) {
      words.push_back(static_cast<uint64_t>(o - x[i]));
      words.push_back(static_cast<uint64_t>(o + x[i]));
      continue;
    }
    words.push_back(static_cast<uint64_t>(x[i] - shape.least));
    if (i + 1 == x.size()) break;
    words.push_back(static_cast<uint64_t>(x[i + 1] - shape.least));
    words.push_back(words[words.size() - 2] + words.back());
  }
  return words;
}

/// One kernel for all x of a width: x change while it runs.
TEST(StreamedMatrix, ResidentWordsChangeFromBatchToBatch) {
  std::mt19937_64 random(3);
  for (const int inputs : {1, 2, 13, 40}) {
    for (const bool ternary : {false, true}) {
      const StreamedShape shape{inputs, -100, 100, ternary ? ternary_weights() : unsigned_weights(1)};
      const Kernel kernel = streamed_kernel("m", shape);
      sim::KernelSimulatorParams start;
      start.latch_seed = 5;
      sim::KernelSimulator sliced(map_kernel(kernel, {}), start);
      start.engine = sim::GridEngine::kLanes;
      sim::KernelSimulator lanes(map_kernel(kernel, {}), start);
      for (int batch = 0; batch < 3; ++batch) {
        StreamedMatrix m{{}, shape.least, shape.most, shape.weights, 0, 0};
        for (int i = 0; i < inputs; ++i) m.x.push_back(static_cast<int64_t>(random() % 201) - 100);
        const std::vector<uint64_t> tables = tables_of(shape, m.x);
        ASSERT_EQ(std::ssize(tables), table_words(shape));
        const size_t bits = table_bits(shape), first = tables.size() * bits;
        BitMatrix rows(150, input_bits(kernel.dag)), weights(rows.rows, static_cast<size_t>(inputs) * shape.weights.bits);
        std::vector<int64_t> expected;
        for (size_t r = 0; r < rows.rows; ++r) {
          expected.push_back(fill_row(m, weights, r, random));
          for (size_t w = 0; w < tables.size(); ++w) rows.set_word(r, w * bits, static_cast<uint32_t>(bits), tables[w]);
          for (size_t b = 0; b < weights.cols; ++b) rows.set(r, first + b, weights.get(r, b));
        }
        const BitMatrix sums = evaluate(kernel.dag, rows);
        const uint32_t width = kernel.outputs[0].bits;
        for (size_t r = 0; r < rows.rows; ++r) {
          int64_t ones = 0;
          for (size_t b = 0; b < weights.cols; ++b) ones += weights.get(r, b);
          const int64_t y = ternary ? expected[r] + (int64_t{1} << (width - 1)) : expected[r] - shape.least * ones;
          ASSERT_EQ(sums.get_word(r, 0, width), static_cast<uint64_t>(y)) << inputs << " inputs, row " << r;
        }
        EXPECT_EQ(sliced.run(rows), sums) << inputs << " inputs, ternary " << ternary;
        EXPECT_EQ(lanes.run(rows), sums) << inputs << " inputs, ternary " << ternary;
      }
    }
  }
}

TEST(StreamedMatrix, ResidentKernelsAreVerifiedFromRandomStarts) {
  for (const StreamedShape& shape : {StreamedShape{30, -127, 127, ternary_weights()}, StreamedShape{31, -128, 127, unsigned_weights(1)}}) {
    const Kernel kernel = streamed_kernel("m", shape);
    check::VerifyParams params;
    params.starts = 20;
    const auto difference = check::verify_mapping(kernel, map_kernel(kernel, {}), params);
    EXPECT_FALSE(difference) << "invocation " << difference->invocation << ", bit " << difference->bit;
  }
}

TEST(StreamedMatrix, ResidentBitsInEachOthersPlacesAreFound) {
  const Kernel kernel = streamed_kernel("m", StreamedShape{6, -7, 7, ternary_weights()});
  MappedKernel mapped = map_kernel(kernel, {});
  std::swap(mapped.residents[0].bit, mapped.residents[1].bit);
  EXPECT_TRUE(check::verify_mapping(kernel, mapped));
}

TEST(StreamedMatrix, PartsHandTheirSumsOn) {
  std::mt19937_64 random(2);
  StreamedMatrix m{{}, -127, 127, ternary_weights(), 0, 0};
  for (int i = 0; i < 70; ++i) m.x.push_back(static_cast<int64_t>(random() % 255) - 127);
  const Kernel whole = streamed_kernel("whole", m);
  BitMatrix batch(40, input_bits(whole.dag));
  for (size_t row = 0; row < batch.rows; ++row) fill_row(m, batch, row, random);
  BitMatrix sums;
  size_t first = 0;
  for (const StreamedMatrix& part : cut_streamed("parts", m, 26)) {
    const Kernel kernel = streamed_kernel("part", part);
    const size_t bits = part.x.size() * 2;
    BitMatrix inputs(batch.rows, input_bits(kernel.dag));
    for (size_t row = 0; row < batch.rows; ++row) {
      for (size_t b = 0; b < bits; b += 2) inputs.set_word(row, b, 2, batch.get_word(row, first + b, 2));
      if (part.start_bits > 0) inputs.set_word(row, bits, part.start_bits, sums.get_word(row, 0, part.start_bits));
    }
    sums = sim::KernelSimulator(map_kernel(kernel, {})).run(inputs);
    first += bits;
  }
  EXPECT_EQ(sums, evaluate(whole.dag, batch));
}

TEST(StreamedMatrix, PlanesOfWeightsAddUp) {
  for (const bool negative_top : {false, true}) {
    const Kernel kernel = plane_sum_kernel("planes", 8, 40 * 255, negative_top);
    const MappedKernel mapped = map_kernel(kernel, {});
    EXPECT_EQ(mapped.ii, 22);
    const auto difference = check::verify_mapping(kernel, mapped);
    EXPECT_FALSE(difference) << "invocation " << difference->invocation << ", bit " << difference->bit;
  }
}

/// Eight invocations of the kernel for one-bit weights a row, and one of the kernel that adds their sums.
TEST(StreamedMatrix, EightBitWeightsArePlanes) {
  constexpr int kRows = 12, kInputs = 20;
  std::mt19937_64 random(4);
  StreamedMatrix m{{}, 0, 255, unsigned_weights(1), 0, 0};
  for (int i = 0; i < kInputs; ++i) m.x.push_back(static_cast<int64_t>(random() % 256));
  const Kernel bits = streamed_kernel("bits", m), sum = plane_sum_kernel("sum", 8, plan_streamed("bits", m).sum_max, true);
  BitMatrix planes(kRows * 8, kInputs), words(kRows, input_bits(sum.dag));
  std::vector<int64_t> expected(kRows);
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t i = 0; i < kInputs; ++i) {
      const auto weight = static_cast<int64_t>(random() % 256) - 128;
      expected[row] += weight * m.x[i];
      for (size_t p = 0; p < 8; ++p) planes.set(row * 8 + p, i, weight >> p & 1);
    }
  }
  const BitMatrix sums = sim::KernelSimulator(map_kernel(bits, {})).run(planes);
  const unsigned width = sum.inputs[0].bits;
  for (size_t row = 0; row < planes.rows; ++row) words.set_word(row / 8, row % 8 * width, width, sums.get_word(row, 0, width));
  const BitMatrix totals = sim::KernelSimulator(map_kernel(sum, {})).run(words);
  const auto offset = static_cast<int64_t>(plane_sum_offset(8, plan_streamed("bits", m).sum_max));
  for (size_t row = 0; row < kRows; ++row)
    EXPECT_EQ(static_cast<int64_t>(totals.get_word(row, 0, sum.outputs[0].bits)) - offset, expected[row]);
}

TEST(StreamedMatrix, OffsetsDoNotDependOnX) {
  const StreamedMatrix m{{1, 2, 3}, -127, 127, ternary_weights(), 0, 0};
  StreamedMatrix other = m;
  other.x = {-127, 0, 127};
  EXPECT_EQ(plan_streamed("m", m).offset, 381);
  EXPECT_EQ(plan_streamed("m", other).offset, 381);
}

TEST(StreamedMatrix, ErrorsSayWhatToChange) {
  const auto error = [](const StreamedMatrix& m) { return test::error_of([&] { plan_streamed("m", m); }); };
  EXPECT_EQ(error({{}, 0, 1, ternary_weights(), 0, 0}), "kernel m: a streamed matrix without inputs; give it at least one");
  EXPECT_EQ(error({{5}, 0, 1, ternary_weights(), 0, 0}), "kernel m: x[0] = 5 lies outside 0 .. 1; widen the range");
  EXPECT_EQ(error({{-1}, -1, 1, unsigned_weights(1), 0, 0}),
            "kernel m: code 0 must add nothing, and no other code may add less; make x codes from 0 up, and make weight code 0 mean 0; "
            "subtract what that adds from the starts of the rows");
  EXPECT_EQ(
      error({{1}, 0, 1, {2, {0, 1, 2}, 0}, 0, 0}),
      "kernel m: 3 values from code 0 for weights of 2 bits; give a value to each code from the first to the last; weights have 1 to 16 "
      "bits");
  EXPECT_EQ(error({{1}, 0, 1, {3, {0, 1, 2, 4, 8, 16, 32, 64}, 0}, 0, 0}),
            "kernel m: the values of weights of 3 bits do not rise in equal steps; use codes from 0");
  EXPECT_EQ(test::error_of([] {
              cut_streamed("m", {{1}, 0, 1, ternary_weights(), 0, 0}, 3);
            }),
            "kernel m: parts of 3 inputs; use an even number of them, at least 2");
}

}  // namespace
}  // namespace bitgrid::mapping
