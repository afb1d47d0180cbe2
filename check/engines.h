// The engines that run the kernels of a Program: each takes batches of invocations of a step and gives back output bits. None calls
// another.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bitgrid_sim/kernel_simulator.h"
#include "ir/host.h"
#include "ir/mapped_kernel.h"
#include "ir/program.h"
#include "rtl/fabric_kernel.h"
#include "rtl/verilator.h"

namespace bitgrid {

/// kRtl: the datapath Verilog of the Dags; kFabric: the fabric Verilog, loaded with the mapped kernels. Both run under Verilator. kSystemC:
/// the mapped kernels on tiles among memories and buses (bitgrid_sim/systemc/platform.h), which runs whole tokens, not steps.
enum class Engine : uint8_t { kCpu, kDag, kGrid, kRtl, kFabric, kSystemC };

std::string_view name(Engine engine);
/// Reads "cpu", "dag", "grid", "rtl" (or "datapath", the same), "fabric" or "systemc". Throws Error listing them.
Engine parse_engine(const std::string& text);
/// Reads a list such as "cpu,dag,grid". In it "rtl" means all Verilog: datapath and fabric.
std::vector<Engine> parse_engines(const std::string& text);

struct EngineStats {
  uint64_t cycles = 0;                // of the simulated hardware, summed over kernels (dag: 0)
  uint64_t cell_updates = 0;          // grid and fabric
  uint64_t reconfigured_cells = 0;    // likewise
  uint64_t configuration_clocks = 0;  // fabric: of its chains, the first load included
};

struct KernelEngine {
  StepRunner run;
  std::function<EngineStats()> stats;
};

/// The evaluator of the Dags. Keeps a reference to the program (so do the others).
KernelEngine dag_engine(const Program& program);

/// The grid simulator on the mapped kernels: a tile of its own for every step whose kernel holds resident bits, one for each other kernel.
KernelEngine grid_engine(const Program& program, std::vector<MappedKernel> mapped, const KernelSimulatorParams& params = {});

/// Verilated datapath modules, one for each kernel.
KernelEngine rtl_engine(const Program& program, std::vector<std::shared_ptr<RtlModel>> models);

/// Verilated fabrics of the kernels' sizes (build_rtl of fabric_sources), with tiles as grid_engine has them.
KernelEngine fabric_engine(const Program& program, std::vector<MappedKernel> mapped, std::vector<std::shared_ptr<RtlModel>> models);

/// The fabric that each kernel needs, as sources for build_rtl, which builds equal ones once.
std::vector<RtlSource> fabric_sources(const std::vector<MappedKernel>& mapped);

}  // namespace bitgrid
