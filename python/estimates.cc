#include "python/estimates.h"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <mutex>

#include "estimate/estimate_source.h"
#include "estimate/sweep.h"
#include "ir/error.h"
#include "ir/parallel.h"
#include "python/compiled.h"
#include "python/define.h"
#include "python/long_work.h"

namespace bitgrid::python {
namespace {

void warn_all(const std::vector<std::string>& warnings) {
  for (const std::string& line : warnings)
    if (PyErr_WarnEx(PyExc_UserWarning, line.c_str(), 1) != 0) throw py::error_already_set();
}

/// Every point of a sweep file as its JSON.
std::vector<nlohmann::ordered_json> sweep_points(const std::string& path, int threads, const py::object& progress) {
  const int at_once = threads_of(threads);
  return long_result(progress, [&](const engines::Say& say) {
    const estimate::Sweep sweep = estimate::read_sweep(path);
    const estimate::EstimateModel model = estimate::read_estimate_model(sweep.model);
    std::vector<nlohmann::ordered_json> points(sweep.points());
    std::mutex mutex;
    size_t done = 0;
    parallel_for(points.size(), at_once, [&](size_t n) {
      points[n] = estimate::run_point(sweep, model, n);
      const std::lock_guard lock(mutex);
      say(fmt::format("point {} of {}", ++done, points.size()));
    });
    return points;
  });
}

/// A flat dict for each point: its parameters, then its figures that are single values.
py::list table_of(const std::vector<nlohmann::ordered_json>& points) {
  py::list rows;
  for (const nlohmann::ordered_json& point : points) {
    nlohmann::ordered_json row = {{"point", point.at("point")}};
    for (const auto& [key, value] : point.at("parameters").items()) row[key] = value;
    for (const auto& [key, value] : point.items())
      if (key != "key" && key != "point" && !value.is_structured()) row[key] = value;
    rows.append(python_of(row));
  }
  return rows;
}

}  // namespace

EstimateArguments::Read EstimateArguments::read() const {
  Read read;
  read.params = estimate::load_estimate_params(arch, technology);
  if (streams < 1 || streams > estimate::kMaxStreams)
    throw Error("streams", fmt::format("{} is no number of streams", streams), fmt::format("give 1 .. {}", estimate::kMaxStreams));
  read.params.streams = streams;
  read.lower = {{read.params.arch.tile_width, read.params.arch.tile_height}, mapping::parse_optimize(optimize)};
  return read;
}

EstimateResult estimate_result(std::vector<estimate::KernelFigures> kernels, const estimate::EstimateParams& params) {
  const estimate::Estimate e = estimate::estimate(std::move(kernels), params);
  return {estimate::estimate_json(e, params), estimate::estimate_text(e, params)};
}

EstimateResult estimate_file(const std::string& path, const EstimateArguments& arguments, int context, bool shapes_only) {
  const EstimateArguments::Read read = arguments.read();
  estimate::EstimateSource of;
  of.lower = read.lower;
  of.context = context;
  of.shapes_only = shapes_only;
  if (context < 0 || context > estimate::kMaxContext)
    throw Error("context", fmt::format("{} is no window", context), fmt::format("give 1 .. {}", estimate::kMaxContext));
  std::vector<std::string> warnings;
  EstimateResult result = long_result(arguments.progress, [&](const engines::Say& say) {
    say("reading " + path);
    const estimate::EstimateModel model = estimate::read_estimate_model(path);
    say("sizes of the kernels");
    const estimate::SourceKernels source = estimate::read_kernels(model, of);
    warnings = source.warnings;
    EstimateResult e = estimate_result(source.kernels, read.params);
    e.json["assumptions"] = source.assumptions;
    return e;
  });
  warn_all(warnings);
  return result;
}

void define_estimates(py::module_& m) {
  static const std::string doc =
      std::string(
          "Size, speed and cost of a model file or a shapes file without weights (examples/shapes); returns an Estimate.\n\n"
          "context: the attention window in place of the file's. shapes_only: word lengths for the worst weights.\n") +
      kEstimateArguments;
  m.def(
      "estimate",
      [](const std::string& path, int context, bool shapes_only, const std::string& arch, const std::string& technology, int64_t streams,
         const std::string& optimize, const py::object& progress) {
        return estimate_file(path, {arch, technology, optimize, streams, progress}, context, shapes_only);
      },
      py::arg("path"), py::kw_only(), py::arg("context") = 0, py::arg("shapes_only") = false, py::arg("arch") = "",
      py::arg("technology") = "", py::arg("streams") = 1, py::arg("optimize") = "area", py::arg("progress") = py::none(), doc.c_str());
  m.def(
      "sweep",
      [](const std::string& path, int threads, const py::object& progress) { return table_of(sweep_points(path, threads, progress)); },
      py::arg("path"), py::kw_only(), py::arg("threads") = 0, py::arg("progress") = py::none(),
      "Estimates of all points of a sweep file (docs/estimate.md): a dict for each, its parameters and figures; pandas reads the list.\n\n"
      "A point whose numerics have no mapping has \"error\" in place of figures. threads: 0 for all; the result does not depend on it.");
}

}  // namespace bitgrid::python
