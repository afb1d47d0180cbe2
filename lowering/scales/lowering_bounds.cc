// How many bits the numbers of a model can take.
#include <algorithm>
#include <cmath>

#include "ir/index.h"
#include "ir/parallel.h"
#include "ir/vectorised.h"
#include "lowering/scales/lowering.h"

namespace bitgrid::scales {

namespace {

double value_of(const Scalar& s) {
  return std::ldexp(static_cast<double>(s.m), int_of(s.e));
}

int64_t largest(const std::vector<int32_t>& values) {
  int64_t top = 1;
  for (const int32_t v : values) top = std::max<int64_t>(top, std::abs(int64_t{v}));
  return top;
}

BITGRID_VECTORISED_INTEGERS int64_t largest_magnitude(std::span<const int64_t> values) {
  int64_t top = 0;
  for (const int64_t v : values) top = std::max(top, v < 0 ? -v : v);
  return top;
}

/// What an output of a map may be, whatever its weights: codes are at most what a norm gives, sqrt(n) times the largest gain.
double largest_output(const LinearMap& map, const Norm& norm, size_t inputs) {
  const double weights = static_cast<double>(map.inputs()) * (map.weights->storage() == WeightStorage::kByte ? 128.0 : 1.0);
  const double gain = std::ldexp(static_cast<double>(largest(norm.gain.values)), -norm.gain.fraction);
  return 1.02 * value_of(map.scale) * weights * gain * std::sqrt(static_cast<double>(inputs));
}

uint32_t signed_bits(double magnitude) {
  return static_cast<uint32_t>(std::max(8.0, std::min(47.0, std::ceil(std::log2(magnitude + 1.0)) + 2.0)));
}

}  // namespace

/// Bits of the stream: the embedding and all that layers add to it.
uint32_t Lowering::stream_bits() const {
  std::vector<int64_t> largest_of_row(model_.embedding.vocabulary);
  parallel_for(largest_of_row.size(), threads_, [&](size_t t) {
    std::vector<int64_t> row(model_.width);
    model_.embedding.row(t, row);
    largest_of_row[t] = largest_magnitude(row);
  });
  auto sum = static_cast<double>(*std::max_element(largest_of_row.begin(), largest_of_row.end()));
  for (const ScaledLayer& layer : model_.layers) {
    if (const auto* a = std::get_if<SoftmaxAttention>(&layer))
      sum += std::ldexp(largest_output(a->output, *a->sub_norm, a->output.inputs()), model_.embedding.fraction);
    else {
      const auto& f = std::get<GatedFeedForward>(layer);
      sum += std::ldexp(largest_output(f.down, *f.sub_norm, f.down.inputs()), model_.embedding.fraction);
    }
  }
  return signed_bits(sum);
}

/// Of keys or values as fixed-point numbers.
uint32_t Lowering::fixed_bits(const LinearMap& map, const Norm& input, int fraction) const {
  return signed_bits(1.5 * std::ldexp(largest_output(map, input, model_.width), fraction));
}

}  // namespace bitgrid::scales
