#include "lowering/mapping/netlist/packing.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ir/index.h"

namespace bitgrid::mapping {
namespace {

using Set = std::vector<SignalId>;

Set united(const Set& a, const Set& b) {
  Set result;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

class Packer {
 public:
  Packer(const LutNetwork& network, const PackingParams& params)
      : network_(network), params_(params), users_(network.inputs.size() + network.nodes.size()) {
    for (uint32_t n = 0; n < network.nodes.size(); ++n) {
      PackedCell cell;
      cell.luts = {n};
      const auto f = fanins(network.nodes[n]);
      cell.fanins.assign(f.begin(), f.end());
      std::sort(cell.fanins.begin(), cell.fanins.end());
      for (const SignalId s : cell.fanins) users_[s].push_back(n);
      cells_.push_back(std::move(cell));
      cell_of_.push_back(n);
    }
  }

  std::vector<PackedCell> run() {
    for (size_t shared = 4; shared >= 1; --shared)
      for (uint32_t c = 0; c < cells_.size(); ++c)
        while (!cells_[c].luts.empty() && merge_best(c, shared)) continue;
    std::erase_if(cells_, [](const PackedCell& c) { return c.luts.empty(); });
    return cells_;
  }

 private:
  // A LUT of one reads a LUT of the other: they would have to talk through a neighbour.
  bool feeds(const PackedCell& a, const PackedCell& b) const {
    return std::any_of(a.luts.begin(), a.luts.end(),
                       [&](uint32_t l) { return std::binary_search(b.fanins.begin(), b.fanins.end(), network_.signal_of_node(l)); });
  }

  bool fits(const PackedCell& a, const PackedCell& b, size_t shared) const {
    const size_t all = united(a.fanins, b.fanins).size();
    const size_t common = a.fanins.size() + b.fanins.size() - all;
    const size_t wanted = std::min({params_.min_shared, a.fanins.size(), b.fanins.size()});
    return all <= 4 && common >= std::max(wanted, shared) && a.luts.size() + b.luts.size() <= params_.max_luts && !feeds(a, b) &&
           !feeds(b, a);
  }

  bool merge_best(uint32_t c, size_t shared) {
    uint32_t best = c;
    size_t best_size = 5;
    for (const SignalId s : cells_[c].fanins)
      for (const uint32_t lut : users_[s]) {
        const uint32_t other = cell_of_[lut];
        if (other == c || !fits(cells_[c], cells_[other], shared)) continue;
        const size_t size = united(cells_[c].fanins, cells_[other].fanins).size();
        if (size < best_size || (size == best_size && other < best)) {
          best = other;
          best_size = size;
        }
      }
    if (best == c) return false;
    PackedCell& from = cells_[best];
    for (const uint32_t lut : from.luts) cell_of_[lut] = c;
    cells_[c].luts.insert(cells_[c].luts.end(), from.luts.begin(), from.luts.end());
    cells_[c].fanins = united(cells_[c].fanins, from.fanins);
    from = {};
    return true;
  }

  const LutNetwork& network_;
  const PackingParams& params_;
  std::vector<PackedCell> cells_;
  std::vector<uint32_t> cell_of_;             // of a LUT
  std::vector<std::vector<uint32_t>> users_;  // LUTs that read a signal
};

std::vector<Net> nets_between(const PackedNetlist& netlist) {
  const LutNetwork& network = *netlist.network;
  std::vector<Net> nets(network.inputs.size() + network.nodes.size());
  for (SignalId s = 0; s < network.inputs.size(); ++s) nets[s].driver = id_of(netlist.cells.size() + s);
  for (BlockId c = 0; c < netlist.cells.size(); ++c) {
    for (const uint32_t lut : netlist.cells[c].luts) nets[network.signal_of_node(lut)].driver = c;
    for (const SignalId s : netlist.cells[c].fanins) nets[s].sinks.push_back(c);
  }
  for (SignalId s = 0; s < nets.size(); ++s) nets[s].signal = s;
  for (uint32_t o = 0; o < network.outputs.size(); ++o) {
    const auto port = id_of(netlist.cells.size() + network.inputs.size() + o);
    const SignalId s = network.outputs[o].signal;
    if (s == kConstantSignal)
      nets.push_back({kConstantSignal, port, {port}});
    else
      nets[s].sinks.push_back(port);
  }
  return nets;
}

}  // namespace

PackedNetlist packed(const LutNetwork& network, std::vector<PackedCell> cells) {
  PackedNetlist netlist;
  netlist.network = &network;
  netlist.cells = std::move(cells);
  netlist.nets = nets_between(netlist);
  return netlist;
}

PackedNetlist pack(const LutNetwork& network, const PackingParams& params) {
  return packed(network, Packer(network, params).run());
}

std::string block_name(const PackedNetlist& netlist, BlockId block) {
  const LutNetwork& network = *netlist.network;
  if (netlist.is_input(block)) return "input " + network.inputs[netlist.input_of(block)];
  if (netlist.is_output(block)) return "output " + network.outputs[netlist.output_of(block)].name;
  return "LUT " + signal_name(network, network.signal_of_node(netlist.cells[block].luts.front()));
}

}  // namespace bitgrid::mapping
