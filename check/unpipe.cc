// Registers of a feed-forward pipeline taken for wires, where all paths have equally many.
#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "check/prove_rtl.h"
#include "ir/error.h"

namespace bitgrid {
namespace {

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

std::vector<std::string> bits(const std::vector<RtlPort>& ports) {
  std::vector<std::string> names;
  for (const RtlPort& p : ports) {
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
        throw Error("Yosys", "a cell is left that has no gates: " + std::string(line), "write the Verilog with simpler operators");
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

/// Depth-first over what outputs depend on; writes drivers in topological order.
class Walk {
 public:
  Walk(const Netlist& netlist, const std::vector<std::string>& inputs) : netlist_(netlist) {
    for (const std::string& name : inputs) rank_[name] = 0;
  }

  /// Registers between inputs and a signal: nullopt for a constant. Sets problem_.
  std::optional<int> rank(std::string_view root) {
    std::vector<std::pair<std::string_view, size_t>> stack = {{root, 0}};
    while (!stack.empty() && problem_.empty()) {
      const std::string_view name = stack.back().first;
      if (rank_.contains(name)) {
        stack.pop_back();
        continue;
      }
      const Driver* d = netlist_.find(name);
      if (d == nullptr) {
        problem_ = fmt::format("an output depends on {}", name);
        break;
      }
      size_t& next = stack.back().second;
      if (next == 0 && !open_.emplace(name, true).second) {
        problem_ = fmt::format("{} depends on itself: the module is no pipeline", name);
        break;
      }
      if (next < d->inputs.size()) {
        const std::string_view input = d->inputs[next++];
        if (!rank_.contains(input)) {
          if (open_.contains(input)) {
            problem_ = fmt::format("{} depends on itself: the module is no pipeline", input);
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
    return problem_.empty() ? rank_[root] : std::nullopt;
  }

  std::string text, problem_;
  size_t gates = 0, registers = 0;

 private:
  void finish(std::string_view name, const Driver& d) {
    std::optional<int> rank;
    for (const std::string_view input : d.inputs) {
      const auto r = rank_[input];
      if (!r) continue;
      if (rank && *rank != *r) problem_ = fmt::format("{} joins paths of {} and {} registers", name, *rank, *r);
      rank = r;
    }
    if (d.is_register) {
      rank_[name] = rank ? std::optional(*rank + 1) : std::nullopt;
      text += fmt::format(".names {} {}\n1 1\n", d.inputs[0], name);
      ++registers;
      return;
    }
    rank_[name] = rank;
    text += ".names ";
    for (const std::string_view input : d.inputs) text.append(input).append(" ");
    text.append(name).append("\n").append(d.cover);
    ++gates;
  }

  const Netlist& netlist_;
  std::unordered_map<std::string_view, std::optional<int>> rank_;
  std::unordered_map<std::string_view, bool> open_;
};

}  // namespace

Unpiped remove_pipeline(const std::string& blif, const RtlInterface& interface) {
  const Netlist netlist(blif);
  const std::vector<std::string> inputs = bits(interface.inputs), outputs = bits(interface.outputs);
  Walk walk(netlist, inputs);
  Unpiped result;
  for (const std::string& output : outputs) {
    const auto rank = walk.rank(output);
    if (walk.problem_.empty() && rank && *rank != static_cast<int>(interface.latency_cycles))
      walk.problem_ = fmt::format("{} registers lie before {}, and the latency is {}", *rank, output, interface.latency_cycles);
    if (!walk.problem_.empty()) {
      result.problem = walk.problem_;
      return result;
    }
  }
  result.blif = fmt::format(".model {}\n.inputs {}\n.outputs {}\n", interface.module, fmt::join(inputs, " "), fmt::join(outputs, " "));
  result.blif += walk.text + ".end\n";
  result.gates = walk.gates;
  result.registers = walk.registers;
  return result;
}

}  // namespace bitgrid
