// numpy's arrays and the values of the engines.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

#include "frontend/npy.h"
#include "ir/bits.h"
#include "ir/dag.h"

namespace bitgrid::python {

namespace py = pybind11;

/// Anything that numpy makes an array of real numbers of, as doubles. Throws Error naming `what`.
frontend::NpyArray numbers_of(const py::object& values, const std::string& what);
/// The same for whole numbers: throws Error for others, too.
std::vector<int64_t> whole_numbers_of(const py::object& values, const std::string& what);

/// An array [rows, columns] of integers; all rows are of one length.
py::array_t<int64_t> array_of(const std::vector<std::vector<int64_t>>& rows);

/// The inputs of a batch of invocations from a dict of arrays by name: whole numbers 0 .. 2^width - 1, one for each invocation, or bits
/// [invocations, width], bit 0 first; a single number stands for all invocations. Throws Error (input, problem, cure).
BitMatrix input_rows(const Dag& dag, const py::dict& values);
/// A dict of arrays by output: int64 [invocations] (uint64 of 64 bits), and of wider outputs uint8
/// [invocations, width], bit 0 first.
py::dict output_arrays(const Dag& dag, const BitMatrix& rows);
/// The outputs that a dict names, in the form of output_arrays, as they would have to be: columns that it does not name are taken from
/// `rest`. Throws Error for names that are no outputs and for arrays of another length.
BitMatrix expected_rows(const Dag& dag, const py::dict& values, const BitMatrix& rest);

}  // namespace bitgrid::python
