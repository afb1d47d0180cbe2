// The CPU engine of models with scales. It runs token by token, straight from the layers, with integers only. It is the definition that
// other engines are compared with.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/scaled_model.h"
#include "reference_cpu/scaled/cache.h"
#include "reference_cpu/scaled/linear.h"

namespace bitgrid::cpu {

struct ScaledParams {
  CacheForms cache;
  LinearParams linear;
};

/// Everything that a generation carries between tokens: the caches of each attention layer.
struct ScaledState {
  size_t position = 0;
  struct Caches {
    LayerCache keys, values;
  };
  std::vector<Caches> caches;  // one per attention layer, in order
};

/// Logits are values times unit.
struct ScaledLogits {
  std::vector<int64_t> values;
  Scalar unit;
};

/// Called with each intermediate value of a position. For layer N, with the prefix "model.layers.N.": "x" (the stream before it), "a"
/// (codes of its norm), "self_attn.q" and ".k" (sums), ".q8", ".k8", ".v8" (codes of queries, and of keys and values as cached), "o" (mixed
/// values), "x_mid" (the stream after attention), "ffn" (codes before down_proj). For head 0 of layer 0 also "self_attn.t" and ".weights",
/// one number for each position so far. Then "x_final", "a_final", "logits".
using ScaledTrace = std::function<void(const std::string& name, const std::vector<int64_t>& values)>;

class ScaledEngine {
 public:
  /// Keeps a reference: `model` must outlive the engine. Throws Error if model and cache forms do not fit together.
  explicit ScaledEngine(const ScaledModel& model, const ScaledParams& params = {});
  ScaledEngine(ScaledModel&&, const ScaledParams& = {}) = delete;

  ScaledState start() const;

  /// Takes one token. With `want_logits` it returns the logits of the next; otherwise it computes nothing of the head. Throws Error for a
  /// token outside the vocabulary, or if the context is full.
  ScaledLogits step(ScaledState& state, int token, bool want_logits = true, const ScaledTrace& trace = nullptr) const;

  /// Takes tokens, many at a time if that reads weights once for all of them. `each` gets the logits after token i, for all tokens or for
  /// the last one. The results equal those of single steps.
  using EachLogits = std::function<void(size_t i, ScaledLogits logits)>;
  void feed(ScaledState& state, std::span<const int> tokens, bool all, const EachLogits& each, const ScaledTrace& trace = nullptr) const;

  const ScaledModel& model() const { return model_; }

 private:
  using Vec = std::vector<int64_t>;

  /// Vectors of consecutive positions.
  using Vecs = std::vector<Vec>;

  Vec attend(const SoftmaxAttention& layer, ScaledState::Caches& caches, Sums q, Sums k, Sums v, size_t position, const std::string& name,
             bool first, const ScaledTrace& trace) const;
  void attention(const SoftmaxAttention& layer, ScaledState::Caches& caches, Vecs& x, size_t position, const std::string& name, bool first,
                 const ScaledTrace& trace) const;
  void feed_forward(const GatedFeedForward& layer, Vecs& x, const std::string& name, const ScaledTrace& trace) const;
  void add(Vecs& x, const LinearMap& map, std::span<const Codes> a) const;
  void embed(std::span<const int> tokens, size_t position, Vecs& x) const;
  std::vector<ScaledLogits> logits(std::span<const Vec> x, const ScaledTrace& trace) const;
  /// Runs the positions of one batch. Returns the logits of the last `wanted`.
  std::vector<ScaledLogits> run(ScaledState& state, std::span<const int> tokens, size_t wanted, const ScaledTrace& trace) const;
  void turn(std::span<int64_t> head, size_t position) const;

  const ScaledModel& model_;
  ScaledParams params_;
  std::shared_ptr<ThreadPool> pool_;  // used by one step at a time
};

}  // namespace bitgrid::cpu
