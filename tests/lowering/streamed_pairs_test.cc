#include "lowering/mapping/streamed/streamed_pairs.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "check/verify_kernel.h"
#include "lowering/mapping/map.h"
#include "lowering/mapping/streamed/streamed_matrix.h"
#include "tests/support/errors.h"

namespace bitgrid::mapping {
namespace {

std::vector<int64_t> random_x(int count, int64_t least, int64_t most, std::mt19937_64& random) {
  std::vector<int64_t> x;
  for (int i = 0; i < count; ++i) x.push_back(least + static_cast<int64_t>(random() % static_cast<uint64_t>(most - least + 1)));
  return x;
}

struct PairsCase {
  const char* name;
  WeightCode weights;
  int inputs;
  int64_t least, most;
  uint64_t start_max;
};
void PrintTo(const PairsCase& c, std::ostream* out) {
  *out << c.name;
}

class StreamedPairs : public testing::TestWithParam<PairsCase> {
 protected:
  StreamedMatrix matrix(std::mt19937_64& random) const {
    const PairsCase& c = GetParam();
    return {random_x(c.inputs, c.least, c.most, random), c.least, c.most, c.weights, c.start_max, 0};
  }
};

TEST_P(StreamedPairs, ComputesWhatTheDagSays) {
  std::mt19937_64 random(1);
  for (int turn = 0; turn < 4; ++turn) {
    const Kernel kernel = streamed_kernel("matrix", matrix(random));
    const MappedKernel mapped = map_kernel(kernel, {});
    EXPECT_EQ(mapped.strategy, "streamed-pairs");
    EXPECT_EQ(mapped.ii, 3);
    check::VerifyParams params;
    params.seed = random();
    const auto difference = check::verify_mapping(kernel, mapped, params);
    ASSERT_FALSE(difference) << "invocation " << difference->invocation << ", bit " << difference->bit;
  }
}

TEST_P(StreamedPairs, SizesAreKnownWithoutLaying) {
  std::mt19937_64 random(2);
  const Kernel kernel = streamed_kernel("matrix", matrix(random));
  const MappedKernel mapped = map_streamed_pairs("matrix", *kernel.form.streamed, input_bits(kernel.dag));
  const BitSerialSize size = streamed_pairs_size(*kernel.form.streamed);
  EXPECT_EQ(size.width, mapped.grid.width);
  EXPECT_EQ(size.height, mapped.grid.height);
  EXPECT_EQ(size.latency_cycles, latency_cycles(mapped));
}

TEST_P(StreamedPairs, OtherNumbersTakeTheSameCells) {
  std::mt19937_64 random(3);
  const Kernel first = streamed_kernel("matrix", matrix(random)), second = streamed_kernel("matrix", matrix(random));
  MappedKernel mapped = map_kernel(first, {});
  reload_tables(mapped.grid, *second.form.streamed);
  EXPECT_EQ(mapped, map_kernel(second, {}));
  EXPECT_FALSE(check::verify_mapping(second, mapped));
}

INSTANTIATE_TEST_SUITE_P(
    Weights, StreamedPairs,
    testing::Values(
        PairsCase{"binary", unsigned_weights(1), 46, 0, 255, 0}, PairsCase{"binary_odd", unsigned_weights(1), 17, 0, 255, 0},
        PairsCase{"binary_one", unsigned_weights(1), 1, 0, 3, 0}, PairsCase{"binary_start", unsigned_weights(1), 42, 0, 255, 40000},
        PairsCase{"binary_low_start", unsigned_weights(1), 20, 0, 255, 1000}, PairsCase{"one_bit_inputs", unsigned_weights(1), 30, 0, 1, 0},
        PairsCase{"ternary", ternary_weights(), 26, -127, 127, 0}, PairsCase{"ternary_start", ternary_weights(), 26, -127, 127, 100000},
        PairsCase{"ternary_unsigned", ternary_weights(), 9, 0, 255, 0}, PairsCase{"ternary_wide", ternary_weights(), 150, -127, 127, 0},
        PairsCase{"two_bits", unsigned_weights(2), 20, 0, 254, 0}, PairsCase{"three_bits", unsigned_weights(3), 7, 0, 15, 0},
        PairsCase{"four_bits", unsigned_weights(4), 11, 0, 255, 0}, PairsCase{"eight_bits", unsigned_weights(8), 5, 0, 255, 99}),
    [](const testing::TestParamInfo<PairsCase>& one) { return std::string(one.param.name); });

/// All codes of a few small columns, in all orders of neighbours that a de Bruijn walk would meet: every invocation follows many others.
TEST(StreamedPairsExhaustive, EveryCodeAndStart) {
  const StreamedMatrix matrix{{3, 2, 1, 3}, 0, 3, unsigned_weights(2), 15, 0};
  const Kernel kernel = streamed_kernel("small", matrix);
  const uint32_t bits = input_bits(kernel.dag);
  ASSERT_EQ(bits, 12U);
  BitMatrix all(size_t{1} << bits, bits);
  for (size_t row = 0; row < all.rows; ++row) all.set_word(row, 0, bits, row * 2053 % all.rows);
  sim::KernelSimulatorParams params;
  params.latch_seed = 5;
  for (const auto engine : {sim::GridEngine::kScalar, sim::GridEngine::kSliced, sim::GridEngine::kLanes}) {
    params.engine = engine;
    EXPECT_EQ(sim::KernelSimulator(map_kernel(kernel, {}), params).run(all), evaluate(kernel.dag, all));
  }
}

TEST(StreamedPairsStart, ClocksComeIntoStepFromAnyLatches) {
  std::mt19937_64 random(4);
  for (int turn = 0; turn < 40; ++turn) {
    const Kernel kernel = streamed_kernel("matrix", {random_x(12, -3, 3, random), -3, 3, ternary_weights(), 0, 0});
    check::VerifyParams params;
    params.seed = random();
    EXPECT_FALSE(check::verify_mapping(kernel, map_kernel(kernel, {}), params));
  }
}

/// A resident bit chooses between two sets of numbers: cells are rewritten while the clocks of the array run on.
TEST(StreamedPairsReload, ClocksKeepStep) {
  std::mt19937_64 random(6);
  const StreamedMatrix one{random_x(14, -127, 127, random), -127, 127, ternary_weights(), 0, 0};
  StreamedMatrix other = one;
  other.x = random_x(14, -127, 127, random);
  const Kernel first = streamed_kernel("m", one), second = streamed_kernel("m", other);
  MappedKernel mapped = map_kernel(first, {});
  const GridConfig with_other = map_kernel(second, {}).grid;
  const uint32_t bits = mapped.input_bits++;
  for (const CellBits& cell : streamed_table_bits(*first.form.streamed))
    mapped.residents.push_back({bits, cell.x, cell.y, mapped.grid.at(cell.x, cell.y), with_other.at(cell.x, cell.y)});
  BitMatrix inputs(60, bits + 1), codes(60, bits);
  for (size_t row = 0; row < inputs.rows; ++row) {
    codes.set_word(row, 0, bits, random());
    inputs.set_word(row, 0, bits, codes.get_word(row, 0, bits));
    inputs.set(row, bits, row / 7 % 2 != 0);
  }
  const BitMatrix sums = sim::KernelSimulator(mapped).run(inputs);
  const BitMatrix even = evaluate(first.dag, codes), odd = evaluate(second.dag, codes);
  for (size_t row = 0; row < inputs.rows; ++row) {
    const BitMatrix& expected = inputs.get(row, bits) ? odd : even;
    EXPECT_EQ(sums.get_word(row, 0, mapped.output_bits), expected.get_word(row, 0, mapped.output_bits)) << "row " << row;
  }
}

TEST(StreamedPairsReload, FourBitsOfConfigurationATableBit) {
  std::mt19937_64 random(7);
  const Kernel kernel = streamed_kernel("m", {random_x(26, -127, 127, random), -127, 127, ternary_weights(), 0, 0});
  int bits = 0;
  for (const CellBits& cell : streamed_table_bits(*kernel.form.streamed)) bits += std::popcount(cell.mask);
  EXPECT_EQ(bits, 4 * 8 * 26);
}

/// The mapping of a form with one table entry changed, against the Dag.
TEST(StreamedPairsErrors, AWrongTableIsSeen) {
  std::mt19937_64 random(5);
  const Kernel kernel = streamed_kernel("matrix", {random_x(9, -127, 127, random), -127, 127, ternary_weights(), 0, 0});
  for (size_t c = 0; c < 9; ++c) {
    StreamedForm planted = kernel.form.streamed.value();
    planted.columns[c].table[3] ^= uint64_t{1} << (c % 8);
    EXPECT_TRUE(check::verify_mapping(kernel, map_streamed_pairs("matrix", planted, input_bits(kernel.dag))));
  }
}

TEST(StreamedPairsErrors, OtherStrategiesRefuse) {
  const Kernel kernel = streamed_kernel("m", {{1, 2}, 0, 3, unsigned_weights(1), 0, 0});
  for (const char* strategy : {"bit-serial", "popcount-wave"}) {
    MapParams params;
    params.strategy = strategy;
    EXPECT_EQ(test::error_of([&] { map_kernel(kernel, params); }),
              std::string("kernel m: strategy ") + strategy + ": the kernel's weights stream; use streamed-pairs");
  }
}

TEST(StreamedPairsErrors, SayWhatToChange) {
  const auto error = [](const StreamedForm& form) { return test::error_of([&] { map_streamed_pairs("m", form, 2); }); };
  EXPECT_EQ(error({}), "kernel m: a streamed matrix without columns; give it at least one");
  EXPECT_EQ(error({{{0, {0, 1}}}, 1, 1, 0, {}}),
            "kernel m: tables of 1 bits and a sum of 1; tables take at least 1 bit, the sum at least one more, and at most 64");
  EXPECT_EQ(error({{{0, {0, 4}}}, 2, 4, 0, {}}), "kernel m: column 0 adds 4, which is more than 2 bits; raise table_bits");
  EXPECT_EQ(error({{{0, {1, 2}}}, 2, 4, 0, {}}), "kernel m: code 0 adds 1 in column 0; make code 0 add nothing, or leave it unused");
  EXPECT_EQ(error({{{0, {0, 1, 2}}}, 2, 4, 0, {}}), "kernel m: column 0 has a table of 3 numbers; give 2 numbers, or 4: one for each code");
  EXPECT_EQ(error({{{0, {0, 1}}}, 2, 4, 16, {}}),
            "kernel m: a start of 5 bits for a sum of 4; the start takes 1 bit to as many as the sum, and is not shifted");
}

}  // namespace
}  // namespace bitgrid::mapping
