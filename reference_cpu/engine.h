// The CPU engine runs a Model token by token in streaming form, straight from its layers. All other engines are compared with it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/model.h"
#include "reference_cpu/packed.h"

namespace bitgrid::cpu {

struct CpuParams {
  enum class Kernels : uint8_t { kGolden /* scalar, the definition */, kPacked /* bit planes and popcount */ };
  Kernels kernels = Kernels::kPacked;
};

/// Keys and values of one attention layer, [window][width]; slot = position mod window.
struct KeyValueRing {
  std::vector<int64_t> keys;
  std::vector<int64_t> values;
};

/// Everything that a generation carries between tokens. Copy it to branch.
struct CpuState {
  int64_t position = 0;             // tokens seen so far
  std::vector<int> history;         // latest token first, at most as many as there are embedding tables
  std::vector<KeyValueRing> rings;  // one per layer; empty for layers without attention
};

/// Values of one step by name:
/// "embedding" [width]; for layer N, "layers.N.input" (if the layer has an input activation) and "layers.N.stream" (x after the layer)
/// [width]; for attention, "layers.N.query", ".key", ".value" [width] of this token, "layers.N.attention" [heads][window] (the weights e,
/// by ring slot = position mod window, 0 in empty slots) and "layers.N.mix" [width]; for feed-forward, "layers.N.hidden"; "head.input" (if
/// the head has an input activation), "logits" [symbols].
using Trace = std::map<std::string, std::vector<int64_t>>;

class CpuEngine {
 public:
  /// Keeps a reference: `model` must outlive the engine. Throws Error if the model is inconsistent (`verify`).
  explicit CpuEngine(const Model& model, const CpuParams& params = {});
  CpuEngine(Model&&, const CpuParams& = {}) = delete;

  /// Returns the state before the first token.
  CpuState start() const;

  /// Takes one token and returns the logits of the next. Throws Error for a token outside the vocabulary. Fills `trace` if given.
  std::vector<int64_t> step(CpuState& state, int token, Trace* trace = nullptr) const;

  const Model& model() const { return model_; }

 private:
  using Vec = std::vector<int64_t>;

  Vec sums(const Matrix& weights, const Vec& x) const;
  Vec linear(const Linear& l, const Vec& x) const;
  Vec attention(const Attention& a, KeyValueRing& ring, int64_t position, const Vec& x, const std::string& name, Trace* trace) const;
  Vec feed_forward(const FeedForward& f, const Vec& x, const std::string& name, Trace* trace) const;
  Vec dense(const Dense& d, const Vec& x, const std::string& name, Trace* trace) const;

  const Model& model_;
  std::map<const Matrix*, PackedMatrix> packed_;  // empty with golden kernels
};

}  // namespace bitgrid::cpu
