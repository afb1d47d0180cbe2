// The walk over a model with scales. lower_scaled.h is the way in.
#pragma once

#include <string>
#include <utility>

#include "ir/program.h"
#include "ir/scaled_model.h"
#include "lowering/numerics/program_builder.h"
#include "lowering/scales/lower_scaled.h"
#include "lowering/scales/vector_steps.h"

namespace bitgrid::scales {

inline constexpr int kHeavyLanes = 1;   // words an invocation of kernels that multiply
inline constexpr int kLightLanes = 16;  // of others
inline constexpr int kRotaryFraction = 14, kMixFraction = 8;
inline constexpr int kScoresAtOnce = 16;  // slots of the cache whose values are mixed in one invocation
inline constexpr const char* kLogitUnit = "logits.unit";

/// Codes and what they are worth.
struct Codes {
  Vector codes, unit;
};

/// Caches of codes of 8 bits and of the shift that each head's have.
struct CachedCodes {
  int codes = -1, shifts = -1;
};

/// Of every head and slot, and 1 / their sum of every head.
struct SoftmaxWeights {
  Vector weights, reciprocal;
};

class Lowering {
 public:
  Lowering(const ScaledModel& model, const LowerScaledParams& params) : model_(model), steps_(builder_) {
    builder_.params = params.matrices;
    builder_.program.name = model.name;
    context_ = params.context != 0 ? params.context : static_cast<int>(model.context);
    window_ = (context_ + kScoresAtOnce - 1) / kScoresAtOnce * kScoresAtOnce;
  }
  Program run();

 private:
  void set_tables();
  uint32_t stream_bits() const;
  Vector embed();
  Codes norm(const std::string& name, Vector x, const Norm& norm, const Source& eps, const std::string& codes_name);
  Vector matrix(const std::string& name, const LinearMap& map, Vector codes, const std::string& sums_name);
  Vector unit(const std::string& name, Vector of_codes, const LinearMap& map, int64_t shift);
  Vector add(const std::string& name, Vector x, const LinearMap& map, const Codes& codes, const std::string& result);
  Vector turned(const std::string& name, Vector x, int heads);
  /// The shift that brings each head's values to 8 bits, and the values cut by it.
  std::pair<Vector, Vector> head_codes(const std::string& name, Vector x, int heads, const std::string& codes_name);
  Vector scale(const std::string& name, Vector x, Vector unit, uint32_t to);
  Vector attention(const std::string& name, const SoftmaxAttention& layer, Vector x);
  Vector scores(const std::string& name, const SoftmaxAttention& layer, Vector q, Vector unit_q, const CachedCodes& keys);
  SoftmaxWeights softmax(const std::string& name, Vector scores);
  Vector mix(const std::string& name, const SoftmaxWeights& softmax, const CachedCodes& values, const std::string& result, uint32_t bits);
  Vector feed_forward(const std::string& name, const GatedFeedForward& layer, Vector x);
  void head(Vector x);
  uint32_t fixed_bits(const LinearMap& map, const Norm& input, int fraction) const;

  const ScaledModel& model_;
  numerics::ProgramBuilder builder_;
  VectorSteps steps_;
  int context_ = 0, window_ = 0;
  int cosine_ = -1, sine_ = -1, written_ = -1;
};

}  // namespace bitgrid::scales
