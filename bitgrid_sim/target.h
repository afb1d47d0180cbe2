// The instructions that a simulator's inner loops use. They are chosen once at run time, and all give the same results.
#pragma once

#include <cstdint>
#include <string>

namespace bitgrid::sim {

/// kAuto takes the widest that the machine has. The others are for tests and benchmarks.
enum class SimdTarget : uint8_t { kAuto, kPortable, kAvx2, kAvx512, kAvx512Vbmi2 };
inline constexpr SimdTarget kSimdTargets[] = {SimdTarget::kPortable, SimdTarget::kAvx2, SimdTarget::kAvx512, SimdTarget::kAvx512Vbmi2};

/// Returns what kAuto means here, or the wish itself. Throws Error if this machine lacks the requested instructions.
SimdTarget resolve_target(SimdTarget wish);

bool has_target(SimdTarget target);

/// Returns "portable", "avx2", "avx512" or "avx512vbmi2".
std::string to_string(SimdTarget target);

}  // namespace bitgrid::sim
