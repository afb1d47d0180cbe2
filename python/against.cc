#include "python/against.h"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include "python/arrays.h"
#include "python/define.h"
#include "python/long_work.h"

namespace bitgrid::python {
namespace {

uint64_t sum_of(const check::AgainstReport& report, uint64_t check::ComparedArray::*field) {
  uint64_t sum = 0;
  for (const check::ComparedArray& a : report.arrays) sum += a.*field;
  return sum;
}

py::list rows_of_arrays(const check::AgainstReport& report) {
  py::list rows;
  for (const check::ComparedArray& a : report.arrays) {
    py::dict row;
    row["name"] = a.name;
    row["compared"] = a.compared;
    row["mismatches"] = a.mismatches;
    rows.append(row);
  }
  return rows;
}

std::string difference_text(const check::ArrayDifference& d) {
  return fmt::format("{}, row {}, {}: expected {}, got {}{}", d.name, d.row, d.where, d.expected, d.got,
                     d.explanation.empty() ? "" : "; " + d.explanation);
}

}  // namespace

check::AgainstReport compare_with(const py::dict& arrays, const std::function<std::vector<check::ExactArray>()>& exact, size_t rows,
                                  const py::object& progress) {
  std::vector<frontend::NpzEntry> entries;
  for (const auto& [key, value] : arrays) {
    const std::string name = py::str(key);
    entries.push_back({name, numbers_of(py::reinterpret_borrow<py::object>(value), "array " + name)});
  }
  return long_result(progress, [&](const engines::Say& say) {
    say("cpu: the exact values");
    const std::vector<check::ExactArray> values = exact();
    say("comparing");
    return check::compare_arrays(values, rows, entries, "arrays");
  });
}

void define_against(py::module_& m) {
  py::class_<check::ArrayDifference>(m, "Difference", "The first value of an array that is not the exact one.")
      .def_readonly("name", &check::ArrayDifference::name, "Of the array.")
      .def_readonly("row", &check::ArrayDifference::row, "Sample or position, from 0.")
      .def_readonly("element", &check::ArrayDifference::element, "Within the row, from 0.")
      .def_readonly("where", &check::ArrayDifference::where, "The same in words: \"channel 3, y 0, x 2\".")
      .def_readonly("expected", &check::ArrayDifference::expected, "The exact integer.")
      .def_readonly("got", &check::ArrayDifference::got, "What the array has.")
      .def_readonly("explanation", &check::ArrayDifference::explanation, "The mistake that gives this array, or \"\": no single one does.")
      .def("__repr__", [](const check::ArrayDifference& d) { return "<bitgrid.Difference: " + difference_text(d) + ">"; });

  py::class_<check::AgainstReport>(m, "Against", "Somebody else's arrays against exact integers.")
      .def_property_readonly(
          "mismatches", [](const check::AgainstReport& r) { return sum_of(r, &check::ComparedArray::mismatches); }, "Values that differ.")
      .def_property_readonly(
          "compared", [](const check::AgainstReport& r) { return sum_of(r, &check::ComparedArray::compared); },
          "Values that were compared.")
      .def_readonly("first", &check::AgainstReport::first, "The first Difference of the array that is computed first, or None.")
      .def_property_readonly("arrays", rows_of_arrays, "A dict for each array: name, compared, mismatches; pandas reads the list.")
      .def_readonly("missing_before", &check::AgainstReport::missing_before, "Arrays in front of the first difference that were not given.")
      .def("__repr__", [](const check::AgainstReport& r) {
        return fmt::format("<bitgrid.Against: {} mismatches in {} values{}>", sum_of(r, &check::ComparedArray::mismatches),
                           sum_of(r, &check::ComparedArray::compared), r.first ? "; first: " + difference_text(*r.first) : "");
      });
}

}  // namespace bitgrid::python
