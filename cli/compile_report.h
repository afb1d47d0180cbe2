// What compile tells of its kernels: tables and JSON.
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

/// How one kernel came about and what was found out about it.
struct KernelResult {
  mapping::KernelReport report;
  std::optional<size_t> luts;  // of the technology mapping, where there was one (now or in an earlier compile)
  std::optional<int> depth;
  std::optional<double> verify_seconds;  // nullopt: not verified now
  check::VerifyStats verify;
  std::optional<check::Proof> proof;  // nullopt: not asked for
  check::ProveStats prove;
};

/// Tiles that a kernel occupies: one for each step that holds its own resident bits, else one.
int tiles(const Program& program, size_t kernel, const MappedKernel& mapped);

/// One entry of "kernels". Times are in here only; what does not apply is null.
Json kernel_json(const Program& program, size_t kernel, const MappedKernel& mapped, const KernelResult& result);

/// One line a kernel, with a heading.
std::string kernel_table(const Program& program, const std::vector<MappedKernel>& mapped, const std::vector<KernelResult>& results);

/// One line a stage of a kernel that is a netlist: time and what came out; every attempt with its overuse per iteration.
std::string stage_table(const MappedKernel& mapped, const KernelResult& result);

/// What going around defects has cost: cells, II and latency with and without; null where a kernel is not a matrix.
Json defects_json(const Program& program, const Defects& defects, const std::vector<MappedKernel>& mapped,
                  const std::vector<KernelResult>& results);
std::string defects_table(const Json& defects);

/// "proved 3 of 5 kernels", and why the others are not.
std::string proof_summary(const std::vector<MappedKernel>& mapped, const std::vector<KernelResult>& results);

/// Writes the congestion of the last routing that failed beside the output folder, as FOLDER.congestion.svg. Returns the path, or nothing
/// if no kernel failed in routing.
std::string write_congestion(const std::string& out, const std::vector<mapping::KernelReport>& reports, const std::vector<Kernel>& kernels);

}  // namespace bitgrid::cli
