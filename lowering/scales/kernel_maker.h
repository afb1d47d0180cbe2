// A kernel of words in progress, for the files that define vector kernels.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ir/index.h"
#include "ir/program.h"
#include "lowering/scales/scalar_words.h"
#include "lowering/scales/words.h"

namespace bitgrid::scales {

using Nodes = std::vector<NodeId>;

/// Converts two's complement to offset binary, and back.
inline NodeId flipped(Dag& dag, NodeId a) {
  const uint32_t w = width_of(dag, a);
  const NodeId top = add_node(dag, Op::kNot, 1, {sign_of(dag, a)});
  return w == 1 ? top : add_node(dag, Op::kConcat, w, {top, add_slice(dag, a, 0, w - 1)});
}

/// A kernel in progress.
class Maker {
 public:
  explicit Maker(const std::string& name) { kernel_.name = kernel_.dag.name = name; }
  Dag& dag() { return kernel_.dag; }

  Nodes words(const std::string& name, int count, uint32_t bits, bool is_signed) {
    const NodeId port = add_input(dag(), name, id_of(count) * bits);
    kernel_.inputs.push_back({count, bits, {(uint64_t{1} << bits) - 1}});
    Nodes out;
    for (int i = 0; i < count; ++i) {
      const NodeId word = count == 1 ? port : add_slice(dag(), port, id_of(i) * bits, bits);
      out.push_back(is_signed ? flipped(dag(), word) : word);
    }
    return out;
  }
  NodeId word(const std::string& name, uint32_t bits, bool is_signed = false) { return words(name, 1, bits, is_signed)[0]; }

  void out(const std::string& name, const Nodes& values, uint32_t bits, bool is_signed) {
    Nodes reversed;
    for (const NodeId v : values) {
      const NodeId fit = is_signed ? flipped(dag(), signed_as(dag(), v, bits)) : unsigned_as(dag(), v, bits);
      reversed.insert(reversed.begin(), fit);
    }
    const auto count = id_of(values.size());
    add_output(dag(), name, count == 1 ? reversed[0] : add_node(dag(), Op::kConcat, count * bits, reversed));
    kernel_.outputs.push_back({int_of(count), bits, {}});
  }
  void out(const std::string& name, NodeId value, uint32_t bits, bool is_signed = false) { out(name, Nodes{value}, bits, is_signed); }
  Kernel take() { return std::move(kernel_); }

 private:
  Kernel kernel_;
};

}  // namespace bitgrid::scales
