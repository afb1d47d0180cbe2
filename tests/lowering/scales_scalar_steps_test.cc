// Scalars as steps of a Program against the functions of ir/scalar.h that define them.
#include "lowering/scales/scalar_steps.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "ir/dag_eval.h"
#include "ir/host.h"
#include "ir/index.h"

namespace bitgrid::scales {
namespace {

constexpr int kCount = 300;

Scalar random_scalar(std::mt19937_64& random, int64_t spread) {
  const uint64_t length = random() % 21;
  const auto n = static_cast<int64_t>(length == 0 ? 0 : random() >> (64 - length));
  return bitgrid::scalar(n, static_cast<int64_t>(random() % static_cast<uint64_t>(2 * spread)) - spread);
}

/// A Program under construction, and what it computes.
class ScalarStepsTest : public testing::Test {
 protected:
  ScalarVector vector(const std::string& name, const std::vector<Scalar>& values) {
    std::vector<int64_t> m, e;
    for (const Scalar& v : values) {
      m.push_back(v.m);
      e.push_back(v.e);
    }
    return {scalars.constants(name + ".m", m, kMantissaBits, NumberCode::kUnsigned), scalars.constants(name + ".e", e, kExponentBits)};
  }
  std::vector<uint64_t> values_of(Vector v) {
    builder.program.logits = v.tensor;
    verify(builder.program);
    HostState state = initial_state(builder.program);
    const HostTrace trace = run_tokens(builder.program, state, {0}, [&](int step, const StepBatch& batch) {
      return evaluate(builder.program.kernels[index_of(builder.program.steps[index_of(step)].kernel)].dag, batch);
    });
    return trace.codes[index_of(v.tensor)];
  }
  void expect(const ScalarVector& got, const std::function<Scalar(size_t)>& define) {
    const std::vector<uint64_t> codes = values_of(scalars.packed("packed", got));
    for (size_t i = 0; i < codes.size(); ++i) ASSERT_EQ(scalar_of_code(codes[i]), define(i)) << i;
  }
  std::vector<Scalar> randoms(uint64_t seed, int64_t spread, int count = kCount) {
    std::mt19937_64 random(seed);
    std::vector<Scalar> v;
    for (int i = 0; i < count; ++i) v.push_back(random_scalar(random, spread));
    return v;
  }

  numerics::ProgramBuilder builder;
  VectorSteps steps{builder};
  ScalarSteps scalars{steps};
};

TEST_F(ScalarStepsTest, Multiply) {
  const auto a = randoms(1, 200), b = randoms(2, 200);
  expect(scalars.multiply("y", vector("a", a), vector("b", b)), [&](size_t i) { return multiply(a[i], b[i]); });
}

TEST_F(ScalarStepsTest, Divide) {
  const auto a = randoms(3, 200), b = randoms(4, 200);
  expect(scalars.divide("y", vector("a", a), vector("b", b)), [&](size_t i) { return divide(a[i], b[i]); });
}

TEST_F(ScalarStepsTest, OneNumberServesAll) {
  const auto a = randoms(5, 200, 1), b = randoms(6, 200);
  expect(scalars.divide("y", vector("a", a), vector("b", b)), [&](size_t i) { return divide(a[0], b[i]); });
}

TEST_F(ScalarStepsTest, SquareRoot) {
  const auto a = randoms(7, 200);
  expect(scalars.square_root("y", vector("a", a)), [&](size_t i) { return square_root(a[i]); });
}

TEST_F(ScalarStepsTest, NumbersBecomeScalars) {
  std::mt19937_64 random(8);
  std::vector<int64_t> n;
  for (int i = 0; i < kCount; ++i) n.push_back(static_cast<int64_t>((random() & ((uint64_t{1} << 40) - 1)) >> (random() % 41)));
  const Vector two = scalars.constants("e", {-2}, kExponentBits);
  expect(scalars.scalar("y", scalars.constants("n", n, 40, NumberCode::kUnsigned), two), [&](size_t i) { return scalar(n[i], -2); });
}

TEST_F(ScalarStepsTest, WholeNumbersStopAtTheLimit) {
  const auto a = randoms(9, 80);
  const std::vector<uint64_t> codes = values_of(scalars.whole("y", vector("a", a), 62));
  for (size_t i = 0; i < codes.size(); ++i) ASSERT_EQ(codes[i], static_cast<uint64_t>(whole(a[i]))) << a[i].m << " " << a[i].e;
}

}  // namespace
}  // namespace bitgrid::scales
