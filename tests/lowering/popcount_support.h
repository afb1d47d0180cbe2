// Popcount layers at random, their answers, and layers in parts: shared by the tests of the parallel forms.
#pragma once

#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "bitgrid_sim/kernel_simulator.h"
#include "ir/bits.h"
#include "lowering/mapping/matrix/popcount_wave.h"

namespace bitgrid::mapping {

inline bool answer(const PopcountRow& row, const BitMatrix& inputs, size_t token) {
  int64_t count = 0;
  for (size_t c = 0; c < row.weights.size(); ++c) count += row.weights[c] == (inputs.get(token, c) ? 1 : -1);
  return count >= row.theta;
}

inline BitMatrix answers(const PopcountForm& form, const BitMatrix& inputs) {
  BitMatrix out(inputs.rows, form.rows.size());
  for (size_t t = 0; t < inputs.rows; ++t) {
    for (size_t r = 0; r < form.rows.size(); ++r) out.set(t, r, answer(form.rows[r], inputs, t));
  }
  return out;
}

inline PopcountForm random_form(uint32_t inputs, int outputs, bool ternary, std::mt19937& random) {
  PopcountForm form{inputs, {}};
  for (int r = 0; r < outputs; ++r) {
    PopcountRow row;
    for (uint32_t c = 0; c < inputs; ++c) row.weights.push_back(ternary && random() % 3 == 0 ? 0 : random() % 2 ? 1 : -1);
    form.rows.push_back(std::move(row));
  }
  return form;
}

/// Tokens agree with some row in any proportion, so that counts span their range.
inline BitMatrix tokens_near(const PopcountForm& form, size_t tokens, std::mt19937& random) {
  BitMatrix inputs(tokens, form.inputs);
  for (size_t t = 0; t < tokens; ++t) {
    const auto& weights = form.rows[random() % form.rows.size()].weights;
    const auto agree = random() % 11;
    for (size_t c = 0; c < weights.size(); ++c) inputs.set(t, c, (weights[c] > 0) == (random() % 10 < agree));
  }
  return inputs;
}

/// The extremes, the middle, and what some token's count makes close.
inline void choose_thetas(PopcountForm& form, const BitMatrix& inputs, std::mt19937& random) {
  const int64_t n = form.inputs;
  const std::vector<int64_t> fixed = {n / 2, 1, n, n / 2 + 1, 0, n + 1, -5, 2 * n};
  const size_t shift = random();
  for (size_t r = 0; r < form.rows.size(); ++r) {
    PopcountRow& row = form.rows[r];
    int64_t count = 0;
    const size_t t = random() % inputs.rows;
    for (size_t c = 0; c < row.weights.size(); ++c) count += row.weights[c] == (inputs.get(t, c) ? 1 : -1);
    row.theta = r % 2 ? fixed[(r / 2 + shift) % fixed.size()] : count + static_cast<int64_t>(random() % 2);
  }
}

/// Parts one after the other, the running counts (state_bits of them) handed on by the host.
inline BitMatrix run_parts(const std::vector<InputPart>& parts, const BitMatrix& inputs, uint32_t state_bits,
                           const std::function<MappedKernel(const InputPart&)>& map) {
  BitMatrix state;
  for (const InputPart& part : parts) {
    const uint32_t state_in = part.first ? state_bits : 0;
    BitMatrix batch(inputs.rows, part.count + state_in);
    for (size_t t = 0; t < inputs.rows; ++t) {
      for (uint32_t c = 0; c < part.count; ++c) batch.set(t, c, inputs.get(t, part.first + c));
      for (uint32_t b = 0; b < state_in; ++b) batch.set(t, part.count + b, state.get(t, b));
    }
    const MappedKernel kernel = map(part);
    EXPECT_EQ(kernel.input_bits, batch.cols);
    state = sim::KernelSimulator(kernel).run(batch);
  }
  return state;
}

}  // namespace bitgrid::mapping
