// Work that takes long: beside Python, which goes on handling signals and is told what is going on.
#pragma once

#include <pybind11/pybind11.h>

#include <functional>
#include <optional>
#include <utility>

#include "engines/progress_lines.h"

namespace bitgrid::python {

namespace py = pybind11;

/// Runs `work` in a thread of its own, without the GIL, until it has returned or thrown. Meanwhile the calling thread handles Python's
/// signals and hands the lines that `work` tells to `progress`: None or False, True (a line on sys.stderr, rewritten in place) or a
/// function of one string. What a signal's handler (Ctrl-C) or that function raises ends the work at the next line that it tells, and is
/// raised then. An empty line goes to nobody: the work only ends there if it has to.
void run_long(const py::object& progress, const std::function<void(const engines::Say& say)>& work);

/// The same with what the work returns.
template <typename Work>
auto long_result(const py::object& progress, const Work& work) {
  std::optional<decltype(work(std::declval<const engines::Say&>()))> result;
  run_long(progress, [&](const engines::Say& say) { result.emplace(work(say)); });
  return std::move(*result);
}

}  // namespace bitgrid::python
