// The float64 engine: the formulas of a model with scales as its makers state them. The integer engine's outputs are compared with it by
// probabilities, never by codes.
#pragma once

#include <vector>

#include "ir/float_model.h"

namespace bitgrid::cpu {

struct FloatState {
  size_t position = 0;
  struct Cache {
    std::vector<double> keys, values;  // [positions][kv heads][head width]
  };
  std::vector<Cache> layers;
};

class FloatEngine {
 public:
  /// Keeps a reference: `model` must outlive the engine.
  explicit FloatEngine(const FloatModel& model) : model_(model) {}
  FloatEngine(FloatModel&&) = delete;

  FloatState start() const;
  /// Takes one token and returns the logits of the next. Throws Error for a token outside the vocabulary, or if the context is full.
  std::vector<double> step(FloatState& state, int token) const;

 private:
  using Vec = std::vector<double>;

  Vec norm(const Vec& x, const Vec& gain) const;
  Vec activations(Vec x) const;
  Vec attention(const FloatLayer& layer, FloatState::Cache& cache, size_t position, const Vec& a) const;
  Vec feed_forward(const FloatLayer& layer, const Vec& a) const;

  const FloatModel& model_;
};

}  // namespace bitgrid::cpu
