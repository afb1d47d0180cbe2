#include "bitgrid_sim/kernel_simulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "ir/error.h"
#include "tests/bitgrid_sim/named_engine.h"
#include "tests/support/errors.h"

namespace bitgrid::sim {
namespace {

using testing::HasSubstr;

/// A truth table from a function of the inputs n, e, s, w.
Lut table(const std::function<bool(bool, bool, bool, bool)>& f) {
  unsigned lut = 0;
  for (unsigned i = 0; i < 16; ++i) lut |= static_cast<unsigned>(f(i & 1u, i & 2u, i & 4u, i & 8u)) << i;
  return static_cast<Lut>(lut);
}

/// Cell A of the 2-cell multiply-accumulate stamp: N own carry, E x, S the lower A's carry to bounce, W partial sum.
CellWord accumulate(int weight) {
  const auto majority = [](bool a, bool b, bool c) { return a + b + c >= 2; };
  if (weight == 0) return cell_word({0, kFromW, kFromS, 0});
  const Lut sum = table([](bool n, bool e, bool, bool w) { return n ^ e ^ w; });
  const Lut carry = weight > 0 ? table([&](bool n, bool e, bool, bool w) { return majority(n, e, w); })
                               : table([&](bool n, bool e, bool, bool w) { return majority(n, e, !w); });
  return cell_word({carry, sum, kFromS, 0});
}

/// y_r = offset_r + sum over c of +-1 * k_rc * x_c on word streams. x_c: `bits` stream bits a column, first; then the resident bits k_rc,
/// row by row: 0 passes, 1 adds or (sign -1) subtracts. Outputs: rows of P bits.
struct SerialMatrix {
  int rows = 5, columns = 6, bits = 5, length = 8;
  std::vector<int> signs;
  MappedKernel kernel;

  explicit SerialMatrix(uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < rows * columns; ++i) signs.push_back(random() % 2 ? 1 : -1);
    kernel.name = "matrix";
    kernel.strategy = "bit-serial";
    kernel.grid = GridConfig(2 * columns, rows + 1);
    kernel.ii = length;
    kernel.lead_cycles = length;
    kernel.input_bits = static_cast<uint32_t>(columns * bits + rows * columns);
    kernel.output_bits = static_cast<uint32_t>(rows * length);
    for (int c = 0; c < columns; ++c) place_column(c);
    for (int r = 0; r < rows; ++r) place_row_ends(r);
  }

  int sign(int r, int c) const { return signs[static_cast<size_t>(r * columns + c)]; }
  uint32_t stream_bit(int c, int k) const { return static_cast<uint32_t>(c * bits + k); }
  uint32_t resident_bit(int r, int c) const { return static_cast<uint32_t>(columns * bits + r * columns + c); }
  int offset(int r) const {
    int sum = 0;
    for (int c = 0; c < columns; ++c) sum += sign(r, c) < 0 ? (1 << bits) - 1 : 0;
    return sum;
  }

  void place_column(int c) {
    kernel.grid.at(2 * c, 0) = cell_word({0, 0, kFromS, 0});  // row 0 bounces carries and passes x
    kernel.grid.at(2 * c + 1, 0) = cell_word({0, 0, kFromN, 0});
    for (int k = 0; k < bits; ++k) kernel.inputs.push_back({stream_bit(c, k), {Side::N, 2 * c + 1, 1 + 2 * c + 2 * k}, 1});
    for (int r = 0; r < rows; ++r) {
      kernel.residents.push_back({resident_bit(r, c), 2 * c, r + 1, accumulate(0), accumulate(sign(r, c))});
      kernel.grid.at(2 * c, r + 1) = accumulate(0);
      kernel.grid.at(2 * c + 1, r + 1) = cell_word({0, kFromW, kFromN, kFromN});
    }
  }

  void place_row_ends(int r) {
    ConstantStream stream{{Side::W, r + 1, r + 3}, {}};
    for (int k = 0; k < length; ++k) {
      stream.bits.push_back(static_cast<uint8_t>((offset(r) >> k) & 1));
      kernel.outputs.push_back({Side::E, r + 1, r + 2 * columns + 2 + 2 * k});
    }
    kernel.constants.push_back(stream);
  }

