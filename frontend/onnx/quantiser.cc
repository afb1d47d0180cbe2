#include "frontend/onnx/quantiser.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

namespace bitgrid::frontend::onnx {

std::optional<Rounding> rounding_of(const std::string& name) {
  static constexpr std::array<std::pair<const char*, Rounding>, 8> modes = {{{"ROUND", Rounding::kHalfEven},
                                                                             {"HALF_EVEN", Rounding::kHalfEven},
                                                                             {"CEIL", Rounding::kCeil},
                                                                             {"FLOOR", Rounding::kFloor},
                                                                             {"UP", Rounding::kUp},
                                                                             {"DOWN", Rounding::kDown},
                                                                             {"HALF_UP", Rounding::kHalfUp},
                                                                             {"HALF_DOWN", Rounding::kHalfDown}}};
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const auto& [text, mode] : modes)
    if (upper == text) return mode;
  return std::nullopt;
}

double rounded(Rounding rounding, double x) {
  const double size = std::abs(x);
  switch (rounding) {
    case Rounding::kHalfEven:
      return std::nearbyint(x);
    case Rounding::kCeil:
      return std::ceil(x);
    case Rounding::kFloor:
      return std::floor(x);
    case Rounding::kUp:
      return std::copysign(std::ceil(size), x);
    case Rounding::kDown:
      return std::trunc(x);
    case Rounding::kHalfUp:
      return std::copysign(std::floor(size + 0.5), x);
    case Rounding::kHalfDown:
      return std::copysign(std::ceil(size - 0.5), x);
  }
  return x;
}

QuantCodes quant_codes(int bits, bool is_signed, bool narrow, Rounding rounding) {
  if (is_signed && bits == 1) return {-1.0, 1.0, true, rounding};
  const double top = std::ldexp(1.0, is_signed ? bits - 1 : bits);
  if (is_signed) return {-top + (narrow ? 1.0 : 0.0), top - 1.0, false, rounding};
  return {0.0, top - (narrow ? 2.0 : 1.0), false, rounding};
}

double quant_code(const QuantCodes& q, double x, double scale, double zero) {
  const double y = x / scale + zero;
  if (q.sign) return y >= 0.0 ? 1.0 : -1.0;
  return rounded(q.rounding, std::clamp(y, q.lo, q.hi));
}

}  // namespace bitgrid::frontend::onnx
