// The cells that a mapped kernel's outputs depend on, back in time: which phases matter, and how early the grid has to start.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/mapped_kernel.h"

namespace bitgrid {

/// An edge is the latched output of a cell on a side: 4 * cell + side.
struct ConeEdge {
  uint32_t id = 0;
  uint8_t support = 0;          // inputs (N, E, S, W = bits 0..3) that its table, or one of a resident cell's two, depends on
  int64_t first = 0, last = 0;  // phases, relative to the first invocation, in which what it latches may matter; 0 where there are loops
};

struct OutputCone {
  /// Each edge once. Without loops, an edge comes after every edge that it reads.
  std::vector<ConeEdge> edges;
  bool cyclic = false;  // loops of cells (carries): outputs depend on all of the past
};

/// Follows every output bit back through the latches: an edge in phase p reads its neighbours' edges of phase p - 1. Follows what tables
/// depend on, each table by itself. The kernel's ports must be on its grid.
OutputCone output_cone(const MappedKernel& kernel);

/// The phase, relative to phase 0 of the first invocation, from which on the grid runs. Latches may hold anything before. Even, <= 0.
int64_t start_phase(const MappedKernel& kernel);

/// The least lead_cycles with which the first invocation depends on nothing that was latched before the start, whatever that was: not only
/// constant streams, but also constant cells and undriven ports take a phase a cell to reach the outputs. 0 if the grid starts early enough
/// because of a slot before phase 0. nullopt: the cells form loops; how long carries need to settle is the mapper's to know.
std::optional<int> needed_lead(const MappedKernel& kernel);

/// Raises lead_cycles to needed_lead, if it is lower. Every mapping strategy ends with it.
void raise_lead(MappedKernel& kernel);

/// Throws Error (kernel, output cell and phase that is read too early, the lead it takes) if lead_cycles is below needed_lead.
void require_lead(const MappedKernel& kernel);

}  // namespace bitgrid
