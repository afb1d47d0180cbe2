#include "python/results.h"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include "python/define.h"

namespace bitgrid::python {
namespace {

std::string mismatch_text(const FirstMismatch& m) {
  return fmt::format("engine {}, sample {}, {} [{}]: expected {}, got {}", m.engine, m.sample, m.name, m.index, m.expected, m.got);
}

py::list rows_of(const CheckResult& r) {
  py::list rows;
  for (const EngineResult& e : r.engines) {
    py::dict row;
    row["engine"] = e.engine;
    row["compared"] = e.compared;
    row["mismatches"] = e.mismatches;
    rows.append(row);
  }
  return rows;
}

void define_estimate(py::module_& m) {
  py::class_<EstimateResult> c(
      m, "Estimate",
      "Size, speed and cost before anything is mapped. A token of a network is a sample. e[\"KEY\"] is any field of\n"
      "`bitgrid estimate --json` (docs/json.md); str() gives the tables.");
  const auto figure = [&](const char* name, const char* doc) {
    c.def_property_readonly(
        name, [name](const EstimateResult& e) { return python_of(e.json.at(name)); }, doc);
  };
  figure("kernels", "A dict for each kernel, a list that pandas.DataFrame reads.");
  figure("tokens_per_second", "Of all streams.");
  figure("cycles_per_token", "Latency of a token, in cycles.");
  figure("cells_total", "Cells of all tiles.");
  figure("area_mm2", "Of these cells.");
  figure("energy_per_token_j", "Joules.");
  figure("bottleneck", "What limits tokens_per_second.");
  c.def(
      "__getitem__",
      [](const EstimateResult& e, const std::string& key) {
        const auto it = e.json.find(key);
        if (it == e.json.end()) throw py::key_error(key);
        return python_of(*it);
      },
      py::arg("key"));
  c.def(
      "to_dict", [](const EstimateResult& e) { return python_of(e.json); }, "All fields.");
  c.def("__str__", [](const EstimateResult& e) { return e.text; });
  c.def("__repr__", [](const EstimateResult& e) {
    return fmt::format("<bitgrid.Estimate: {} kernels, {} cells, {:.4g} tokens per second>", e.json.at("kernels").size(),
                       e.json.at("cells_total").get<int64_t>(), e.json.at("tokens_per_second").get<double>());
  });
}

}  // namespace

py::object python_of(const nlohmann::ordered_json& json) {
  return py::module_::import("json").attr("loads")(json.dump());
}

uint64_t CheckResult::compared() const {
  uint64_t n = 0;
  for (const EngineResult& e : engines) n += e.compared;
  return n;
}

uint64_t CheckResult::mismatches() const {
  uint64_t n = 0;
  for (const EngineResult& e : engines) n += e.mismatches;
  return n;
}

void define_results(py::module_& m) {
  define_estimate(m);
  py::class_<FirstMismatch>(m, "Mismatch", "The first value that differs.")
      .def_readonly("engine", &FirstMismatch::engine, "Whose value it is.")
      .def_readonly("sample", &FirstMismatch::sample, "Invocation, sample or position, from 0.")
      .def_readonly("name", &FirstMismatch::name, "Output, or layer and what of it: \"layers.1.sums\".")
      .def_readonly("index", &FirstMismatch::index, "Element of it, from 0.")
      .def_readonly("expected", &FirstMismatch::expected)
      .def_readonly("got", &FirstMismatch::got)
      .def("__repr__", [](const FirstMismatch& f) { return "<bitgrid.Mismatch: " + mismatch_text(f) + ">"; });

  py::class_<CheckResult>(m, "Check", "What a comparison found.")
      .def_property_readonly("mismatches", &CheckResult::mismatches, "Values that differ, of all engines.")
      .def_property_readonly("compared", &CheckResult::compared, "Values that were compared.")
      .def_readonly("first", &CheckResult::first, "The first Mismatch, or None.")
      .def_property_readonly("engines", rows_of, "A dict for each engine: engine, compared, mismatches; pandas reads the list.")
      .def("__repr__", [](const CheckResult& r) {
        return fmt::format("<bitgrid.Check: {} mismatches in {} values{}>", r.mismatches(), r.compared(),
                           r.first ? "; first: " + mismatch_text(*r.first) : "");
      });
}

}  // namespace bitgrid::python
