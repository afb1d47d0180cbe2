#include <algorithm>
#include <climits>

#include "ir/number.h"
#include "lowering/dense_interleaved.h"
#include "lowering/idle_slots.h"
#include "lowering/map.h"
#include "lowering/systolic_size.h"
#include "report/shape_kernels.h"

namespace bitgrid {
namespace {

/// Whether the mapper would take the serial form of the matrix.
bool serial_is_cheapest(const KernelForm& form, const SystolicSize& serial, Optimize optimize) {
  if (!form.parallel) return true;
  return cost(optimize, serial.cells(), serial.ii) <=
         std::min(cost(optimize, interleaved_size(*form.parallel).cells(), 2), cost(optimize, dense_popcount_cells(*form.parallel), 1));
}

/// Of the serial form, if the mapper takes it: without laying a cell.
std::optional<SystolicSize> serial_size(const KernelForm& form, const SystolicForm& words, const MapParams& params) {
  std::optional<SystolicSize> size = paired_size(words);
  if (!size) size = systolic_size(words);
  if (!serial_is_cheapest(form, *size, params.optimize)) size.reset();
  return size;
}

int64_t port_bits(const Kernel& kernel) {
  int64_t bits = 0;
  for (size_t i = 0; i < kernel.inputs.size(); ++i) {
    if (!kernel.dag.node(kernel.dag.inputs[i]).resident) bits += int64_t{kernel.inputs[i].words} * kernel.inputs[i].bits;
  }
  for (const KernelPort& out : kernel.outputs) bits += int64_t{out.words} * out.bits;
  return bits;
}

int64_t resident_digits(const SystolicForm& form) {
  int64_t n = 0;
  for (const RowGroup& group : form.groups) {
    for (const PlaneRow& row : group.planes) n += static_cast<int64_t>(row.residents.size());
  }
  return n;
}

void set_size(KernelFigures& k, const SystolicSize& size) {
  k.width = size.width;
  k.height = size.height;
  k.ii = size.ii;
  k.latency_cycles = size.latency_cycles;
}

void set_mapping(KernelFigures& k, const MappedKernel& mapped) {
  set_size(k, {mapped.grid.width, mapped.grid.height, mapped.ii, latency_cycles(mapped)});
  k.strategy = mapped.strategy;
  k.resident_cells = static_cast<int64_t>(mapped.residents.size());
}

/// Of a model's kernel: 3 of "layers.3.up". A netlist may have any name.
std::optional<int> layer_of(const std::string& name) {
  constexpr std::string_view kPrefix = "layers.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const size_t end = std::min(name.find('.', kPrefix.size()), name.size());
  return parse_whole(std::string_view(name).substr(kPrefix.size(), end - kPrefix.size()), 0, INT_MAX);
}

/// How often a token uses kernel i, and on how many tiles. `all` has sizes and resident cells.
void add_uses(const Program& program, std::vector<KernelFigures>& all) {
  for (size_t i = 0; i < all.size(); ++i) {
    KernelFigures& k = all[i];
    const Kernel& kernel = program.kernels[i];
    k.name = kernel.name;
    k.tiles = k.invocations = k.repeat = 0;
    k.port_bits = port_bits(kernel);
    k.bit_macs = kernel.bit_macs;
    k.layer = layer_of(k.name).value_or(k.layer);
  }
  for (const Step& step : program.steps) {
    KernelFigures& k = all[static_cast<size_t>(step.kernel)];
    k.stage = step.stage;
    k.repeat = std::max(k.repeat, step.repeat);
    k.invocations += step.repeat;
    k.tiles += k.resident_cells > 0 ? 1 : 0;
    for (const Source& source : step.inputs) {
      if (const auto* c = std::get_if<CacheSource>(&source)) k.window = program.caches[static_cast<size_t>(c->cache)].window;
    }
  }
  for (KernelFigures& k : all) {
    if (k.resident_cells == 0) k.tiles = 1, k.repeat = static_cast<int>(k.invocations), k.window = 0;
  }
}

}  // namespace

std::vector<KernelFigures> lowered_kernels(const Lowered& lowered, const MapParams& params) {
  std::vector<KernelFigures> all(lowered.program.kernels.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const KernelForm& form = lowered.forms[i];
    std::optional<SystolicSize> size;
    if (form.serial && !form.part && params.defects.empty()) {
      const SystolicForm words = drop_idle_slots(*form.serial);
      size = serial_size(form, words, params);
      all[i].strategy = "systolic";
      all[i].resident_cells = resident_digits(words);
    }
    if (size) {
      set_size(all[i], *size);
    } else {  // few and small, or of a form that has no shorter way
      set_mapping(all[i], map_kernel(lowered.program.kernels[i], form, params, nullptr));
    }
  }
  add_uses(lowered.program, all);
  return all;
}

std::vector<KernelFigures> mapped_kernels(const Program& program, const std::vector<MappedKernel>& mapped) {
  std::vector<KernelFigures> all(program.kernels.size());
  for (size_t i = 0; i < all.size(); ++i) set_mapping(all[i], mapped[i]);
  add_uses(program, all);
  return all;
}

}  // namespace bitgrid
