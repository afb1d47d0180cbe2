#include "bitgrid_sim/target.h"

#include <algorithm>
#include <iterator>

#include "ir/error.h"

namespace bitgrid::sim {

bool has_target(SimdTarget target) {
#if defined(__x86_64__)
  if (target == SimdTarget::kAvx2) return __builtin_cpu_supports("avx2");
  if (target == SimdTarget::kAvx512) return __builtin_cpu_supports("avx512f");
  if (target == SimdTarget::kAvx512Vbmi2) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vbmi2");
#endif
  return target == SimdTarget::kPortable;
}

SimdTarget resolve_target(SimdTarget wish) {
  if (wish == SimdTarget::kAuto) return *std::find_if(std::rbegin(kSimdTargets), std::rend(kSimdTargets), has_target);
  if (!has_target(wish)) throw Error("simulator", "this machine lacks the " + to_string(wish) + " instructions asked for", "let it choose");
  return wish;
}

std::string to_string(SimdTarget target) {
  switch (target) {
    case SimdTarget::kAvx512Vbmi2:
      return "avx512vbmi2";
    case SimdTarget::kAvx512:
      return "avx512";
    case SimdTarget::kAvx2:
      return "avx2";
    default:
      return "portable";
  }
}

}  // namespace bitgrid::sim
