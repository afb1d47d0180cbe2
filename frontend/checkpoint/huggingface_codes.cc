// BitNet: packed and master weights.
#include "frontend/checkpoint/huggingface_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "frontend/checkpoint/groups.h"
#include "frontend/checkpoint/huggingface_tensor.h"
#include "ir/error.h"
#include "ir/vectorised.h"

namespace bitgrid::frontend {
namespace {

/// The sum of |w| of a tensor: eight partial sums, so that it does not depend on who adds how many numbers at a time.
double sum_of_magnitudes(const MappedTensor& stored) {
  std::array<double, 8> sums{};
  std::vector<float> part(1 << 14);
  for (uint64_t at = 0; at < stored.count(); at += part.size()) {
    const std::span<float> row(part.data(), std::min<uint64_t>(part.size(), stored.count() - at));
    stored.read(at, row);
    for (size_t i = 0; i < row.size(); ++i) sums[i % 8] += std::abs(static_cast<double>(row[i]));
  }
  double sum = 0.0;
  for (const double s : sums) sum += s;
  return sum;
}

}  // namespace

namespace {

/// Bits `shift` and `shift` + 1 of each byte, less 1. Whether one of them is the code 3.
BITGRID_VECTORISED bool unpack_digits(std::string_view bytes, unsigned shift, std::span<int8_t> codes) {
  uint8_t threes = 0;
  for (size_t c = 0; c < codes.size(); ++c) {
    const auto digit = static_cast<uint8_t>(static_cast<uint8_t>(bytes[c]) >> shift & 3);
    threes = static_cast<uint8_t>(threes | (digit & digit >> 1));
    codes[c] = static_cast<int8_t>(digit - 1);
  }
  return threes != 0;
}

}  // namespace

CheckpointTensor packed_tensor(const MappedTensor& stored, const MappedTensor& scale, bool scale_multiplies) {
  if (stored.entry.dtype != DType::kU8)
    throw Error(stored.where(), "its type is " + std::string(stored.type().name) + ", though it has a weight_scale",
                "packed weights are U8; fetch the file again");
  check_matrix(stored, "packed weights, [outputs / 4, inputs]");
  if (scale.count() != 1 || !scale.type().is_float)
    throw Error(scale.where(),
                fmt::format("it is {} of {}, not one float for the whole matrix", shape_text(scale.entry.shape), scale.type().name),
                "take a checkpoint with one scale per matrix");
  std::array<double, 1> value{};
  scale.read(0, value);
  if (!(std::isfinite(value[0]) && value[0] > 0.0))
    throw Error(scale.where(), fmt::format("the scale is {}", value[0]), "scales are positive; fetch the file again");

  CheckpointTensor t = described(stored);
  const uint64_t quarter = t.shape[0], columns = t.shape[1];
  t.shape[0] = 4 * quarter;
  t.stored = "U8, four ternary digits per byte";
  t.values = StoredValues::kTernary;
  t.sharing = ScaleSharing::kTensor;
  t.tensor_scale = scale_multiplies ? value[0] : 1.0 / value[0];
  t.scale = fmt::format("{} of the tensor, {}weight_scale ({})", scale.type().name, scale_multiplies ? "" : "1 / ", value[0]);
  t.bytes += scale.entry.end - scale.entry.begin;
  t.codes = [&stored, quarter, columns, scale = static_cast<float>(t.tensor_scale)](uint64_t r, std::span<int8_t> codes,
                                                                                    std::span<float> scales) {
    const unsigned shift = static_cast<unsigned>(2 * (r / quarter));
    if (unpack_digits(stored.bytes().substr(r % quarter * columns, columns), shift, codes))
      throw Error(stored.where(), fmt::format("a weight of row {} has the code 3", r), "codes are 0, 1 and 2; fetch the file again");
    scales[0] = scale;
  };
  give_floats_of_codes(t);
  return t;
}

CheckpointTensor master_tensor(const MappedTensor& stored) {
  check_matrix(stored, "a matrix");
  constexpr double kLeastMean = 1e-5;  // as Hugging Face clamps it
  const double mean = sum_of_magnitudes(stored) / static_cast<double>(stored.count());
  if (!std::isfinite(mean)) throw Error(stored.where(), "it has weights that are not numbers", "fetch the file again");
  CheckpointTensor t = described(stored);
  t.stored += ", made ternary";
  t.values = StoredValues::kTernary;
  t.sharing = ScaleSharing::kTensor;
  t.tensor_scale = std::max(mean, kLeastMean);
  t.scale = fmt::format("mean |w| of the tensor ({:.6g})", t.tensor_scale);
  t.codes = [&stored, columns = t.columns(), mean = t.tensor_scale](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
    std::vector<float> row(columns);
    stored.read(r * columns, row);
    for (uint64_t c = 0; c < columns; ++c)
      codes[c] = static_cast<int8_t>(std::clamp(std::nearbyint(static_cast<double>(row[c]) / mean), -1.0, 1.0));
    scales[0] = static_cast<float>(mean);
  };
  give_floats_of_codes(t);
  stored.release();
  return t;
}

}  // namespace bitgrid::frontend
