// Extraction and proofs: right kernels are proved, damaged ones refuted.
#include "check/prove.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "check/lut_builder.h"
#include "frontend/blif.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/mapping/matrix/popcount_wave.h"
#include "lowering/mapping/netlist/map_netlist.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "rtl/command.h"
#include "tests/support/errors.h"
#include "tests/support/plane.h"
#include "tests/support/random_dag.h"

namespace bitgrid::check {
namespace {

using testing::HasSubstr;

bool have_abc() {
  return rtl::run_command({"berkeley-abc", "-c", "version"}, "/dev/null") != 127;
}
#define NEEDS_ABC() \
  if (!have_abc()) GTEST_SKIP() << "berkeley-abc is not installed"

Dag adder() {
  return parse_dag("dag adder\ninput a 3\ninput b 3\nt:4 = add a b\noutput s t\n");
}

/// Every value of the input bits.
BitMatrix all_inputs(uint32_t bits) {
  BitMatrix m(size_t{1} << bits, bits);
  for (size_t r = 0; r < m.rows; ++r) m.set_word(r, 0, bits, r);
  return m;
}

TEST(LutBuilder, FoldsCopiesInvertersAndConstants) {
  LutBuilder b;
  const LutLiteral x = b.add_input(), one{kConstantSignal, true};
  EXPECT_EQ(b.add_lut(0xAAAA, {x}), x);
  EXPECT_EQ(b.add_lut(0x5555, {x}), (LutLiteral{x.signal, true}));
  EXPECT_EQ(b.add_lut(0x8888, {x, LutLiteral{}}), LutLiteral{});
  EXPECT_EQ(b.add_lut(0x8888, {x, one}), x);
  EXPECT_EQ(b.add_lut(0x6666, {x, x}), LutLiteral{});
  EXPECT_EQ(b.nodes(), 0u);
}

TEST(LutBuilder, MakesEqualNodesOnce) {
  LutBuilder b;
  const LutLiteral x = b.add_input(), y = b.add_input();
  EXPECT_EQ(b.add_lut(0x8888, {x, y}), b.add_lut(0xC0C0, {LutLiteral{}, y, x}));
  EXPECT_EQ(b.nodes(), 1u);
}

TEST(LutBuilder, IsRightForRandomTables) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    LutBuilder b;
    std::array<LutLiteral, 4> in;
    for (LutLiteral& l : in) l = b.add_input();
    std::array<LutLiteral, 4> operands;
    for (LutLiteral& o : operands) {
      o = random() % 5 == 0 ? LutLiteral{} : in[random() % 4];
      o.complemented = random() & 1;
    }
    const auto table = static_cast<uint16_t>(random());
    const LutNetwork network = b.take({b.add_lut(table, operands)});
    verify(network);
    const BitMatrix inputs = all_inputs(4), got = evaluate(network, inputs);
    for (size_t row = 0; row < 16; ++row) {
      unsigned index = 0;
      for (unsigned j = 0; j < 4; ++j) {
        bool bit = operands[j].complemented;
        for (unsigned i = 0; i < 4; ++i)
          if (operands[j].signal == in[i].signal) bit ^= inputs.get(row, i);
        index |= static_cast<unsigned>(bit) << j;
      }
      ASSERT_EQ(got.get(row, 0), (table >> index) & 1u) << round << " row " << row;
    }
  }
}

void expect_extracted_is_right(const Dag& dag, const MappedKernel& kernel) {
  const Extracted e = extract_logic(kernel);
  EXPECT_FALSE(e.first_only);
  ASSERT_EQ(e.foreign, 0u);
  verify(e.network);
  const BitMatrix inputs = all_inputs(input_bits(dag));
  EXPECT_EQ(evaluate(e.network, inputs), evaluate(dag, inputs));
}

TEST(Extract, PlaneGivesItsDag) {
  expect_extracted_is_right(adder(), mapping::map_plane(adder()));
}

TEST(Extract, NetlistGivesItsDag) {
  expect_extracted_is_right(adder(), mapping::map_netlist(adder()));
}

TEST(Extract, HeldInputsAreFollowedOnceForEachEdge) {
  ExtractStats stats;
  extract_logic(mapping::map_netlist(adder()), {}, &stats);
  EXPECT_EQ(stats.values, 0u);
  EXPECT_GT(stats.edges, 10u);
}

