// What can be mapped, by the path that names it: a model, a network, a netlist or a kernel, as a program of kernels.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engines/open_model.h"
#include "ir/model.h"
#include "ir/program.h"
#include "lowering/numerics/lower.h"
#include "lowering/scales/lower_scaled.h"

namespace bitgrid::engines {

/// "model.yaml" files and checkpoints are models, ".onnx" networks; ".blif" and ".dag" are netlists and kernels.
enum class SourceKind : uint8_t { kModel, kNetwork, kBlif, kDag };
/// Throws Error naming them.
SourceKind source_kind(const std::string& path);

struct KernelSource {
  Program program;    // a netlist or kernel file: one kernel, no steps
  uint64_t hash = 0;  // of models with scales: of their kernels, which hold no weights where these stream
  bool is_model = false;
  bool is_scaled = false;
  std::string blif;  // the text of a netlist that every reader of BLIF understands, else empty
};

struct KernelSourceParams {
  numerics::LowerParams lower = {};
  std::string input_grid = {};  // of an ONNX file's input that no quantiser reads, as --input-grid states it
  struct Scaled {               // of models with scales
    OpenParams open = {};
    CacheForms cache = {};
    int context = 0;  // positions that the caches hold; 0: those of the model
    scales::Dataflow dataflow = scales::Dataflow::kStreamed;
  };
  Scaled scaled = {};
  std::function<void(const std::string&)> warn = [](const std::string&) {};  // gets anything unusual in a model
};

/// Throws Error as the readers do.
KernelSource read_source(const std::string& path, const KernelSourceParams& params = {});

/// Reads a model of our own dialect. `warn` gets anything unusual in it.
Model read_model(const std::string& path, const std::function<void(const std::string&)>& warn);

/// Returns a hash of the kernels' Dags.
uint64_t hash_of_kernels(const Program& program);

/// Returns a Dag as such a program.
Program program_of(Dag dag, const std::string& name);

}  // namespace bitgrid::engines
