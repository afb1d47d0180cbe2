#include "reference_cpu/scaled/cache.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdlib>

namespace bitgrid::cpu {

namespace {

__extension__ using Wide = __int128;

constexpr int kShiftMantissa = 128;
constexpr int kMantissaBits = 8;

struct Step {
  int64_t mantissa = 0, exponent = 0;
};

/// The step of a vector's codes: from its largest or its mean magnitude.
Step step_of(std::span<const int64_t> v, const CacheForm& form, const std::vector<Scalar>& mean_step) {
  int64_t size = 1;
  Scalar factor;
  if (form.step == CacheForm::Step::kMean) {
    size = 0;
    for (const int64_t x : v) size += std::abs(x);
    factor = mean_step[static_cast<size_t>(form.bits) - 1];
  } else {
    for (const int64_t x : v) size = std::max(size, std::abs(x));
    factor = {int64_t{1} << (kScalarBits - 1), 1 - form.bits - (kScalarBits - 1)};
  }
  const Scalar step = multiply(scalar(std::max<int64_t>(size, 1)), factor);
  return {step.m >> (kScalarBits - kMantissaBits), step.e + kScalarBits - kMantissaBits};
}

void hadamard(std::span<int64_t> v) {
  assert(std::has_single_bit(v.size()));
  for (size_t h = 1; h < v.size(); h *= 2) {
    for (size_t i = 0; i < v.size(); i += 2 * h) {
      for (size_t j = i; j < i + h; ++j) {
        const int64_t a = v[j], b = v[j + h];
        v[j] = a + b;
        v[j + h] = a - b;
      }
    }
  }
}

void rudin_shapiro(std::span<int64_t> v) {
  for (size_t c = 0; c < v.size(); ++c)
    if (std::popcount(c & (c >> 1)) % 2 == 1) v[c] = -v[c];
}

}  // namespace

void CacheRing::add(std::span<const int64_t> values, const std::vector<Scalar>& mean_step) {
  const size_t begin = slot(positions_++) * heads_;
  if (mantissas_.size() < begin + heads_) {
    codes_.resize((begin + heads_) * width_);
    mantissas_.resize(begin + heads_);
    exponents_.resize(begin + heads_);
  }
  for (size_t h = 0; h < heads_; ++h) {
    std::vector<int64_t> v(values.begin() + static_cast<std::ptrdiff_t>(h * width_),
                           values.begin() + static_cast<std::ptrdiff_t>((h + 1) * width_));
    int8_t* codes = codes_.data() + (begin + h) * width_;
    if (form_.step == CacheForm::Step::kShift) {
      const int shift = block_floating_point(v, form_.bits);
      mantissas_[begin + h] = kShiftMantissa;
      exponents_[begin + h] = static_cast<int16_t>(shift - 7);
      std::transform(v.begin(), v.end(), codes, [](int64_t x) { return static_cast<int8_t>(x); });
      continue;
    }
    const Step step = step_of(v, form_, mean_step);
    const int64_t reciprocal = (int64_t{1} << 24) / step.mantissa;
    const int64_t shift = std::clamp<int64_t>(24 + step.exponent, 0, 60), low = -(int64_t{1} << (form_.bits - 1));
    mantissas_[begin + h] = static_cast<uint8_t>(step.mantissa);
    exponents_[begin + h] = static_cast<int16_t>(step.exponent - 1);
    std::transform(v.begin(), v.end(), codes, [&](int64_t x) {
      return static_cast<int8_t>(std::clamp<Wide>((static_cast<Wide>(x) * reciprocal) >> shift, low, -low - 1));
    });
  }
}

CacheEntry CacheRing::at(size_t position, size_t head) const {
  const size_t i = slot(position) * heads_ + head;
  return {std::span(codes_).subspan(i * width_, width_), odd(), mantissas_[i], exponents_[i]};
}

CacheRun CacheRing::run(size_t position, size_t end, size_t head) const {
  const size_t first = slot(position), i = first * heads_ + head;
  const size_t count = window_ == 0 ? end - position : std::min(end - position, window_ - first);
  return {codes_.data() + i * width_, mantissas_.data() + i, exponents_.data() + i, heads_, width_, count};
}

void rotate(std::span<int64_t> v) {
  rudin_shapiro(v);
  hadamard(v);
}

void rotate_back(std::span<int64_t> v) {
  hadamard(v);
  rudin_shapiro(v);
}

}  // namespace bitgrid::cpu
