// The walk over a model with scales. lower_scaled.h is the entry point.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "ir/index.h"
#include "ir/program.h"
#include "ir/scaled_model.h"
#include "lowering/numerics/program_builder.h"
#include "lowering/scales/lower_scaled.h"
#include "lowering/scales/vector_steps.h"

namespace bitgrid::scales {

inline constexpr int kHeavyLanes = 1;   // words per invocation of kernels that multiply
inline constexpr int kLightLanes = 16;  // words per invocation of other kernels
inline constexpr int kRotaryFraction = 14, kMixFraction = 8;
inline constexpr int kScoresAtOnce = 16;  // cache slots whose values are mixed in one invocation
inline constexpr const char* kLogitUnit = "logits.unit";

/// Codes and their unit.
struct Codes {
  Vector codes, unit;
};

/// Caches of 8-bit codes, of the shift of each head's codes, and of their sum.
struct CachedCodes {
  int codes = -1, shifts = -1, sums = -1;
};

/// The weights of every head and slot, and 1 / their sum for every head.
struct SoftmaxWeights {
  Vector weights, reciprocal;
};

class Lowering {
 public:
  Lowering(const ScaledModel& model, const LowerScaledParams& params) : model_(model), steps_(builder_) {
    builder_.params = params.matrices;
    streams_ = params.dataflow == Dataflow::kStreamed;
    builder_.program.name = model.name;
    context_ = params.context != 0 ? params.context : int_of(model.context);
    window_ = (context_ + kScoresAtOnce - 1) / kScoresAtOnce * kScoresAtOnce;
  }
  Program run();

 private:
  void set_tables();
  uint32_t stream_bits() const;
  Vector embed();
  Codes norm(const std::string& name, Vector x, const Norm& norm, const Source& eps, const std::string& codes_name);
  /// Signed sums of weights times codes.
  Vector matrix(const std::string& name, const LinearMap& map, Vector codes, const std::string& sums_name);
  Vector resident_matrix(const std::string& name, const LinearMap& map, Vector codes, const std::string& sums_name);
  Vector ternary_stream(const std::string& name, const LinearMap& map, Vector codes, const std::string& sums_name);
  Vector byte_stream(const std::string& name, const LinearMap& map, Vector codes, const std::string& sums_name);
  /// Makes the tables of a vector's codes, for streams of weights.
  Vector tables(const std::string& name, Vector codes, bool ternary);
  /// Combines eight consecutive sums, one per bit of the weights, into one.
  Vector plane_sums(const std::string& name, Vector planes, uint64_t plane_max, bool negative_top);
  /// Sums the codes of every head.
  Vector code_sums(const std::string& name, Vector codes, int heads);
  Vector unit(const std::string& name, Vector of_codes, const LinearMap& map, int64_t shift);
  Vector add(const std::string& name, Vector x, const LinearMap& map, const Codes& codes, const std::string& result);
  Vector turned(const std::string& name, Vector x, int heads);
  /// Returns the shift that brings each head's values to 8 bits, and the values cut by it.
  std::pair<Vector, Vector> head_codes(const std::string& name, Vector x, int heads, const std::string& codes_name);
  Vector scale(const std::string& name, Vector x, Vector unit, uint32_t to);
  Vector attention(const std::string& name, const SoftmaxAttention& layer, Vector x);
  Vector scores(const std::string& name, const SoftmaxAttention& layer, Vector q, Vector unit_q, const CachedCodes& keys);
  SoftmaxWeights softmax(const std::string& name, Vector scores);
  Vector mixed_values(const std::string& name, Vector weights, const CachedCodes& values);
  Vector mix(const std::string& name, const SoftmaxWeights& softmax, const CachedCodes& values, const std::string& result, uint32_t bits);
  Vector feed_forward(const std::string& name, const GatedFeedForward& layer, Vector x);
  void head(Vector x);
  uint32_t fixed_bits(const LinearMap& map, const Norm& input, int fraction) const;

  const ScaledModel& model_;
  numerics::ProgramBuilder builder_;
  VectorSteps steps_;
  int context_ = 0, window_ = 0;
  int cosine_ = -1, sine_ = -1, written_ = -1;
  bool streams_ = true;
  std::map<std::pair<int, bool>, Vector> tables_;  // by tensor of codes, and by whether the weights are ternary
};

}  // namespace bitgrid::scales
