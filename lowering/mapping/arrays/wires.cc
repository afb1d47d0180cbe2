#include "lowering/mapping/arrays/wires.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "ir/error.h"
#include "ir/index.h"
#include "ir/output_cone.h"

namespace bitgrid::mapping {
namespace {

using Kind = synthesis::LogicNode::Kind;

constexpr int kMaxWidth = 0xFFFF;  // of a grid in a file

/// The row as it grows: sides N and S of cell 0, of cell 1 ...
class WireRow {
 public:
  WireRow(MappedKernel& kernel, const Defects& defects, int most) : kernel_(kernel), bad_(defects, most, 1) {}

  /// Output `o` at the next side that can be relied on, `table` of what enters there.
  BitSlot add_output(size_t o, synthesis::Literal literal, int input) {
    while (bad_.bad_edge(x(), 0, out())) skip();
    const BitSlot slot{out(), x(), x() % 2}, from{in(), x(), x() % 2};
    Lut table = input >= 0 ? kCopy[index_of(in())] : Lut{0};
    if (literal & 1u) table = static_cast<Lut>(~table);
    grow();
    luts_.back()[index_of(out())] = table;
    if (input >= 0)
      kernel_.inputs.push_back({id_of(input), from, 1});
    else
      left_.push_back(from);
    kernel_.outputs[o] = slot;
    ++place_;
    return slot;
  }

  /// An input that nothing reads, at a port that no output takes.
  void add_unread(uint32_t bit) {
    if (left_.empty()) {
      const BitSlot from{in(), x(), x() % 2};
      skip();
      left_.push_back(from);
    }
    kernel_.inputs.push_back({bit, left_.back(), 1});
    left_.pop_back();
  }

  void finish() {
    if (luts_.empty()) luts_.emplace_back();
    if (luts_.size() > index_of(kMaxWidth))
      throw Error(
          "kernel " + kernel_.name,
          fmt::format("its {} output and {} input bits need a row of {} cells", kernel_.output_bits, kernel_.input_bits, luts_.size()),
          fmt::format("a grid is at most {} cells wide: split the kernel", kMaxWidth));
    kernel_.grid = GridConfig(count_of(luts_), 1);
    for (size_t i = 0; i < luts_.size(); ++i) kernel_.grid.cells[i] = cell_word(luts_[i]);
  }

 private:
  int x() const { return place_ / 2; }
  Side out() const { return place_ % 2 == 0 ? Side::S : Side::N; }
  Side in() const { return opposite(out()); }
  void grow() { luts_.resize(index_of(x()) + 1); }
  void skip() {
    grow();
    ++place_;
  }

  MappedKernel& kernel_;
  DefectMap bad_;
  int place_ = 0;  // two a cell
  std::vector<std::array<Lut, 4>> luts_;
  std::vector<BitSlot> left_;  // input ports that are not used
};

}  // namespace

std::optional<MappedKernel> map_wires(const synthesis::LogicGraph& graph, const Defects& defects) {
  if (graph.outputs.empty()) return std::nullopt;
  std::vector<int> input_of(graph.nodes.size(), -1);
  int inputs = 0;
  for (size_t n = 1; n < graph.nodes.size(); ++n)
    if (graph.nodes[n].kind == Kind::kInput) input_of[n] = inputs++;
  for (const synthesis::LogicGraph::Output& o : graph.outputs)
    if (o.literal / 2 != 0 && input_of[o.literal / 2] < 0) return std::nullopt;
  MappedKernel kernel;
  kernel.name = graph.name;
  kernel.strategy = "wires";
  kernel.input_bits = id_of(inputs);
  kernel.output_bits = id_of(graph.outputs.size());
  kernel.outputs.resize(graph.outputs.size());
  WireRow row(kernel, defects, kMaxWidth);
  std::vector<uint8_t> read(index_of(inputs));
  for (size_t o = 0; o < graph.outputs.size(); ++o) {
    const synthesis::Literal literal = graph.outputs[o].literal;
    const int input = input_of[literal / 2];
    row.add_output(o, literal, input);
    if (input >= 0) read[index_of(input)] = 1;
  }
  for (uint32_t bit = 0; bit < read.size(); ++bit)
    if (!read[bit]) row.add_unread(bit);
  row.finish();
  raise_lead(kernel);
  return kernel;
}

}  // namespace bitgrid::mapping
