// The quantisers of QONNX and FINN on one number: what docs/onnx.md states, in double.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/onnx/graph.h"

namespace bitgrid::frontend::onnx {

/// ROUND is half to even. UP and DOWN go away from 0 and towards it; HALF_UP and HALF_DOWN do so with halves only.
enum class Rounding : uint8_t { kHalfEven, kCeil, kFloor, kUp, kDown, kHalfUp, kHalfDown };

/// nullopt: no such mode. In any case of letters.
std::optional<Rounding> rounding_of(const std::string& name);
double rounded(Rounding rounding, double x);

/// Quant (IntQuant): clamps, then rounds. A signed one of 1 bit is a sign, where 0 gives +1.
struct QuantCodes {
  double lo = 0.0;  // of the rounded number, with the zero point
  double hi = 0.0;
  bool sign = false;
  Rounding rounding = Rounding::kHalfEven;
};
QuantCodes quant_codes(int bits, bool is_signed, bool narrow, Rounding rounding);
/// The whole number that stands for x, with the zero point.
double quant_code(const QuantCodes& q, double x, double scale, double zero);
inline double quant_value(double code, double scale, double zero) {
  return (code - zero) * scale;
}

}  // namespace bitgrid::frontend::onnx
