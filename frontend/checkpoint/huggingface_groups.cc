// Weights whose groups of inputs share a scale: floats of one magnitude, and MLX.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "frontend/checkpoint/groups.h"
#include "frontend/checkpoint/huggingface_codes.h"
#include "frontend/checkpoint/huggingface_tensor.h"

namespace bitgrid::frontend {
namespace {

Misfit misfit_at(uint64_t row, uint64_t group, uint64_t size, const std::string& why) {
  return {fmt::format("row {}, group {} (inputs {} to {}) {}", row, group, group * size, (group + 1) * size - 1, why)};
}

std::optional<Misfit> find_partial_group(const std::vector<uint64_t>& shape, uint64_t group) {
  if (shape.size() == 2 && shape[0] > 0 && shape[1] > 0 && shape[1] % group == 0) return std::nullopt;
  return Misfit{fmt::format("its shape {} does not divide into groups of {} inputs", shape_text(shape), group)};
}

enum class GroupFit : uint8_t { kBinary, kTernary, kNone, kNotFinite };

/// Floats of a group by their bits, which are compared without the sign.
template <typename Bits>
GroupFit fit_of(const char* bytes, size_t size, Bits infinite) {
  constexpr Bits kMagnitude = static_cast<Bits>(~Bits{0}) >> 1;
  const auto magnitude = [&](size_t i) {
    Bits bits;
    std::memcpy(&bits, bytes + i * sizeof bits, sizeof bits);
    return static_cast<Bits>(bits & kMagnitude);
  };
  const Bits first = magnitude(0);
  Bits differs = 0, top = 0;
  for (size_t i = 0; i < size; ++i) {
    const Bits m = magnitude(i);
    differs = static_cast<Bits>(differs | (m ^ first));
    top = std::max(top, m);
  }
  if (top >= infinite) return GroupFit::kNotFinite;
  if (differs == 0) return GroupFit::kBinary;
  bool fits = true;
  for (size_t i = 0; i < size; ++i) fits &= magnitude(i) == 0 || magnitude(i) == top;
  return fits ? GroupFit::kTernary : GroupFit::kNone;
}

GroupFit fit_of(const MappedTensor& stored, uint64_t first, uint64_t size) {
  const char* bytes = stored.bytes().data() + first * stored.type().bytes;
  if (stored.entry.dtype == DType::kF16) return fit_of<uint16_t>(bytes, size, 0x7C00);
  if (stored.entry.dtype == DType::kBF16) return fit_of<uint16_t>(bytes, size, 0x7F80);
  return fit_of<uint32_t>(bytes, size, 0x7F800000u);
}

/// The magnitude of a group: that of its first weight that is not 0.
float magnitude_of(const MappedTensor& stored, uint64_t first, uint64_t size) {
  for (uint64_t i = first; i < first + size; ++i) {
    float weight = 0.0f;
    stored.read(i, std::span(&weight, 1));
    if (weight != 0.0f) return std::abs(weight);
  }
  return 0.0f;
}

/// Codes and scales of a row of floats that fit.
void split_row(std::span<const float> row, uint64_t group, std::span<int8_t> codes, std::span<float> scales) {
  for (uint64_t g = 0; g < scales.size(); ++g) {
    float top = 0.0f;
    for (uint64_t c = g * group; c < (g + 1) * group; ++c) {
      top = std::max(top, std::abs(row[c]));
      codes[c] = static_cast<int8_t>(row[c] > 0.0f ? 1 : row[c] < 0.0f ? -1 : 0);
    }
    scales[g] = top;
  }
}

/// The codes of a row of MLX's words, q without an offset.
void unpack_words(std::string_view words, uint64_t bits, std::span<int8_t> codes) {
  const uint64_t per_byte = 8 / bits;  // the bytes of a word are in order, too
  const unsigned mask = (1u << bits) - 1u;
  for (uint64_t c = 0; c < codes.size(); ++c) {
    const unsigned byte = static_cast<unsigned char>(words[c / per_byte]);
    codes[c] = static_cast<int8_t>(byte >> (c % per_byte * bits) & mask);
  }
}

bool has_code_3(std::string_view words) {
  unsigned found = 0;
  for (const char c : words) {
    const unsigned byte = static_cast<unsigned char>(c);
    found |= byte & byte >> 1;
  }
  return (found & 0x55u) != 0;
}

std::optional<Misfit> find_mlx_shape_misfit(const MappedTensor& stored, const MappedTensor& scales, const MappedTensor& biases,
                                            uint64_t bits, uint64_t group) {
  const std::vector<uint64_t>&words = stored.entry.shape, &by_group = scales.entry.shape;
  if (stored.entry.dtype != DType::kU32 || words.size() != 2)
    return Misfit{fmt::format("it is {} of {}, not a matrix of U32", shape_text(words), stored.type().name)};
  const uint64_t columns = words[1] * 32 / bits;
  if (const auto misfit = find_partial_group({words[0], columns}, group)) return misfit;
  if (by_group != std::vector<uint64_t>{words[0], columns / group} || biases.entry.shape != by_group)
    return Misfit{fmt::format("its scales are {} and its biases {}, but {} rows of {} inputs in groups of {} need [{}, {}]",
                              shape_text(by_group), shape_text(biases.entry.shape), words[0], columns, group, words[0], columns / group)};
  if (!scales.type().is_float || !biases.type().is_float || scales.type().bytes == 1 || biases.type().bytes == 1)
    return Misfit{fmt::format("its scales are {} and its biases {}, not floats", scales.type().name, biases.type().name)};
  return std::nullopt;
}

}  // namespace

std::optional<Misfit> find_group_misfit(const MappedTensor& stored, uint64_t group, CheckpointTensor& tensor) {
  const DType type = stored.entry.dtype;
  if (type != DType::kF16 && type != DType::kBF16 && type != DType::kF32) return Misfit{fmt::format("its type is {}", stored.type().name)};
  if (const auto misfit = find_partial_group(stored.entry.shape, group)) return misfit;
  const uint64_t columns = stored.entry.shape[1], groups = columns / group;
  bool ternary = false;
  GroupScan scan;
  for (uint64_t r = 0; r < stored.entry.shape[0]; ++r) {
    for (uint64_t g = 0; g < groups; ++g) {
      const GroupFit fit = fit_of(stored, r * columns + g * group, group);
      if (fit == GroupFit::kNone) return misfit_at(r, g, group, "has several magnitudes");
      if (fit == GroupFit::kNotFinite) return misfit_at(r, g, group, "has a weight that is not a number");
      ternary |= fit == GroupFit::kTernary;
      scan.see(g, magnitude_of(stored, r * columns + g * group, group));
    }
  }
  tensor = described(stored);
  tensor.stored += fmt::format(", one magnitude in {} inputs", group);
  tensor.values = ternary ? StoredValues::kTernary : StoredValues::kBinary;
  tensor.sharing = ScaleSharing::kGroup;
  tensor.group = group;
  tensor.scale = fmt::format("the magnitude of {} inputs", group);
  tensor.codes = [&stored, columns, group](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
    std::vector<float> row(columns);
    stored.read(r * columns, row);
    split_row(row, group, codes, scales);
  };
  tensor.floats = [&stored, columns](uint64_t r, std::span<float> row) { stored.read(r * columns, row); };
  take_scan(scan, tensor);
  stored.release();
  return std::nullopt;
}

std::optional<Misfit> find_mlx_misfit(const MappedTensor& stored, const MappedTensor& scales, const MappedTensor& biases, uint64_t bits,
                                      uint64_t group, CheckpointTensor& tensor) {
  if (const auto misfit = find_mlx_shape_misfit(stored, scales, biases, bits, group)) return misfit;
  const uint64_t rows = stored.entry.shape[0], bytes = stored.entry.shape[1] * 4, columns = bytes * 8 / bits, groups = columns / group;
  const bool twos = bits == 2 && has_code_3(stored.bytes());
  const auto turned = [twos](float s) { return s < 0.0f && !twos; };  // MLX's scales may be negative; -1 .. 2 cannot be turned round
  GroupScan scan;
  std::vector<float> scale(groups), bias(groups);
  for (uint64_t r = 0; r < rows; ++r) {
    scales.read(r * groups, scale);
    biases.read(r * groups, bias);
    for (uint64_t g = 0; g < groups; ++g) {
      const float expected = bits == 1 ? -scale[g] / 2.0f : -scale[g];
      if (!std::isfinite(scale[g]) || bias[g] != expected)
        return misfit_at(
            r, g, group,
            fmt::format("has the scale {} and the bias {}, but only -scale{} gives values that are the same on both sides of 0", scale[g],
                        bias[g], bits == 1 ? " / 2" : ""));
      const float s = bits == 1 ? scale[g] / 2.0f : scale[g];
      scan.see(g, turned(s) ? -s : s);
    }
  }
  tensor = described(stored);
  tensor.shape[1] = columns;
  tensor.stored = fmt::format("MLX, {} bit{} in U32", bits, bits == 1 ? "" : "s");
  tensor.values = bits == 1 ? StoredValues::kBinary : twos ? StoredValues::kInt2 : StoredValues::kTernary;
  tensor.sharing = ScaleSharing::kGroup;
  tensor.group = group;
  tensor.scale = fmt::format("{} of {} inputs, {}", scales.type().name, group,
                             bits == 1 ? "scales / 2, biases -scales / 2" : "scales, biases -scales");
  tensor.bytes += (scales.entry.end - scales.entry.begin) + (biases.entry.end - biases.entry.begin);
  tensor.codes = [&stored, &scales, bits, bytes, groups, group, turned](uint64_t r, std::span<int8_t> codes, std::span<float> row_scales) {
    unpack_words(stored.bytes().substr(r * bytes, bytes), bits, codes);
    scales.read(r * groups, row_scales);
    for (uint64_t g = 0; g < groups; ++g) {
      float& s = row_scales[g];
      if (bits == 1) s /= 2.0f;
      const bool turn = turned(s);
      if (turn) s = -s;
      for (uint64_t c = g * group; c < (g + 1) * group; ++c) {
        const int code = bits == 1 ? 2 * codes[c] - 1 : codes[c] - 1;
        codes[c] = static_cast<int8_t>(s == 0.0f ? 0 : turn ? -code : code);
      }
    }
  };
  take_scan(scan, tensor);
  give_floats_of_codes(tensor);
  stored.release();
  return std::nullopt;
}

}  // namespace bitgrid::frontend
