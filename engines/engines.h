// The engines: one table of what runs a model. None calls another.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engines/engine_stats.h"
#include "engines/network_runner.h"
#include "engines/scaled_runner.h"
#include "ir/host.h"
#include "ir/mapped_kernel.h"
#include "ir/model.h"
#include "ir/program.h"
#include "reference_cpu/engine.h"
#include "rtl/verilator.h"

namespace bitgrid::engines {

struct KernelEngine {
  StepRunner run;
  std::function<EngineStats()> stats;
};

/// What an engine that runs kernels is made from. `mapped` and `verilog` do their work when they are asked. The program must outlive the
/// engine.
struct EngineInputs {
  const Program& program;
  std::function<std::vector<MappedKernel>()> mapped;
  std::function<std::vector<rtl::RtlSource>()> verilog;  // the kernels' datapaths
  rtl::RtlParams rtl = {};
  std::optional<uint64_t> latch_seed = {};  // grid: latches start at random bits in place of 0
  bool lanes = false;                       // grid: batches spread over many copies of a tile where that is faster
  size_t threads = 1;                       // grid: of those copies
};

/// Logits after one more token; what was computed on the way goes into `trace`, if there is one.
using TokenRunner = std::function<std::vector<int64_t>(int token, cpu::Trace* trace)>;

/// An engine: what runs kernels, or a whole model token by token, or whole texts.
struct Engine {
  std::string name;          // of --engine
  std::string purpose;       // a line of help
  std::string other_name;    // another one, if not empty
  std::string with;          // in a list, this engine too
  bool on_grid = false;      // runs mapped kernels: it has cycles and cell updates
  bool whole_texts = false;  // the platform: texts of several streams at once
  KernelEngine (*of_kernels)(const EngineInputs& inputs) = nullptr;
  TokenRunner (*of_model)(const Model& model) = nullptr;                                     // the model must outlive it
  ScaledRunner (*of_scaled)(ScaledSource& source, const ScaledRunParams& params) = nullptr;  // models with scales
  NetworkRunner (*of_network)(const IntegerNetwork& network, const NetworkRunParams& params) = nullptr;  // which must outlive it
};

/// All engines.
const std::vector<Engine>& engines();
/// Throws Error listing them.
const Engine& find_engine(const std::string& name);
/// Reads a list such as "cpu,dag,grid".
std::vector<const Engine*> find_engines(const std::string& list);
/// The engines that run models with scales: "cpu, float".
std::string scaled_engine_names();
/// Those that run networks of ONNX files.
std::string network_engine_names();
/// "cpu, dag, .."; and with what each is for: "name    purpose", a line each.
std::string engine_names();
std::string list_engines();

/// Verilog sources of all kernels.
std::vector<rtl::RtlSource> verilog_sources(const Program& program);

}  // namespace bitgrid::engines
