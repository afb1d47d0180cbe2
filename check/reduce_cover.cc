#include <algorithm>
#include <map>
#include <string>

#include "check/reduce_search.h"

namespace bitgrid::check {
namespace {

struct CoverStep {
  enum class Kind : uint8_t {
    kDropOutput,
    kDropInput,  // that nothing uses
    kZero,       // a node becomes the constant 0
    kOne,
    kInput,      // it becomes an input
    kFanin,      // it becomes its fan-in `number`
    kDropRow,    // row `number` of its cover goes
    kDropFanin,  // column `number` goes
    kDash        // entry `column` of row `number` becomes -
  };
  Kind kind = Kind::kZero;
  size_t index = 0;  // of the output, input or node
  size_t number = 0;
  size_t column = 0;
};
using Kind = CoverStep::Kind;
using Steps = std::span<const CoverStep>;

bool is_buffer(const CoverNode& node) {
  return node.fanins.size() == 1 && node.rows == std::vector<CoverRow>{"1"} && !node.complemented;
}

void make_constant(CoverNode& node, bool one) {
  node.fanins.clear();
  node.rows.clear();
  if (one) node.rows.emplace_back();
  node.complemented = false;
}

/// Signals that an output depends on.
std::vector<bool> used_signals(const CoverNetwork& network) {
  std::vector<bool> used(network.inputs.size() + network.nodes.size());
  for (const auto& output : network.outputs) used[output.signal] = true;
  for (size_t n = network.nodes.size(); n-- > 0;) {
    if (!used[network.signal_of_node(n)]) continue;
    for (const SignalId fanin : network.nodes[n].fanins) used[fanin] = true;
  }
  return used;
}

/// Copies a network with steps taken on the way. An output keeps the name of its signal.
class Rebuild {
 public:
  Rebuild(const CoverNetwork& from, Steps steps) : from_(from), driven_(used_from_outputs(from)) {
    for (const CoverStep& step : steps) {
      if (step.kind == Kind::kDropOutput)
        outputs_gone_[step.index] = true;
      else if (step.kind == Kind::kDropInput)
        inputs_gone_[step.index] = true;
      else
        steps_[step.index].push_back(step);
    }
  }

  std::optional<CoverNetwork> run() {
    to_.name = from_.name;
    copy_inputs();
    for (size_t n = 0; n < from_.nodes.size(); ++n) {
      if (!map_.contains(from_.signal_of_node(n))) copy_node(n);
    }
    for (size_t o = 0; o < from_.outputs.size(); ++o) {
      if (!outputs_gone_.contains(o)) to_.outputs.push_back({from_.outputs[o].name, map_.at(from_.outputs[o].signal)});
    }
    if (to_.outputs.empty()) return std::nullopt;
    return without_unused();
  }

 private:
  static std::vector<bool> used_from_outputs(const CoverNetwork& network) {
    std::vector<bool> used(network.inputs.size() + network.nodes.size());
    for (const auto& output : network.outputs) used[output.signal] = true;
    return used;
  }

  /// Inputs, and nodes that become inputs, come first.
  void copy_inputs() {
    for (size_t i = 0; i < from_.inputs.size(); ++i) {
      if (inputs_gone_.contains(i)) continue;
      map_[static_cast<SignalId>(i)] = static_cast<SignalId>(to_.inputs.size());
      to_.inputs.push_back(from_.inputs[i]);
    }
    for (const auto& [n, steps] : steps_) {
      if (steps[0].kind != Kind::kInput) continue;
      map_[from_.signal_of_node(n)] = static_cast<SignalId>(to_.inputs.size());
      to_.inputs.push_back(from_.nodes[n].name);
    }
  }

  void copy_node(size_t n) {
    CoverNode node = from_.nodes[n];
    for (SignalId& fanin : node.fanins) fanin = map_.at(fanin);
    const SignalId signal = from_.signal_of_node(n);
    if (const auto steps = steps_.find(n); steps != steps_.end()) {
      for (auto step = steps->second.rbegin(); step != steps->second.rend(); ++step) take(node, *step);
      if (steps->second[0].kind == Kind::kFanin && !driven_[signal]) {
        map_[signal] = node.fanins[0];
        return;
      }
    }
    if (node.rows.empty() && node.complemented) make_constant(node, true);
    map_[signal] = to_.signal_of_node(to_.nodes.size());
    to_.nodes.push_back(std::move(node));
  }

  static void take(CoverNode& node, const CoverStep& step) {
    switch (step.kind) {
      case Kind::kZero:
      case Kind::kOne:
        return make_constant(node, step.kind == Kind::kOne);
      case Kind::kFanin:
        node.fanins = {node.fanins[step.number]};
        node.rows = {"1"};
        node.complemented = false;
        return;
      case Kind::kDropRow:
        node.rows.erase(node.rows.begin() + static_cast<std::ptrdiff_t>(step.number));
        return;
      case Kind::kDropFanin:
        node.fanins.erase(node.fanins.begin() + static_cast<std::ptrdiff_t>(step.number));
        for (CoverRow& row : node.rows) row.erase(step.number, 1);
        return;
      case Kind::kDash:
        node.rows[step.number][step.column] = '-';
        return;
      default:
        return;
    }
  }

