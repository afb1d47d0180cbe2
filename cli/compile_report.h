// What compile reports about its kernels: tables and JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "check/prove.h"
#include "check/verify_kernel.h"
#include "cli/common.h"
#include "ir/program.h"
#include "lowering/mapping/map.h"

namespace bitgrid::cli {

/// How one kernel was mapped, and what is known about it.
struct KernelResult {
  mapping::KernelReport report;
  std::optional<size_t> luts;  // of the technology mapping, if there was one (now or in an earlier compilation)
  std::optional<int> depth;
  std::optional<double> verify_seconds;  // nullopt: not verified now
  check::VerifyStats verify;
  std::optional<check::Proof> proof;  // nullopt: not requested
  check::ProveStats prove;
};

/// Returns how many tiles a kernel occupies: one per step that holds its own resident bits, otherwise one.
int tiles(const Program& program, size_t kernel, const MappedKernel& mapped);

/// Returns one entry of "kernels". Only here are times included. What does not apply is null.
Json kernel_json(const Program& program, size_t kernel, const MappedKernel& mapped, const KernelResult& result);

/// Returns one line per kernel, with a heading.
std::string kernel_table(const Program& program, const std::vector<MappedKernel>& mapped, const std::vector<KernelResult>& results);

/// Returns one line per stage of a kernel that is a netlist, with time and results, and every attempt with its overuse per iteration.
std::string stage_table(const MappedKernel& mapped, const KernelResult& result);

/// Returns what it cost to avoid defects: cells, II and latency with and without; null if a kernel is not a matrix.
Json defects_json(const Program& program, const Defects& defects, const std::vector<MappedKernel>& mapped,
                  const std::vector<KernelResult>& results);
std::string defects_table(const Json& defects);

/// Returns "proved 3 of 5 kernels", and why the others are not.
std::string proof_summary(const std::vector<MappedKernel>& mapped, const std::vector<KernelResult>& results);

/// Writes the congestion of the last failed routing next to the output folder, as FOLDER.congestion.svg. Returns the path, or nothing if no
/// kernel failed in routing.
std::string write_congestion(const std::string& out, const std::vector<mapping::KernelReport>& reports, const std::vector<Kernel>& kernels);

}  // namespace bitgrid::cli