/// Two wires, of one hop and of three, meet in an XOR: the input changes every cycle, so the XOR sees two invocations.
MappedKernel unbalanced() {
  MappedKernel k;
  k.name = "unbalanced";
  k.grid = GridConfig(3, 1);
  k.grid.at(0, 0) = cell_word({0, kFromW, 0, 0});
  k.grid.at(1, 0) = cell_word({0, static_cast<Lut>(kFromW ^ kFromE), 0, 0});
  k.grid.at(2, 0) = cell_word({0, kFromW, 0, kFromN});
  k.input_bits = 2;
  k.output_bits = 1;
  k.inputs = {{0, {Side::W, 0, 0}, 1}, {1, {Side::N, 2, -2}, 1}};
  k.outputs = {{Side::E, 0, 2}};
  return k;
}

TEST(Extract, BitsOfOtherInvocationsAreInputsOfTheirOwn) {
  const Extracted e = extract_logic(unbalanced());
  EXPECT_EQ(e.foreign, 1u);
  EXPECT_EQ(e.network.inputs.back(), "f0");
}

TEST(Extract, ALoopGivesTheFirstInvocation) {
  MappedKernel k;  // a toggle: the parity of all bits so far
  k.name = "toggle";
  k.grid = GridConfig(2, 1);
  k.grid.at(0, 0) = cell_word({0, static_cast<Lut>(kFromW ^ kFromE), 0, 0});
  k.grid.at(1, 0) = cell_word({0, kFromW, 0, kFromW});
  k.input_bits = k.output_bits = 2;
  k.ii = 2;
  k.inputs = {{0, {Side::W, 0, 0}, 1}, {1, {Side::W, 0, 2}, 1}};
  k.outputs = {{Side::E, 0, 1}, {Side::E, 0, 3}};
  const Extracted e = extract_logic(k);
  EXPECT_TRUE(e.first_only);
  const BitMatrix inputs = all_inputs(2), got = evaluate(e.network, inputs);
  for (size_t r = 0; r < 4; ++r) {
    EXPECT_EQ(got.get(r, 0), inputs.get(r, 0));
    EXPECT_EQ(got.get(r, 1), inputs.get(r, 0) != inputs.get(r, 1));
  }
}

TEST(Extract, ResidentBitsChooseTheTable) {
  MappedKernel k;
  k.name = "resident";
  k.grid = GridConfig(1, 1);
  const CellWord copy = cell_word({0, kFromW, 0, 0}), invert = cell_word({0, static_cast<Lut>(~kFromW), 0, 0});
  k.grid.at(0, 0) = copy;
  k.input_bits = 2;
  k.output_bits = 1;
  k.inputs = {{0, {Side::W, 0, 0}, 1}};
  k.residents = {{1, 0, 0, copy, invert}};
  k.outputs = {{Side::E, 0, 0}};
  const BitMatrix inputs = all_inputs(2), got = evaluate(extract_logic(k).network, inputs);
  for (size_t r = 0; r < 4; ++r) EXPECT_EQ(got.get(r, 0), inputs.get(r, 0) != inputs.get(r, 1));
}

TEST(Prove, TheBitsOfADagAreTheDag) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 5; ++round) {
    const Dag dag = test::random_dag(random);
    const LutNetwork network = dag_network(dag);
    verify(network);
    const BitMatrix inputs = test::random_rows(random, 100, input_bits(dag));
    EXPECT_EQ(evaluate(network, inputs), evaluate(dag, inputs)) << round;
  }
}

TEST(Prove, ProvesAPlane) {
  NEEDS_ABC();
  EXPECT_EQ(prove_mapping(adder(), mapping::map_plane(adder())).verdict, Verdict::kProved);
}

TEST(Prove, ProvesANetlist) {
  NEEDS_ABC();
  EXPECT_EQ(prove_mapping(adder(), mapping::map_netlist(adder())).verdict, Verdict::kProved);
}

TEST(Prove, ProvesADensePopcount) {
  NEEDS_ABC();
  PopcountForm form{6, {{{1, 1, -1, 1, -1, 1}, 3}, {{-1, 1, 1, 1, 1, -1}, 4}}};
  Dag dag;
  dag.name = "layer";
  const NodeId x = add_input(dag, "x", 6);
  for (const PopcountRow& row : form.rows) {
    uint64_t weights = 0;
    for (size_t c = 0; c < row.weights.size(); ++c) weights |= uint64_t{row.weights[c] > 0} << c;
    const NodeId count = add_node(dag, Op::kPopcount, 3, {add_node(dag, Op::kXnor, 6, {x, add_constant(dag, 6, weights)})});
    const NodeId less = add_node(dag, Op::kLess, 1, {count, add_constant(dag, 3, static_cast<uint64_t>(row.theta))});
    add_output(dag, "y" + std::to_string(dag.outputs.size()), add_node(dag, Op::kNot, 1, {less}));
  }
  const Proof proof = prove_mapping(dag, mapping::map_popcount_wave("layer", form));
  EXPECT_EQ(proof.verdict, Verdict::kProved) << proof.why;
}

