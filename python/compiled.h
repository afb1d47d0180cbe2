// What all compiled things have: kernels on the grid, their pictures, the page, the files.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/engines.h"
#include "ir/arch.h"
#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "ir/program.h"
#include "lowering/mapping/map.h"
#include "lowering/numerics/lower.h"
#include "python/long_work.h"

namespace bitgrid::python {

/// Arguments of every compile().
struct CompileOptions {
  std::optional<std::pair<int, int>> tile;  // width, height; none: the architecture's
  std::string arch, optimize = "area", mode = "auto", effort = "default", strategy, defects;
  uint64_t seed = 1;
  int threads = 0;  // 0: all
  bool verify = true;
  py::object progress;

  /// The same with the files read.
  struct Read {
    Arch arch;
    mapping::MapParams map;
    numerics::LowerParams lower;
  };
  /// Throws Error as the readers do.
  Read read() const;
};

/// A program on the grid. The members that run_* need are shared with the runs.
struct Compiled {
  std::shared_ptr<const Program> program;
  std::shared_ptr<const std::vector<MappedKernel>> mapped;
  CompileOptions options;
  CompileOptions::Read read;
  uint64_t source_hash = 0;
  bool is_model = false;  // its steps make a token or a sample
};

/// 0: all of this machine. Throws Error for a number that is none.
int threads_of(int threads);

/// Maps and verifies all kernels; needs no GIL.
std::vector<MappedKernel> map_program(const Program& program, const CompileOptions& options, const CompileOptions::Read& read,
                                      const engines::Say& say);

/// What an engine that runs kernels is made from, for an engine of a compiled program.
engines::EngineInputs engine_inputs(const Compiled& compiled, const engines::Say& say);

inline constexpr const char* kCompileArguments =
    "tile: (width, height) of the piece of grid that each kernel has to fit, in cells; layers that are larger are cut.\n"
    "arch: an architecture file, YAML; defects: a file of bad cells that every kernel is to avoid.\n"
    "optimize: \"area\", \"throughput\" or \"density\", where a matrix has several forms.\n"
    "mode: \"auto\", \"wave\" (II = 1) or \"settle\", and effort: \"fast\", \"default\" or \"dense\", of netlists.\n"
    "strategy: use this one for the kernels that it is made for.\n"
    "seed: equal seeds give equal configurations; threads: 0 for all, the result does not depend on it.\n"
    "verify: simulate the mapped kernels against their Dags. progress: True, or a function that is told lines.\n"
    "Raises Error naming the kernel and what to change.";

/// Adds compile() to a class: `make` gets the object and the arguments.
template <typename Class, typename Make>
void define_compile(Class& c, const char* summary, Make make) {
  using Object = typename Class::type;
  static const std::string doc = std::string(summary) + "\n\n" + kCompileArguments;
  c.def(
      "compile",
      [make](const Object& self, std::optional<std::pair<int, int>> tile, const std::string& arch, const std::string& optimize,
             const std::string& mode, const std::string& effort, const std::string& strategy, const std::string& defects, uint64_t seed,
             int threads, bool verify, const py::object& progress) {
        return make(self, CompileOptions{tile, arch, optimize, mode, effort, strategy, defects, seed, threads, verify, progress});
      },
      py::kw_only(), py::arg("tile") = py::none(), py::arg("arch") = "", py::arg("optimize") = "area", py::arg("mode") = "auto",
      py::arg("effort") = "default", py::arg("strategy") = "", py::arg("defects") = "", py::arg("seed") = 1, py::arg("threads") = 0,
      py::arg("verify") = true, py::arg("progress") = py::none(), doc.c_str());
}

}  // namespace bitgrid::python
