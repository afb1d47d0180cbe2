#include "bitgrid_sim/target.h"

#include "ir/error.h"

namespace bitgrid {
namespace {

#if defined(__x86_64__)
bool has_avx2() {
  return __builtin_cpu_supports("avx2");
}
bool has_avx512() {
  return __builtin_cpu_supports("avx512f");
}
#else
bool has_avx2() {
  return false;
}
bool has_avx512() {
  return false;
}
#endif

}  // namespace

SimdTarget resolve_target(SimdTarget wish) {
  if (wish == SimdTarget::kAuto) return has_avx512() ? SimdTarget::kAvx512 : has_avx2() ? SimdTarget::kAvx2 : SimdTarget::kPortable;
  if ((wish == SimdTarget::kAvx512 && !has_avx512()) || (wish == SimdTarget::kAvx2 && !has_avx2()))
    throw Error("simulator", "this machine lacks the " + to_string(wish) + " instructions asked for", "let it choose");
  return wish;
}

std::string to_string(SimdTarget target) {
  return target == SimdTarget::kAvx512 ? "avx512" : target == SimdTarget::kAvx2 ? "avx2" : "portable";
}

}  // namespace bitgrid
