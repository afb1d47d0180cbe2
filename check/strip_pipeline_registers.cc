// Registers of a feed-forward pipeline taken for wires, where all paths have equally many.
#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "check/prove_rtl.h"
#include "ir/error.h"

namespace bitgrid::check {
namespace {

/// What drives a signal, as it stands in the text.
struct Driver {
  std::vector<std::string_view> inputs;
  std::string_view cover;  // lines behind .names; unused for registers
  bool is_register = false;
};

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> result;
  for (size_t at = 0; at < line.size();) {
    const size_t begin = line.find_first_not_of(' ', at);
    if (begin == std::string_view::npos) break;
    at = std::min(line.find(' ', begin), line.size());
    result.push_back(line.substr(begin, at - begin));
  }
  return result;
}

std::vector<std::string> bits(const std::vector<rtl::RtlPort>& ports) {
  std::vector<std::string> names;
  for (const rtl::RtlPort& p : ports) {
    for (uint32_t i = 0; i < p.width; ++i) names.push_back(p.width == 1 ? p.name : fmt::format("{}[{}]", p.name, i));
  }
  return names;
}

class Netlist {
 public:
  explicit Netlist(std::string_view blif) {
    for (size_t at = 0; at < blif.size();) {
      const size_t end = std::min(blif.find('\n', at), blif.size());
      const std::string_view line = blif.substr(at, end - at);
      at = end + 1;
      if (line.starts_with(".names ")) {
        auto w = words(line.substr(7));
        const std::string_view out = w.back();
        w.pop_back();
        size_t stop = at;
        while (stop < blif.size() && blif[stop] != '.') stop = std::min(blif.find('\n', stop), blif.size()) + 1;
        stop = std::min(stop, blif.size());
        drivers_[out] = {std::move(w), blif.substr(at, stop - at), false};
        at = stop;
      } else if (line.starts_with(".latch ")) {
        const auto w = words(line.substr(7));
        drivers_[w[1]] = {{w[0]}, {}, true};
      } else if (line.starts_with(".subckt") || line.starts_with(".gate")) {
        throw Error("Yosys", "a cell that has no gates remains: " + std::string(line), "write the Verilog with simpler operators");
      }
    }
  }

  const Driver* find(std::string_view name) const {
    const auto it = drivers_.find(name);
    return it == drivers_.end() ? nullptr : &it->second;
  }

 private:
  std::unordered_map<std::string_view, Driver> drivers_;
};

/// Depth-first over what outputs depend on; appends drivers to the result in topological order.
class Walk {
 public:
  Walk(const Netlist& netlist, Unpiped& result) : netlist_(netlist), result_(result) {
    for (uint32_t i = 0; i < result.inputs.size(); ++i) signals_[result.inputs[i]] = {i, 0};
  }

  struct Signal {
    uint32_t id = 0;          // inputs, then drivers
    std::optional<int> rank;  // registers between inputs and the signal; nullopt for a constant
  };

  /// Sets the result's problem if the signal is not a pipeline's.
  Signal visit(std::string_view root) {
    std::vector<std::pair<std::string_view, size_t>> stack = {{root, 0}};
    std::string& problem = result_.problem;
    while (!stack.empty() && problem.empty()) {
      const std::string_view name = stack.back().first;
      if (signals_.contains(name)) {
        stack.pop_back();
        continue;
      }
      const Driver* d = netlist_.find(name);
      if (d == nullptr) {
        problem = fmt::format("an output depends on {}", name);
        break;
      }
      size_t& next = stack.back().second;
      if (next == 0 && !open_.emplace(name, true).second) {
        problem = fmt::format("{} depends on itself: the module is not a pipeline", name);
        break;
      }
      if (next < d->inputs.size()) {
        const std::string_view input = d->inputs[next++];
        if (!signals_.contains(input)) {
          if (open_.contains(input)) {
            problem = fmt::format("{} depends on itself: the module is not a pipeline", input);
            break;
          }
          stack.push_back({input, 0});
        }
        continue;
      }
      finish(name, *d);
      open_.erase(name);
      stack.pop_back();
    }
    return problem.empty() ? signals_[root] : Signal{};
  }

 private:
  void finish(std::string_view name, const Driver& d) {
    std::optional<int> rank;
    UnpipedGate gate{name, {}, d.is_register ? std::string_view("1 1\n") : d.cover};
    for (const std::string_view input : d.inputs) {
      const Signal& s = signals_[input];
      gate.fanins.push_back(s.id);
      if (!s.rank) continue;
      if (rank && *rank != *s.rank) result_.problem = fmt::format("{} joins paths of {} and {} registers", name, *rank, *s.rank);
      rank = s.rank;
    }
    if (d.is_register && rank) ++*rank;
    ++(d.is_register ? result_.registers : result_.gates);
    signals_[name] = {static_cast<uint32_t>(result_.inputs.size() + result_.netlist.size()), rank};
    result_.netlist.push_back(std::move(gate));
  }

  const Netlist& netlist_;
  Unpiped& result_;
  std::unordered_map<std::string_view, Signal> signals_;
  std::unordered_map<std::string_view, bool> open_;
};

}  // namespace

Unpiped remove_pipeline(std::string blif, const rtl::RtlInterface& interface) {
  Unpiped result;
  result.text = std::make_shared<const std::string>(std::move(blif));
  result.module = interface.module;
  result.inputs = bits(interface.inputs);
  result.outputs = bits(interface.outputs);
  const Netlist netlist(*result.text);
  Walk walk(netlist, result);
  for (const std::string& output : result.outputs) {
    const Walk::Signal signal = walk.visit(output);
    if (result.problem.empty() && signal.rank && *signal.rank != static_cast<int>(interface.latency_cycles))
      result.problem = fmt::format("{} registers precede {}, but the latency is {}", *signal.rank, output, interface.latency_cycles);
    if (!result.problem.empty()) return result;
    result.drivers.push_back(signal.id);
  }
  return result;
}

std::string cone_blif(const Unpiped& unpiped, size_t first, size_t count) {
  const size_t inputs = unpiped.inputs.size();
  std::vector<bool> needed(unpiped.netlist.size());
  const auto need = [&](uint32_t signal) {
    if (signal >= inputs) needed[signal - inputs] = true;
  };
  for (size_t o = first; o < first + count; ++o) need(unpiped.drivers[o]);
  for (size_t g = unpiped.netlist.size(); g-- > 0;) {
    if (!needed[g]) continue;
    for (const uint32_t fanin : unpiped.netlist[g].fanins) need(fanin);
  }
  const auto outputs = unpiped.outputs.begin() + static_cast<std::ptrdiff_t>(first);
  std::string text = fmt::format(".model {}\n.inputs {}\n.outputs {}\n", unpiped.module, fmt::join(unpiped.inputs, " "),
                                 fmt::join(outputs, outputs + static_cast<std::ptrdiff_t>(count), " "));
  for (size_t g = 0; g < unpiped.netlist.size(); ++g) {
    if (!needed[g]) continue;
    const UnpipedGate& gate = unpiped.netlist[g];
    text += ".names ";
    for (const uint32_t fanin : gate.fanins)
      text.append(fanin < inputs ? std::string_view(unpiped.inputs[fanin]) : unpiped.netlist[fanin - inputs].name).append(" ");
    text.append(gate.name).append("\n").append(gate.cover);
  }
  return text + ".end\n";
}

}  // namespace bitgrid::check
