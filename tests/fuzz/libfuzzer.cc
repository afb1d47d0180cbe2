// The entry that libFuzzer calls. BITGRID_FUZZ_TARGET names the function of targets.h.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bitgrid::fuzz::BITGRID_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
