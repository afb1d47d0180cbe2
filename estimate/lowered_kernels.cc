#include <algorithm>
#include <climits>

#include "estimate/shape_kernels.h"
#include "ir/number.h"
#include "lowering/mapping/map.h"

namespace bitgrid::estimate {
namespace {

int64_t port_bits(const Kernel& kernel) {
  int64_t bits = 0;
  for (size_t i = 0; i < kernel.inputs.size(); ++i) {
    if (!kernel.dag.node(kernel.dag.inputs[i]).resident) bits += int64_t{kernel.inputs[i].words} * kernel.inputs[i].bits;
  }
  for (const KernelPort& out : kernel.outputs) bits += int64_t{out.words} * out.bits;
  return bits;
}

int64_t resident_digits(const BitSerialForm& form) {
  int64_t n = 0;
  for (const RowGroup& group : form.groups) {
    for (const PlaneRow& row : group.planes) n += static_cast<int64_t>(row.residents.size());
  }
  return n;
}

void set_size(KernelFigures& k, const mapping::BitSerialSize& size) {
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
    k.tiles = k.invocations = 0;
    k.uses.clear();
    k.port_bits = port_bits(kernel);
    k.bit_macs = kernel.bit_macs;
    k.layer = layer_of(k.name).value_or(k.layer);
  }
  for (const Step& step : program.steps) {
    KernelFigures& k = all[static_cast<size_t>(step.kernel)];
    if (k.uses.empty() || k.uses.back().stage != step.stage) k.uses.push_back({step.stage, 0});
    int64_t& repeat = k.uses.back().repeat;  // steps of one stage share a tile, unless it keeps keys or values
    repeat = k.resident_cells > 0 ? std::max<int64_t>(repeat, step.repeat) : repeat + step.repeat;
    k.invocations += step.repeat;
    k.tiles += k.resident_cells > 0 ? 1 : 0;
    for (const Source& source : step.inputs) {
      if (const auto* c = std::get_if<CacheSource>(&source)) k.window = program.caches[static_cast<size_t>(c->cache)].window;
    }
  }
  for (KernelFigures& k : all) {
    if (k.resident_cells == 0) k.tiles = 1, k.window = 0;
    if (k.uses.empty()) k.uses.push_back({0, 0});  // a netlist, which no token uses
  }
}

}  // namespace

std::vector<KernelFigures> lowered_kernels(const Program& program, const mapping::MapParams& params) {
  std::vector<KernelFigures> all(program.kernels.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const Kernel& kernel = program.kernels[i];
    const mapping::MappingProblem problem(kernel, params);
    const auto choices = problem.matrix() && params.defects.empty() && params.strategy.empty() ? mapping::matrix_choices(problem)
                                                                                               : std::vector<mapping::MatrixChoice>{};
    if (!choices.empty() && choices[0].size.layout) {
      set_size(all[i], *choices[0].size.layout);
      all[i].strategy = choices[0].strategy->name;
      all[i].resident_cells = resident_digits(problem.words());
    } else {  // few and small, or of a form whose size is only known once it is laid
      set_mapping(all[i], mapping::map_kernel(kernel, params));
    }
  }
  add_uses(program, all);
  return all;
}

std::vector<KernelFigures> mapped_kernels(const Program& program, const std::vector<MappedKernel>& mapped) {
  std::vector<KernelFigures> all(program.kernels.size());
  for (size_t i = 0; i < all.size(); ++i) set_mapping(all[i], mapped[i]);
  add_uses(program, all);
  return all;
}

}  // namespace bitgrid::estimate