  CoverNetwork without_unused() const {
    const std::vector<bool> used = used_signals(to_);
    CoverNetwork out;
    out.name = to_.name;
    out.inputs = to_.inputs;
    std::vector<SignalId> map(used.size());
    for (size_t i = 0; i < to_.inputs.size(); ++i) map[i] = static_cast<SignalId>(i);
    for (size_t n = 0; n < to_.nodes.size(); ++n) {
      const SignalId signal = to_.signal_of_node(n);
      if (!used[signal]) continue;
      map[signal] = out.signal_of_node(out.nodes.size());
      out.nodes.push_back(to_.nodes[n]);
      for (SignalId& fanin : out.nodes.back().fanins) fanin = map[fanin];
    }
    for (const auto& output : to_.outputs) out.outputs.push_back({output.name, map[output.signal]});
    return out;
  }

  const CoverNetwork& from_;
  CoverNetwork to_;
  std::vector<bool> driven_;          // signals that are outputs
  std::map<SignalId, SignalId> map_;  // old signal, new signal
  std::map<size_t, bool> outputs_gone_, inputs_gone_;
  std::map<size_t, std::vector<CoverStep>> steps_;  // of nodes
};

ReduceCost cost_of(const CoverNetwork& network) {
  uint64_t gates = 0, constants = 0, fanins = 0, rows = 0, literals = 0;
  for (const CoverNode& node : network.nodes) {
    gates += !node.fanins.empty() && !is_buffer(node);
    constants += node.fanins.empty();
    fanins += node.fanins.size();
    rows += node.rows.size();
    for (const CoverRow& row : node.rows) literals += row.size() - static_cast<size_t>(std::count(row.begin(), row.end(), '-'));
  }
  return {gates,
          network.nodes.size() - constants,
          network.outputs.size(),
          network.inputs.size() + constants,
          network.inputs.size(),
          fanins,
          rows,
          literals};
}

using Pass = ReducePass<CoverNetwork, CoverStep>;

Pass pass_of(std::function<std::vector<CoverStep>(const CoverNetwork&)> steps) {
  return {std::move(steps), [](const CoverNetwork& network, Steps taken) { return Rebuild(network, taken).run(); }};
}

Pass drop_outputs() {
  return pass_of([](const CoverNetwork& network) {
    std::vector<CoverStep> steps;
    for (size_t o = 0; o < network.outputs.size(); ++o) steps.push_back({Kind::kDropOutput, o});
    return steps;
  });
}

Pass drop_inputs() {
  return pass_of([](const CoverNetwork& network) {
    const std::vector<bool> used = used_signals(network);
    std::vector<CoverStep> steps;
    for (size_t i = 0; i < network.inputs.size(); ++i) {
      if (!used[i]) steps.push_back({Kind::kDropInput, i});
    }
    return steps;
  });
}

/// Users first, so that what a cut frees goes with it.
Pass replace_nodes(Kind kind, size_t number = 0) {
  return pass_of([=](const CoverNetwork& network) {
    std::vector<CoverStep> steps;
    for (size_t n = network.nodes.size(); n-- > 0;) {
      if (network.nodes[n].fanins.size() > number) steps.push_back({kind, n, number});
    }
    return steps;
  });
}

Pass drop_fanins() {
  return pass_of([](const CoverNetwork& network) {
    std::vector<CoverStep> steps;
    for (size_t n = 0; n < network.nodes.size(); ++n) {
      for (size_t f = 0; f < network.nodes[n].fanins.size() && network.nodes[n].fanins.size() > 1; ++f)
        steps.push_back({Kind::kDropFanin, n, f});
    }
    return steps;
  });
}

Pass drop_rows() {
  return pass_of([](const CoverNetwork& network) {
    std::vector<CoverStep> steps;
    for (size_t n = 0; n < network.nodes.size(); ++n) {
      for (size_t r = 0; r < network.nodes[n].rows.size() && !network.nodes[n].fanins.empty(); ++r) steps.push_back({Kind::kDropRow, n, r});
    }
    return steps;
  });
}

Pass drop_literals() {
  return pass_of([](const CoverNetwork& network) {
    std::vector<CoverStep> steps;
    for (size_t n = 0; n < network.nodes.size(); ++n) {
      for (size_t r = 0; r < network.nodes[n].rows.size(); ++r) {
        const CoverRow& row = network.nodes[n].rows[r];
        for (size_t c = 0; c < row.size(); ++c) {
          if (row[c] != '-') steps.push_back({Kind::kDash, n, r, c});
        }
      }
    }
    return steps;
  });
}

}  // namespace

CoverNetwork reduce(const CoverNetwork& start, const Keeps<CoverNetwork>& keeps, ReduceStats* stats) {
  ReduceStats ignored;
  ReduceSearch<CoverNetwork, CoverStep> search(
      start, keeps, cost_of, [](const CoverNetwork& network) { return to_blif(network); }, stats ? *stats : ignored);
  return search.run({drop_outputs(), replace_nodes(Kind::kZero), replace_nodes(Kind::kInput), replace_nodes(Kind::kFanin),
                     replace_nodes(Kind::kFanin, 1), replace_nodes(Kind::kFanin, 2), replace_nodes(Kind::kOne), drop_inputs(), drop_rows(),
                     drop_fanins(), drop_literals()});
}

}  // namespace bitgrid::check
