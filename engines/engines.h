// The engines: one table of everything that runs a model. No engine calls another.
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

/// What an engine that runs kernels is made from. `mapped` and `verilog` do their work only when they are called. The program must outlive
/// the engine.
struct EngineInputs {
  const Program& program;
  std::function<std::vector<MappedKernel>()> mapped;
  std::function<std::vector<rtl::RtlSource>()> verilog;  // the kernels' datapaths
  rtl::RtlParams rtl = {};
  std::optional<uint64_t> latch_seed = {};  // grid: latches start at random bits instead of 0
  bool lanes = false;                       // grid: batches spread over many copies of a tile if that is faster
  size_t threads = 1;                       // grid: of those copies
};

/// Returns the logits after one more token. Values computed on the way go into `trace`, if there is one.
using TokenRunner = std::function<std::vector<int64_t>(int token, cpu::Trace* trace)>;

struct StreamsInputs;
struct StreamsResult;

/// An engine, described by what it can run: kernels, whole models, streams of texts, models with scales. Commands ask for these, not for
/// names.
struct Engine {
  std::string name = {};        // for --engine
  std::string purpose = {};     // a line of help
  std::string other_name = {};  // another one, if not empty
  std::string with = {};        // in a list, also this engine
  bool on_grid = false;         // runs mapped kernels: it has cycles and cell updates
  bool exact = true;            // its values equal the definition's; otherwise it is a yardstick, and probabilities are compared
  KernelEngine (*of_kernels)(const EngineInputs& inputs) = nullptr;
  TokenRunner (*of_model)(const Model& model) = nullptr;                                                 // the model must outlive it
  StreamsResult (*of_streams)(const StreamsInputs& inputs) = nullptr;                                    // engines/streams.h
  ScaledRunner (*of_scaled)(ScaledSource& source, const ScaledRunParams& params) = nullptr;              // models with scales
  NetworkRunner (*of_network)(const IntegerNetwork& network, const NetworkRunParams& params) = nullptr;  // networks of ONNX files
};

/// The engines that commands use if none is named. Those of check are lists.
struct DefaultEngines {
  const char* run = "grid";
  const char* run_scaled = "cpu";
  const char* evaluate = "cpu";
  const char* check = "cpu,dag,grid";
  const char* check_scaled = "cpu";
  const char* check_scaled_text = "float,cpu";
};
inline constexpr DefaultEngines kDefaultEngines;
/// The same for check with a folder that holds mapped kernels, Verilog or both.
std::string default_engines_of_folder(bool has_kernels, bool has_verilog);

/// Returns all engines.
const std::vector<Engine>& engines();
/// Throws Error that lists them.
const Engine& find_engine(const std::string& name);
/// Reads a list such as "cpu,dag,grid".
std::vector<const Engine*> find_engines(const std::string& list);
/// Returns "cpu, dag, ..": all engines, or those for which `which` returns true.
std::string engine_names(bool (*which)(const Engine& engine) = nullptr);
inline bool runs_streams(const Engine& engine) {
  return engine.of_streams != nullptr;
}
/// Throws Error at `option` if the engine does not run models with scales.
void require_scaled(const Engine& engine, const std::string& option);
/// Throws Error at `option` if the engine does not run networks of ONNX files.
void require_network(const Engine& engine, const std::string& option);
/// Lists the engines and their purpose, one per line.
std::string list_engines();

/// Returns the Verilog sources of all kernels.
std::vector<rtl::RtlSource> verilog_sources(const Program& program);

}  // namespace bitgrid::engines
