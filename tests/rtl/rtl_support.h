// Test support of Verilator's models: they are built in a cache that all tests of a user share.
#pragma once

#include <unistd.h>

#include <filesystem>

#include "rtl/verilator.h"

namespace bitgrid::rtl {

inline RtlParams test_params() {
  RtlParams params;
  params.cache_dir = (std::filesystem::path(testing::TempDir()) / ("bitgrid_rtl_test_cache_" + std::to_string(getuid()))).string();
  return params;
}

}  // namespace bitgrid::rtl