TEST(Prove, ProvesANetlistAgainstItsOwnText) {
  NEEDS_ABC();
  const std::string path = std::string(BITGRID_SHARED_CASES) + "/epfl/ctrl.blif";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
  ProveParams params;
  params.source_blif = read_file(path);
  const Dag dag = synthesis::dag_from_cover(frontend::read_blif(path));
  MappedKernel kernel = mapping::map_netlist(dag);
  EXPECT_EQ(prove_mapping(dag, kernel, params).verdict, Verdict::kProved);
  std::swap(kernel.outputs[3], kernel.outputs[4]);
  EXPECT_EQ(prove_mapping(dag, kernel, params).verdict, Verdict::kRefuted);
}

TEST(Prove, NeverProvesAFlippedBitThatMatters) {
  NEEDS_ABC();
  const Dag dag = adder();
  const MappedKernel kernel = mapping::map_netlist(dag);
  const BitMatrix inputs = all_inputs(input_bits(dag)), expected = evaluate(dag, inputs);
  std::mt19937_64 random(3);
  int refuted = 0;
  for (int round = 0; round < 30; ++round) {
    MappedKernel damaged = kernel;
    damaged.grid.cells[random() % damaged.grid.cells.size()] ^= uint64_t{1} << (random() % 64);
    const bool same = sim::KernelSimulator(damaged).run(inputs) == expected;
    const Verdict verdict = prove_mapping(dag, damaged).verdict;
    EXPECT_NE(verdict, same ? Verdict::kRefuted : Verdict::kProved) << round;
    refuted += verdict == Verdict::kRefuted;
  }
  EXPECT_GT(refuted, 0);
}

TEST(Prove, NamesPortsInTheCounterexample) {
  NEEDS_ABC();
  const Dag dag = parse_dag("dag x\ninput a 2\ninput b 1\nt:1 = and a b\noutput s t\n");
  MappedKernel kernel = mapping::map_plane(dag);
  std::swap(kernel.inputs[0].bit, kernel.inputs[1].bit);  // of a
  const Proof proof = prove_mapping(dag, kernel);
  ASSERT_EQ(proof.verdict, Verdict::kRefuted);
  const std::string text = describe(proof.counterexample);
  EXPECT_THAT(text, HasSubstr("output s: expected "));
  EXPECT_THAT(text, HasSubstr("a[0]="));
  EXPECT_THAT(text, HasSubstr("b=1"));
}

TEST(Prove, OtherInvocationsMustNotMatter) {
  NEEDS_ABC();
  const Dag dag = parse_dag("dag x\ninput a 1\ninput b 1\nt:1 = xor a b\noutput s t\n");
  EXPECT_EQ(prove_mapping(dag, unbalanced()).verdict, Verdict::kRefuted);
}

TEST(Prove, ANetlistThatAbcDoesNotReadIsComparedAsWeReadIt) {
  NEEDS_ABC();
  ProveParams params;
  params.source_blif = ".model nonsense\n.inputs a\n.outputs\n.no_such_directive\n";
  EXPECT_EQ(prove_mapping(adder(), mapping::map_plane(adder()), params).verdict, Verdict::kProved);
}

TEST(Prove, AnAbsentProgramIsNamed) {
  ProveParams params;
  params.abc = "no-such-abc";
  EXPECT_THAT(test::error_of([&] { require_abc(params); }), HasSubstr("the program no-such-abc cannot be run; install it"));
  EXPECT_THROW(prove_mapping(adder(), mapping::map_plane(adder()), params), Error);
}

TEST(Prove, ReadsWhatAbcPrints) {
  EXPECT_EQ(parse_cec("Networks are equivalent.  Time = 0.01 sec\n").verdict, Verdict::kProved);
  EXPECT_EQ(parse_cec("Networks are UNDECIDED.\n").verdict, Verdict::kOpen);
  EXPECT_THAT(parse_cec("Reading network from file has failed.\n").why, HasSubstr("has failed"));
  const Proof p = parse_cec(
      "Networks are NOT EQUIVALENT.  Time = 0.00 sec\nVerification failed for at least 1 outputs:  po00\n"
      "Output po00: Value in Network1 = 0. Value in Network2 = 1.\nInput pattern:  pi2=0 pi0=1\n");
  EXPECT_EQ(describe(p.counterexample), "output po00: expected 0, got 1 with pi2=0 pi0=1");
}

}  // namespace
}  // namespace bitgrid::check
