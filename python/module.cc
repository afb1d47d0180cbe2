// The Python module bitgrid.
#include <pybind11/pybind11.h>

#include "ir/error.h"
#include "python/define.h"

PYBIND11_MODULE(bitgrid, m) {
  using namespace bitgrid::python;
  m.doc() = "bitgrid: 1-bit networks and other logic on a fabric of tiny cells, simulated phase by phase and checked bit for bit.";
  m.attr("__version__") = BITGRID_VERSION;
  pybind11::register_exception<bitgrid::Error>(m, "Error", PyExc_ValueError);
  define_results(m);
  define_against(m);
  define_grid(m);
  define_compiled(m);
  define_dag(m);
  define_estimates(m);
  define_language_model(m);
  define_network(m);
  define_load(m);
}