  /// Random x; the resident bits change every `repeat` invocations.
  BitMatrix random_inputs(size_t invocations, size_t repeat, uint64_t seed) const {
    std::mt19937_64 random(seed);
    BitMatrix in(invocations, kernel.input_bits);
    for (size_t i = 0; i < invocations; ++i) {
      for (uint32_t b = 0; b < kernel.input_bits; ++b) {
        const bool keep = b >= static_cast<uint32_t>(columns * bits) && i % repeat != 0;
        in.set(i, b, keep ? in.get(i - 1, b) : random() & 1u);
      }
    }
    return in;
  }

  BitMatrix expected(const BitMatrix& in) const {
    BitMatrix out(in.rows, kernel.output_bits);
    for (size_t i = 0; i < in.rows; ++i) {
      for (int r = 0; r < rows; ++r) {
        int sum = offset(r);
        for (int c = 0; c < columns; ++c) {
          const auto x = static_cast<int>(in.get_word(i, stream_bit(c, 0), static_cast<unsigned>(bits)));
          sum += sign(r, c) * in.get(i, resident_bit(r, c)) * x;
        }
        out.set_word(i, static_cast<size_t>(r * length), static_cast<unsigned>(length), static_cast<uint64_t>(sum));
      }
    }
    return out;
  }
};

class Engines : public testing::TestWithParam<NamedEngine> {};
INSTANTIATE_TEST_SUITE_P(All, Engines, testing::Values(kScalarEngine, kSlicedEngine), testing::PrintToStringParamName());

/// Batches of many sizes, resident bits that change often or seldom, one or several threads, run after run: the scalar engine's outputs.
TEST(Lanes, BatchesEqualTheOtherEngines) {
  const SerialMatrix m(21);
  for (const size_t threads : {size_t{1}, size_t{3}}) {
    KernelSimulator lanes(m.kernel, {GridEngine::kLanes, false, threads});
    uint64_t seed = 22;
    for (const auto& [rows, repeat] : std::vector<std::pair<size_t, size_t>>{
             {1, 1}, {5, 2}, {64, 1}, {100, 7}, {300, 5000}, {2000, 5000}, {2000, 3}, {1500, 1}, {7, 7}}) {
      const BitMatrix in = m.random_inputs(rows, repeat, ++seed);
      EXPECT_EQ(lanes.run(in), m.expected(in)) << rows << " rows, " << repeat << " alike";
    }
    EXPECT_EQ(lanes.run(BitMatrix(0, m.kernel.input_bits)).rows, 0u);
    EXPECT_EQ(lanes.stats().invocations, 5977u);
  }
}

TEST(Lanes, LeadAfterReconfigurationTakesItsTime) {
  const SerialMatrix m(23);
  const BitMatrix in = m.random_inputs(200, 1, 24);
  KernelSimulator short_way(m.kernel, {GridEngine::kLanes, false}), long_way(m.kernel, {GridEngine::kLanes, true});
  EXPECT_EQ(short_way.run(in), m.expected(in));
  EXPECT_EQ(long_way.run(in), m.expected(in));
  EXPECT_EQ(long_way.run(in), m.expected(in));
  short_way.run(in);
  EXPECT_GT(long_way.stats().phases, short_way.stats().phases);
}

TEST(Lanes, ATamperedCellChangesTheResult) {
  const SerialMatrix m(10);
  const BitMatrix in = m.random_inputs(600, 1000, 11);
  MappedKernel tampered = m.kernel;
  tampered.grid.at(1, 0) ^= uint64_t{1} << (4 * 1 + static_cast<unsigned>(Side::S));
  EXPECT_NE(KernelSimulator(tampered, {GridEngine::kLanes, false}).run(in), m.expected(in));
}

TEST(Lanes, AutoTakesThemForLargeBatches) {
  const SerialMatrix m(25);
  const BitMatrix few = m.random_inputs(3, 1000, 26), many = m.random_inputs(60'000, 100'000, 27);
  KernelSimulator simulator(m.kernel, {GridEngine::kAuto, false}), sliced(m.kernel);
  EXPECT_EQ(simulator.run(few), m.expected(few));
  sliced.run(few);
  EXPECT_EQ(simulator.stats().phases, sliced.stats().phases);
  EXPECT_EQ(simulator.run(many), m.expected(many));
  EXPECT_LT(simulator.stats().phases, uint64_t{60'000});
  EXPECT_GT(simulator.stats().cell_updates(), uint64_t{60'000} * m.kernel.grid.cells.size() * static_cast<uint64_t>(m.kernel.ii));
}

TEST(Lanes, RecordNoWaveform) {
  const SerialMatrix m(28);
  KernelSimulator simulator(m.kernel, {GridEngine::kLanes, false});
  VcdWriter vcd(kernel_ports(m.kernel), "lanes");
  EXPECT_THROW(simulator.record(&vcd), Error);
}

TEST_P(Engines, MultiplyAccumulateBackToBack) {
  const SerialMatrix m(1);
  KernelSimulator simulator(m.kernel, {GetParam(), false});
  const BitMatrix in = m.random_inputs(40, 1000, 2);
  EXPECT_EQ(simulator.run(in), m.expected(in));
  // 40 invocations at ii cycles each, the lead, and the latency of the last one.
  EXPECT_EQ(simulator.stats().invocations, 40u);
  EXPECT_LE(simulator.stats().cycles(), static_cast<uint64_t>(40 * m.kernel.ii + m.kernel.lead_cycles + latency_cycles(m.kernel)));
  EXPECT_EQ(simulator.stats().reconfigurations, 1u);  // from the zeros of the configuration to the first invocation's bits
}

TEST_P(Engines, ResidentBitsChangeBetweenInvocations) {
  const SerialMatrix m(3);
  KernelSimulator simulator(m.kernel, {GetParam(), false});
  const BitMatrix in = m.random_inputs(30, 4, 4);
  EXPECT_EQ(simulator.run(in), m.expected(in));
  EXPECT_EQ(simulator.stats().reconfigurations, 8u);
}

TEST_P(Engines, StateLivesOnFromRunToRun) {
  const SerialMatrix m(5);
  KernelSimulator simulator(m.kernel, {GetParam(), false});
  for (uint64_t batch = 0; batch < 6; ++batch) {
    const BitMatrix in = m.random_inputs(1 + batch % 3, 2, 6 + batch);
    EXPECT_EQ(simulator.run(in), m.expected(in)) << "batch " << batch;
  }
  EXPECT_EQ(simulator.run(BitMatrix(0, m.kernel.input_bits)).rows, 0u);
}

TEST_P(Engines, OnlyChangedCellsAreWritten) {
  const SerialMatrix m(7);
  KernelSimulator simulator(m.kernel, {GetParam(), false});
  BitMatrix in(3, m.kernel.input_bits);
  in.set(1, m.resident_bit(2, 3), true);
  in.set(2, m.resident_bit(2, 3), true);
  in.set(2, m.resident_bit(0, 0), true);
  EXPECT_EQ(simulator.run(in), m.expected(in));
  EXPECT_EQ(simulator.stats().reconfigured_cells, 2u);
  EXPECT_EQ(simulator.stats().reconfigurations, 2u);
}

TEST_P(Engines, LeadAfterReconfigurationTakesItsTime) {
  const SerialMatrix m(8);
  const BitMatrix in = m.random_inputs(4, 1, 9);
  KernelSimulator short_way(m.kernel, {GetParam(), false}), long_way(m.kernel, {GetParam(), true});
  EXPECT_EQ(short_way.run(in), long_way.run(in));
  EXPECT_GT(long_way.stats().phases, short_way.stats().phases);
}

TEST_P(Engines, ATamperedCellChangesTheResult) {
  const SerialMatrix m(10);
  BitMatrix in = m.random_inputs(40, 1000, 11);
  for (size_t i = 0; i < in.rows; ++i) {
    for (int r = 0; r < m.rows; ++r) {
      for (int c = 0; c < m.columns; ++c) in.set(i, m.resident_bit(r, c), true);
    }
  }
  ASSERT_EQ(KernelSimulator(m.kernel, {GetParam(), false}).run(in), m.expected(in));
  struct Flip {
    int x, y;
    unsigned index;
    Side output;
  };
  // A pass of x at the top, one inside where the sum passes too, and the last pass of a sum.
  for (const Flip& f : {Flip{1, 0, 1, Side::S}, Flip{3, 2, 9, Side::S}, Flip{11, 5, 8, Side::E}}) {
    MappedKernel tampered = m.kernel;
    tampered.grid.at(f.x, f.y) ^= uint64_t{1} << (4 * f.index + static_cast<unsigned>(f.output));
    EXPECT_NE(KernelSimulator(tampered, {GetParam(), false}).run(in), m.expected(in)) << f.x << ", " << f.y;
  }
}

/// z = a ^ b across two cells in settle mode: both inputs are held, b enters two hops further on.
MappedKernel held_xor() {
  MappedKernel k;
  k.name = "xor";
  k.strategy = "netlist";
  k.grid = GridConfig(2, 1);
  k.grid.at(0, 0) = cell_word({0, kFromW, 0, 0});
  k.grid.at(1, 0) = cell_word({0, table([](bool n, bool, bool, bool w) { return n ^ w; }), 0, 0});
  k.input_bits = 2;
  k.output_bits = 1;
  k.inputs = {{0, {Side::W, 0, 0}, 3}, {1, {Side::N, 1, 1}, 3}};
  k.outputs = {{Side::E, 0, 5}};
  k.ii = 3;
  return k;
}

TEST_P(Engines, HeldInputsStayUntilTheyAreReplaced) {
  BitMatrix in(50, 2), expected(50, 1);
  std::mt19937 random(12);
  for (size_t i = 0; i < 50; ++i) {
    in.set(i, 0, random() & 1u);
    in.set(i, 1, random() & 1u);
    expected.set(i, 0, in.get(i, 0) != in.get(i, 1));
  }
  EXPECT_EQ(KernelSimulator(held_xor(), {GetParam(), false}).run(in), expected);
  EXPECT_EQ(KernelSimulator(held_xor(), {GridEngine::kLanes, false}).run(in), expected);
  // Without the hold the last of three cycles sees zeros.
  MappedKernel unheld = held_xor();
  for (InputSlot& slot : unheld.inputs) slot.hold = 1;
  EXPECT_EQ(KernelSimulator(unheld, {GetParam(), false}).run(in), BitMatrix(50, 1));
}

TEST_P(Engines, PhasesBeforePhaseZero) {
  MappedKernel k = held_xor();
  for (InputSlot& slot : k.inputs) slot.slot.phase -= 4;
  k.outputs[0].phase -= 4;
  KernelSimulator simulator(k, {GetParam(), false});
  BitMatrix in(2, 2), expected(2, 1);
  in.set(0, 0, true);
  in.set(1, 1, true);
  expected.set(0, 0, true);
  expected.set(1, 0, true);
  EXPECT_EQ(simulator.run(in), expected);
  EXPECT_EQ(simulator.run(in), expected);
  KernelSimulator lanes(k, {GridEngine::kLanes, false});
  EXPECT_EQ(lanes.run(in), expected);
  EXPECT_EQ(lanes.run(in), expected);
}

class Starts : public testing::TestWithParam<NamedEngine> {};
INSTANTIATE_TEST_SUITE_P(All, Starts, testing::Values(kScalarEngine, kSlicedEngine, kLanesEngine), testing::PrintToStringParamName());

KernelSimulatorParams random_start(GridEngine engine, uint64_t seed = 5) {
  KernelSimulatorParams params{engine};
  params.latch_seed = seed;
  return params;
}

TEST_P(Starts, TheLeadClearsRandomLatches) {
  SerialMatrix m(33);
  m.kernel.lead_cycles = 2 * m.length + 2 * m.columns + m.rows;
  const BitMatrix in = m.random_inputs(200, 200, 34);
  EXPECT_EQ(KernelSimulator(m.kernel, random_start(GetParam())).run(in), m.expected(in));
}

TEST_P(Starts, WithoutLeadRandomLatchesAreSeen) {
  SerialMatrix m(33);
  m.kernel.lead_cycles = 0;
  const BitMatrix in = m.random_inputs(4, 4, 34);
  int wrong = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) wrong += KernelSimulator(m.kernel, random_start(GetParam(), seed)).run(in) != m.expected(in);
  EXPECT_GT(wrong, 0);
}

/// One cell: out = in, which is 1 at rest.
MappedKernel resting() {
  MappedKernel k;
  k.name = "resting";
  k.grid = GridConfig(1, 1);
  k.grid.at(0, 0) = cell_word({0, kFromW, 0, 0});
  k.input_bits = k.output_bits = 1;
  k.inputs = {{0, {Side::W, 0, 0}, 1}};
  k.outputs = {{Side::E, 0, -2}};  // what entered a cycle before phase 0
  k.resting_ones = {0};
  return k;
}

TEST_P(Starts, InputsRestAtOnesBeforeTheFirstInvocation) {
  const BitMatrix zeros(3, 1), out = KernelSimulator(resting(), {GetParam()}).run(zeros);
  EXPECT_TRUE(out.get(0, 0));
  EXPECT_EQ(out.get(1, 0), GetParam() == GridEngine::kLanes);  // where each row is the first of a lane
  MappedKernel k = resting();
  k.resting_ones.clear();
  EXPECT_FALSE(KernelSimulator(k, {GetParam()}).run(zeros).get(0, 0));
}

TEST(Lanes, EveryLaneStartsAtLatchesOfItsOwn) {
  MappedKernel k;  // a cell that keeps what it held
  k.name = "memory";
  k.grid = GridConfig(2, 1);
  k.grid.at(0, 0) = cell_word({0, kFromE, 0, 0});
  k.grid.at(1, 0) = cell_word({0, kFromW, 0, kFromW});
  k.output_bits = 1;
  k.outputs = {{Side::E, 0, 1}};
  const BitMatrix none(64, 0), held = KernelSimulator(k, random_start(GridEngine::kLanes)).run(none);
  size_t ones = 0;
  for (size_t row = 0; row < 64; ++row) ones += held.get(row, 0);
  EXPECT_GT(ones, 0u);
  EXPECT_LT(ones, 64u);
  EXPECT_EQ(KernelSimulator(k, {GridEngine::kLanes}).run(none), BitMatrix(64, 1));
}

TEST(KernelSimulator, EnginesLatchTheSameEverywhere) {
  const SerialMatrix m(13);
  const BitMatrix in = m.random_inputs(9, 2, 14);
  KernelSimulator scalar(m.kernel, {GridEngine::kScalar, false}), sliced(m.kernel, {GridEngine::kSliced, false});
  scalar.run(in);
  sliced.run(in);
  EXPECT_EQ(scalar.state(), sliced.state());
  EXPECT_EQ(scalar.stats().phases, sliced.stats().phases);
}

TEST(KernelSimulator, LargeGridsAreSweptWithTheSameResults) {
  SerialMatrix m(15);
  // Idle cells with a function of their own make the grid larger than the cache.
  GridConfig wide(1500, 150);
  std::mt19937_64 random(16);
  for (CellWord& word : wide.cells) word = random();
  for (int y = 0; y < m.kernel.grid.height; ++y) {
    for (int x = 0; x < m.kernel.grid.width; ++x) wide.at(x, y) = m.kernel.grid.at(x, y);
    wide.at(m.kernel.grid.width, y) = cell_word({0, kFromW, 0, 0});
  }
  for (int x = 0; x < m.kernel.grid.width; ++x) wide.at(x, m.kernel.grid.height) = 0;
  for (int y = 0; y < m.kernel.grid.height; ++y) {
    for (int x = m.kernel.grid.width; x < 1500; ++x) wide.at(x, y) = cell_word({0, kFromW, 0, 0});
  }
  for (BitSlot& slot : m.kernel.outputs) slot.phase += 1500 - m.kernel.grid.width;
  m.kernel.grid = wide;
  const BitMatrix in = m.random_inputs(30, 7, 17);
  for (const size_t threads : {size_t{1}, size_t{2}})
    EXPECT_EQ(KernelSimulator(m.kernel, {GridEngine::kSliced, false, threads}).run(in), m.expected(in));
}

TEST(KernelSimulator, WrongNumberOfColumnsIsRefused) {
  KernelSimulator simulator(held_xor());
  EXPECT_THAT(test::error_of([&] { simulator.run(BitMatrix(1, 3)); }), HasSubstr("3 input bits given, the kernel has 2"));
}

TEST(KernelSimulator, InvalidKernelsAreRefused) {
  MappedKernel k = held_xor();
  k.outputs[0].phase = 4;
  EXPECT_THROW(KernelSimulator simulator(k), Error);
}

TEST_P(Engines, RecordsPortsAsVcd) {
  KernelSimulator simulator(held_xor(), {GetParam(), false});
  VcdWriter vcd(kernel_ports(held_xor()), "xor kernel");
  simulator.record(&vcd);
  BitMatrix in(1, 2);
  in.set(0, 0, true);
  simulator.run(in);
  EXPECT_EQ(vcd.text(),
            "$comment one timestep a phase; even phases are A $end\n$timescale 1 ns $end\n$scope module xor_kernel $end\n"
            "$var wire 1 ! n1_in $end\n$var wire 1 \" w0_in $end\n$var wire 1 # e0_out $end\n$upscope $end\n$enddefinitions $end\n"
            "#0\n$dumpvars\n0!\n1\"\n0#\n$end\n#1\n0\"\n1#\n#2\n1\"\n#3\n0\"\n#4\n1\"\n#5\n0\"\n#6\n");
}

}  // namespace
}  // namespace bitgrid::sim
