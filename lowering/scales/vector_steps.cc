#include "lowering/scales/vector_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/scales/row_kernels.h"

namespace bitgrid::scales {

int lanes_of(int count, int most) {
  for (int n = std::min(count, most); n > 1; --n)
    if (count % n == 0) return n;
  return 1;
}

namespace {

/// Of a number above 1.
int smallest_factor(int n) {
  for (int f = 2; f * f <= n; ++f)
    if (n % f == 0) return f;
  return n;
}

}  // namespace

Vector VectorSteps::add(const std::string& name, int count, Encoding encoding, NumberCode code) {
  const uint32_t bits = encoding.bits;
  if (bits > 64)
    throw Error(name, fmt::format("its numbers would have {} bits, and kernels take numbers of up to 64", bits),
                "run the model with --engine cpu");
  const uint64_t most = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  return {b_.add_tensor(name, count, encoding, {most}), count, bits, code};
}

Vector VectorSteps::unsigned_vector(const std::string& name, int count, uint32_t bits) {
  return add(name, count, {bits, 1, {0}}, NumberCode::kUnsigned);
}

Vector VectorSteps::signed_vector(const std::string& name, int count, uint32_t bits) {
  return add(name, count, {bits, 1, {static_cast<int64_t>(~uint64_t{0} << (bits - 1))}}, NumberCode::kOffset);
}

Vector VectorSteps::twos_vector(const std::string& name, int count, uint32_t bits) {
  return add(name, count, {bits, 1, {0}, true}, NumberCode::kTwos);
}

Vector VectorSteps::vector(const std::string& name, int count, uint32_t bits, NumberCode code) {
  switch (code) {
    case NumberCode::kUnsigned:
      return unsigned_vector(name, count, bits);
    case NumberCode::kOffset:
      return signed_vector(name, count, bits);
    case NumberCode::kTwos:
      break;
  }
  return twos_vector(name, count, bits);
}

RowSource VectorSteps::constants(const std::string& name, const std::vector<int64_t>& values, uint32_t bits, bool is_signed, int stride) {
  CodeTable table{name, 1, int_of(values.size()), bits, {}};
  for (const int64_t v : values) table.codes.push_back(static_cast<uint64_t>(is_signed ? v + (int64_t{1} << (bits - 1)) : v));
  return {b_.add_code_table(std::move(table)), 0, 0, stride};
}

int VectorSteps::add_weights(const std::string& name, const std::shared_ptr<const PackedWeights>& weights) {
  std::vector<WeightMatrix>& all = b_.program.weights;
  const auto known = std::find_if(all.begin(), all.end(), [&](const WeightMatrix& m) { return m.weights == weights; });
  if (known != all.end()) return int_of(known - all.begin());
  all.push_back({name, weights});
  return int_of(all.size()) - 1;
}

void VectorSteps::step(const std::string& name, const Kernel& kernel, int repeat, std::vector<Source> inputs,
                       std::vector<Destination> outputs) {
  b_.program.steps.push_back({name, b_.shared_kernel(kernel), repeat, b_.stage, std::move(inputs), std::move(outputs)});
  if (!in_parts_) ++b_.stage;
}

Vector VectorSteps::reduce(const std::string& name, Vector x, int group, int most, const std::function<Kernel(int, uint32_t)>& make) {
  for (int level = 0; group > 1; ++level) {
    int lanes = lanes_of(group, most);
    if (lanes == 1) lanes = smallest_factor(group);
    const Kernel kernel = make(lanes, x.bits);
    const int count = x.count / lanes;
    const std::string step_name = fmt::format("{}.{}", name, level);
    const Vector y = unsigned_vector(step_name, count, kernel.outputs[0].bits);
    step(step_name, kernel, count, {x.from(0, lanes)}, {y.to(0, 1)});
    x = y;
    group /= lanes;
  }
  return x;
}

Vector VectorSteps::maximum(const std::string& name, Vector x, int group) {
  for (int level = 0; group > 1; ++level) {
    const int lanes = smallest_factor(group), count = x.count / lanes;
    Vector best = x;
    for (int lane = 1; lane < lanes; ++lane) {  // of the first lanes + 1 numbers
      const std::string step_name = fmt::format("{}.{}.{}", name, level, lane);
      const int stride = lane == 1 ? lanes : 1;
      const Vector less = unsigned_vector(step_name + ".less", count, 1), larger = unsigned_vector(step_name, count, x.bits);
      step(step_name + ".less", less_kernel(x.bits), count, {best.from(0, stride), x.from(lane, lanes)}, {less.to(0, 1)});
      step(step_name, choose_kernel(x.bits), count, {less.from(0, 1), best.from(0, stride), x.from(lane, lanes)}, {larger.to(0, 1)});
      best = larger;
    }
    x = best;
    group /= lanes;
  }
  return x;
}

}  // namespace bitgrid::scales
