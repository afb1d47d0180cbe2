// The parts of the module, in the order in which one refers to another.
#pragma once

#include <pybind11/pybind11.h>

namespace bitgrid::python {

void define_results(pybind11::module_& m);
void define_against(pybind11::module_& m);
void define_grid(pybind11::module_& m);
void define_compiled(pybind11::module_& m);
void define_dag(pybind11::module_& m);
void define_estimates(pybind11::module_& m);
void define_language_model(pybind11::module_& m);
void define_network(pybind11::module_& m);
void define_load(pybind11::module_& m);

}  // namespace bitgrid::python
