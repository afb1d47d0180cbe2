// The walk over a model with scales. lower_scaled.h is the entry point.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "ir/index.h"
#include "ir/program.h"
#include "ir/scaled_model.h"
#include "lowering/numerics/program_builder.h"
#include "lowering/scales/kernels.h"
#include "lowering/scales/lower_scaled.h"
#include "lowering/scales/scalar_steps.h"
#include "lowering/scales/vector_steps.h"

namespace bitgrid::scales {

inline constexpr int kLightLanes = 16;  // words an invocation of kernels that only pass or collect them
inline constexpr int kRotaryFraction = 14, kMixFraction = 8;
inline constexpr int kSlotsAtOnce = 16;  // slots of the cache whose shifts one invocation copies: windows are multiples of it
inline constexpr uint32_t kFarBits = kMostValueBits + 1 - kScoreBits;  // planes above a score: twice its value takes 47 bits at most
inline constexpr const char* kLogitUnit = "logits.unit";

/// Codes and their unit.
struct Codes {
  Vector codes;
  ScalarVector unit;
};

/// Caches of codes of 8 bits, of what each head's shift multiplies them by (keys) or the shift (values), and of their sum.
struct CachedCodes {
  int codes = -1, powers = -1, shifts = -1, sums = -1;
  uint32_t power_bits = 0;
};

/// The weights of every head and slot, and 1 / their sum for every head.
struct SoftmaxWeights {
  Vector weights;
  ScalarVector reciprocal;
};

class Lowering {
 public:
  Lowering(const ScaledModel& model, const LowerScaledParams& params) : model_(model), steps_(builder_), scalars_(steps_) {
    builder_.params = params.matrices;
    streams_ = params.dataflow == Dataflow::kStreamed;
    threads_ = params.threads;
    builder_.program.name = model.name;
    context_ = params.context != 0 ? params.context : int_of(model.context);
    window_ = (context_ + kSlotsAtOnce - 1) / kSlotsAtOnce * kSlotsAtOnce;
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
  /// x * by, each number by its own or, of a stride 0, by one.
  Vector product(const std::string& name, Vector x, const Source& by, const Factor& by_factor, NumberCode code, uint32_t outputs = 0);
  /// The bits of all v have the lengths of the magnitudes; of every `group` numbers in a row.
  Vector lengths(const std::string& name, Vector x, int group);
  /// The shift that brings numbers of these lengths to `keep` bits.
  Vector shift(const std::string& name, Vector lengths, uint32_t keep);
  /// x, unless it is in offset binary, whose planes cannot be shifted.
  Vector in_twos_complement(const std::string& name, Vector x);
  /// x cut to `to` bits by its part's shift: x has as many parts as there are shifts.
  Vector cut(const std::string& name, Vector x, Vector shifts, uint32_t to, NumberCode code);
  /// floor(x * unit + 1/2), a part of x by its scalar of `units`.
  Vector scale(const std::string& name, Vector x, const ScalarVector& units, uint32_t to);
  /// x * mantissa, and the plane from which it is to be read.
  std::pair<Vector, Vector> scaled_planes(const std::string& name, Vector x, const ScalarVector& units);
  ScalarVector mean_square(const std::string& name, Vector sum, Vector shift, const Source& eps);
  Vector as_exponent(const std::string& name, Vector n);
  /// of_codes * the map's scale * 2^shift.
  ScalarVector unit(const std::string& name, const ScalarVector& of_codes, const LinearMap& map, int64_t shift);
  Vector add(const std::string& name, Vector x, const LinearMap& map, const Codes& codes, const std::string& result);
  Vector turned(const std::string& name, Vector x, int heads);
  /// Returns the shift that brings each head's values to 8 bits, and the values cut by it.
  std::pair<Vector, Vector> head_codes(const std::string& name, Vector x, int heads, const std::string& codes_name);
  /// Products of queries and cached keys, exact.
  Vector key_products(const std::string& name, Vector q8, const CachedCodes& keys);
  Vector attention(const std::string& name, const SoftmaxAttention& layer, Vector x);
  Vector scores(const std::string& name, const SoftmaxAttention& layer, Vector q, const ScalarVector& unit_q, const CachedCodes& keys);
  Vector saturated_scores(const std::string& name, Vector scaled, Vector planes);
  SoftmaxWeights softmax(const std::string& name, Vector scores);
  Vector aligned_weights(const std::string& name, Vector weights, Vector shifts, Vector top_shift);
  Vector mixed_values(const std::string& name, Vector weights, const CachedCodes& values);
  Vector mix(const std::string& name, const SoftmaxWeights& softmax, const CachedCodes& values, const std::string& result, uint32_t bits);
  Vector feed_forward(const std::string& name, const GatedFeedForward& layer, Vector x);
  Vector hidden_eps(const std::string& mlp, const GatedFeedForward& layer, const ScalarVector& gate, const ScalarVector& up);
  void head(Vector x);
  uint32_t fixed_bits(const LinearMap& map, const Norm& input, int fraction) const;

  const ScaledModel& model_;
  numerics::ProgramBuilder builder_;
  VectorSteps steps_;
  ScalarSteps scalars_;
  int context_ = 0, window_ = 0;
  int cosine_ = -1, sine_ = -1, written_ = -1;
  bool streams_ = true;
  int threads_ = 1;
  std::map<std::pair<int, bool>, Vector> tables_;  // by tensor of codes, and by whether the weights are ternary
};

}  // namespace bitgrid::scales
