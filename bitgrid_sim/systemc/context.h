// What all parts of one simulation share.
#pragma once

#include <exception>

#include "bitgrid_sim/systemc/memory_map.h"
#include "bitgrid_sim/systemc/platform.h"

namespace bitgrid::platform {

/// The labels of the timeline: kernels by number, then these.
enum class Label : uint32_t { kTables, kToken, kLogits };

struct Context {
  const Program& program;
  const std::vector<MappedKernel>& mapped;
  const MemoryMap& map;
  const PlatformParams& params;
  Timeline timeline = {};  // tracks of the tiles, then of the buses
  std::vector<KernelResult> kernels = {};
  std::vector<StreamResult> streams = {};
  std::exception_ptr failure = nullptr;  // of the first process that threw

  const Platform& platform() const { return params.arch.platform; }
  const Step& step(int index) const { return program.steps[static_cast<size_t>(index)]; }
  const Kernel& kernel(int index) const { return program.kernels[static_cast<size_t>(index)]; }
  const MappedKernel& mapping(int index) const { return mapped[static_cast<size_t>(index)]; }
  uint32_t label(Label which) const { return static_cast<uint32_t>(program.kernels.size()) + static_cast<uint32_t>(which); }
};

/// Stack sizes of processes. Those that simulate grids need more.
inline constexpr size_t kStackBytes = 256 << 10, kGridStackBytes = 1 << 20;

}  // namespace bitgrid::platform
