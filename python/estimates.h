// Estimates and sweeps of files.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string>

#include "estimate/estimate.h"
#include "lowering/numerics/lower.h"
#include "python/results.h"

namespace bitgrid::python {

namespace py = pybind11;

/// Arguments of every estimate().
struct EstimateArguments {
  std::string arch, technology, optimize = "area";
  int64_t streams = 1;
  py::object progress = py::none();

  struct Read {
    estimate::EstimateParams params;
    numerics::LowerParams lower;
  };
  /// Throws Error as the readers do.
  Read read() const;
};

inline constexpr const char* kEstimateArguments =
    "arch, technology: files as `bitgrid estimate` takes them (docs/estimate.md). streams: texts or samples under way at once.\n"
    "optimize: as for compile(). progress: True, or a function that is told lines.";

/// Adds estimate() to a class: `make` gets the object and the arguments.
template <typename Class, typename Make>
void define_estimate_of(Class& c, const char* summary, Make make) {
  using Object = typename Class::type;
  static const std::string doc = std::string(summary) + "\n\n" + kEstimateArguments;
  c.def(
      "estimate",
      [make](const Object& self, const std::string& arch, const std::string& technology, int64_t streams, const std::string& optimize,
             const py::object& progress) {
        return make(self, EstimateArguments{arch, technology, optimize, streams, progress});
      },
      py::kw_only(), py::arg("arch") = "", py::arg("technology") = "", py::arg("streams") = 1, py::arg("optimize") = "area",
      py::arg("progress") = py::none(), doc.c_str());
}

/// Of kernels whose sizes are known.
EstimateResult estimate_result(std::vector<estimate::KernelFigures> kernels, const estimate::EstimateParams& params);

/// A model with weights or a shapes file, as `bitgrid estimate` takes it. `context`: the attention window in place of the file's; 0: that.
EstimateResult estimate_file(const std::string& path, const EstimateArguments& arguments, int context = 0, bool shapes_only = false);

}  // namespace bitgrid::python
