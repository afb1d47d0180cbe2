#include "lowering/mapping/rows/row_layout_kernel.h"
#include "ir/index.h"
#include "ir/output_cone.h"

#include <array>
#include <cassert>

namespace bitgrid::mapping {
namespace {

using Kind = synthesis::LogicNode::Kind;

// What an edge carries, from what enters its cell.
Lut table_of(const synthesis::LogicGraph& graph, int signal, int north, int west) {
  if (signal == kNoSignal) return 0;
  if (signal == north) return kFromN;
  if (signal == west) return kFromW;
  const synthesis::LogicNode& gate = graph.nodes[index_of(signal)];
  const auto operand = [&](synthesis::Literal l) {
    const int n = int_of(l / 2);
    assert(n == north || n == west);
    const Lut plain = n == north ? kFromN : kFromW;
    return l & 1u ? invert(plain) : plain;
  };
  const Lut a = operand(gate.a), b = operand(gate.b);
  return static_cast<Lut>(gate.kind == Kind::kAnd ? a & b : a ^ b);
}

void lay_shifts(const LayoutRow& row, std::vector<std::array<Lut, 4>>& cells) {
  const auto put = [&](size_t x, Side side, Lut t) { cells[x][index_of(side)] = t; };
  for (size_t x = 0; x < row.shifts.size(); ++x) {
    const RowShift shift = row.shifts[x];
    if (shift == RowShift::kNone) continue;
    const Side out = shift == RowShift::kByEast ? Side::E : Side::W;
    put(x, out, kFromN);
    if (shift == RowShift::kMovesWest) {
      put(x - 1, Side::S, kFromE);
    } else {
      put(out == Side::E ? x + 1 : x - 1, opposite(out), kCopy[index_of(opposite(out))]);
      put(x, Side::S, kCopy[index_of(out)]);
    }
  }
}

size_t used_inputs(const synthesis::LogicGraph& graph) {
  std::vector<uint8_t> used(graph.nodes.size());
  for (const auto& o : graph.outputs) used[o.literal / 2] = 1;
  size_t count = 0;
  for (size_t n = graph.nodes.size(); n-- > 1;) {
    if (!used[n]) continue;
    if (graph.nodes[n].kind == Kind::kInput)
      ++count;
    else
      used[graph.nodes[n].a / 2] = used[graph.nodes[n].b / 2] = 1;
  }
  return count;
}

}  // namespace

MappedKernel row_layout_kernel(const synthesis::LogicGraph& graph, RowLayoutRows layout) {
  const int height = count_of(layout.rows);
  layout.width = std::max(layout.width, int_of(graph.inputs.size() - used_inputs(graph)) - height);
  MappedKernel kernel;
  kernel.name = graph.name;
  kernel.strategy = "row-layout";
  kernel.input_bits = id_of(graph.inputs.size());
  kernel.output_bits = id_of(graph.outputs.size());
  kernel.grid = GridConfig(layout.width, height);
  kernel.outputs.resize(graph.outputs.size());
  std::vector<std::vector<std::array<Lut, 4>>> cells(layout.rows.size(), std::vector<std::array<Lut, 4>>(index_of(layout.width)));
  for (size_t y = 0; y < layout.rows.size(); ++y) {
    const LayoutRow& row = layout.rows[y];
    if (!row.shifts.empty()) {
      lay_shifts(row, cells[y]);
      continue;
    }
    int west = row.west;
    for (size_t x = 0; x < index_of(layout.width); ++x) {
      const bool inside = x < row.north.size();
      const int north = inside ? row.north[x] : kNoSignal;
      const int east = inside ? row.east[x] : west;  // an output on its way to the border
      cells[y][x][index_of(Side::E)] = table_of(graph, east, north, west);
      cells[y][x][index_of(Side::S)] = inside ? table_of(graph, row.south[x], north, west) : Lut{0};
      west = east;
    }
  }
  for (size_t o = 0; o < graph.outputs.size(); ++o) {
    const auto [side, position] = layout.exits[o];
    const int x = side == Side::E ? layout.width - 1 : side == Side::W ? 0 : position;
    const int y = side == Side::S ? height - 1 : side == Side::N ? 0 : position;
    const int late = side == Side::S ? layout.late : layout.rows[index_of(y)].late;
    kernel.outputs[o] = {side, side == Side::E || side == Side::W ? y : x, x + y + 2 * late};
    Lut& table = cells[index_of(y)][index_of(x)][index_of(side)];
    if (side == Side::W) table = 0xFFFF;  // a constant
    if (graph.outputs[o].literal / 2 != 0 && (graph.outputs[o].literal & 1u)) table = invert(table);
  }
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < layout.width; ++x) kernel.grid.at(x, y) = cell_word(cells[index_of(y)][index_of(x)]);
  std::vector<uint32_t> input_of(graph.nodes.size());
  uint32_t inputs = 0;
  for (size_t n = 1; n < graph.nodes.size(); ++n)
    if (graph.nodes[n].kind == Kind::kInput) input_of[n] = inputs++;
  std::vector<uint8_t> placed(inputs);
  const auto enter = [&](int signal, const BitSlot& slot) {
    const uint32_t bit = input_of[index_of(signal)];
    kernel.inputs.push_back({bit, slot, 1});
    placed[bit] = 1;
  };
  const LayoutRow& top = layout.rows.front();
  for (size_t x = 0; x < top.north.size(); ++x)
    if (top.north[x] != kNoSignal) enter(top.north[x], {Side::N, int_of(x), int_of(x)});
  for (int y = 0; y < height; ++y)
    if (const LayoutRow& row = layout.rows[index_of(y)]; row.west != kNoSignal) enter(row.west, {Side::W, y, y + 2 * row.late});
  // Inputs that nothing depends on stand at ports that nothing reads.
  int idle = 0;
  for (uint32_t bit = 0; bit < inputs; ++bit) {
    if (placed[bit]) continue;
    const bool east = idle < height;
    const int position = east ? idle : idle - height, x = east ? kernel.grid.width - 1 : position, y = east ? position : height - 1;
    kernel.inputs.push_back({bit, {east ? Side::E : Side::S, position, (x + y) % 2}, 1});
    ++idle;
  }
  raise_lead(kernel);
  return kernel;
}

}  // namespace bitgrid::mapping
