// Ports that read the planes of a number from one on, and Programs that state such a window wrongly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/dag_eval.h"
#include "ir/host.h"
#include "tests/support/errors.h"

namespace bitgrid {
namespace {

using testing::HasSubstr;

Kernel copy_of(uint32_t bits) {
  Kernel copy;
  copy.name = copy.dag.name = "copy" + std::to_string(bits);
  add_output(copy.dag, "y", add_input(copy.dag, "x", bits));
  copy.inputs = {{1, bits, {(uint64_t{1} << bits) - 1}}};
  copy.outputs = {{1, bits, {}}};
  return copy;
}

/// A number of 4 bits and an address of 4 bits come from tables; 6 planes of the number are read.
Program program_of(const Encoding& encoding, uint64_t code, int64_t address, int offset) {
  Program p;
  p.name = "windows";
  p.kernels = {copy_of(4), copy_of(6)};
  p.tables = {{"number", 1, 1, 4, {code}}, {"address", 1, 1, 4, {static_cast<uint64_t>(address) & 15}}};
  p.tensors = {{"x", 1, encoding, {15}}, {"a", 1, {4, 1, {0}, true}, {15}}, {"y", 1, {6, 1, {0}}, {63}}};
  p.steps = {{"x", 0, 1, 0, {RowSource{0, 0, 0, 0}}, {{0, 0, 0}}},
             {"a", 0, 1, 1, {RowSource{1, 0, 0, 0}}, {{1, 0, 0}}},
             {"y", 1, 1, 2, {TensorSource{0, 0, 0, PlaneWindow{1, 0, offset}}}, {{2, 0, 0}}}};
  p.logits = 2;
  return p;
}

uint64_t planes(const Encoding& encoding, uint64_t code, int64_t address, int offset = 0) {
  const Program p = program_of(encoding, code, address, offset);
  verify(p);
  HostState state = initial_state(p);
  const HostTrace trace = run_tokens(p, state, {0}, [&](int step, const StepBatch& batch) {
    return evaluate(p.kernels[static_cast<size_t>(p.steps[static_cast<size_t>(step)].kernel)].dag, batch);
  });
  return trace.at(p, 2, 0, 0);
}

const Encoding kTwos = {4, 1, {0}, true}, kUnsigned = {4, 1, {0}}, kOffset = {4, 1, {-8}};

TEST(PlaneWindow, RepeatsTheHighestPlaneOfSignedNumbersOnly) {
  EXPECT_EQ(planes(kTwos, 0b1010, 1), 0b111101u);
  EXPECT_EQ(planes(kTwos, 0b0110, 1), 0b000011u);
  EXPECT_EQ(planes(kOffset, 0b1010, 1), 0b111101u);
  EXPECT_EQ(planes(kUnsigned, 0b1010, 1), 0b000101u);
}

TEST(PlaneWindow, ZerosLieBelowPlaneZero) {
  EXPECT_EQ(planes(kTwos, 0b1010, -1), 0b110100u);
  EXPECT_EQ(planes(kTwos, 0b0101, -3), 0b101000u);
  EXPECT_EQ(planes(kTwos, 0b1111, -7), 0u);
}

TEST(PlaneWindow, AddsItsOffsetToTheAddress) {
  EXPECT_EQ(planes(kTwos, 0b1010, 3, -2), planes(kTwos, 0b1010, 1));
  EXPECT_EQ(planes(kTwos, 0b1010, 7, 200), 0b111111u);
  EXPECT_EQ(planes(kUnsigned, 0b1010, 7, 200), 0u);
}

std::string problem_of(const std::function<void(Program&)>& spoil) {
  Program p = program_of(kTwos, 5, 1, 0);
  spoil(p);
  return test::error_of([&] { verify(p); });
}

TEST(PlaneWindow, WrongOnesAreFound) {
  const auto window = [](Program& p) -> TensorSource& { return std::get<TensorSource>(p.steps[2].inputs[0]); };
  EXPECT_EQ(problem_of([](Program&) {}), "no error");
  EXPECT_THAT(problem_of([&](Program& p) { window(p).window.reset(); }), HasSubstr("step y: reads 6 bits from tensor x of 4 bits"));
  EXPECT_THAT(problem_of([&](Program& p) { window(p).window->address = 2; }),
              HasSubstr("reads planes of tensor x at an address that no step has written"));
  EXPECT_THAT(problem_of([&](Program& p) { window(p).window->channel = 1; }),
              HasSubstr("reads planes of tensor x at an address outside its tensor"));
}

}  // namespace
}  // namespace bitgrid
