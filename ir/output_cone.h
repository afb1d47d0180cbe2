// Traces which cells the outputs of a mapped kernel depend on, back in time. This shows which phases matter and how early the grid must
// start.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/mapped_kernel.h"

namespace bitgrid {

/// The latched output of a cell on one side: 4 * cell + side.
struct ConeEdge {
  uint32_t id = 0;
  uint8_t support = 0;          // inputs (N, E, S, W = bits 0..3) that its table depends on; for a resident cell, either of its two tables
  int64_t first = 0, last = 0;  // phases, relative to the first invocation, in which the latched value may matter; 0 if there are loops
};

struct OutputCone {
  /// Holds each edge once. Without loops, an edge comes after every edge that it reads.
  std::vector<ConeEdge> edges;
  bool cyclic = false;  // cells form loops (carries), so that outputs depend on the whole past
};

/// Follows every output bit back through the latches: an edge in phase p reads its neighbours' edges of phase p - 1. It follows only the
/// inputs that each table depends on. The kernel's ports must be on its grid.
OutputCone output_cone(const MappedKernel& kernel);

/// Returns the phase, relative to phase 0 of the first invocation, from which the grid must run. Latches may hold anything before. Even, <=
/// 0.
int64_t start_phase(const MappedKernel& kernel);

/// Returns the smallest lead_cycles with which the first invocation depends on nothing latched before the start. Constant streams need a
/// lead, and so do constant cells and undriven ports, whose values take one phase per cell to reach the outputs. Returns 0 if a slot before
/// phase 0 already starts the grid early enough, and nullopt if the cells form loops. Then only the mapper knows how long carries take to
/// settle.
std::optional<int> needed_lead(const MappedKernel& kernel);

/// Raises lead_cycles to needed_lead if it is lower. Every mapping strategy ends with this call.
void raise_lead(MappedKernel& kernel);

/// Throws Error (kernel, output cell and phase that is read too early, required lead) if lead_cycles is below needed_lead.
void require_lead(const MappedKernel& kernel);

}  // namespace bitgrid
