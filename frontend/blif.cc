#include "frontend/blif.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/file.h"
#include "ir/text.h"

namespace bitgrid::frontend {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 30;

using Tokens = std::vector<std::string_view>;

/// Of extended BLIF: what they say of the cell above or of the model is not logic.
const std::unordered_set<std::string_view> kAttributes = {".attr", ".cname", ".param"};

struct Line {
  size_t number = 0;  // of its first physical line
  std::string text;   // without comment and continuation marks
};

// Joins continued lines, drops comments and blank lines.
std::vector<Line> logical_lines(std::string_view text) {
  std::vector<Line> lines;
  bool continued = false;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    line = line.substr(0, line.find('#'));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) line.remove_suffix(1);
    const bool more = !line.empty() && line.back() == '\\';
    if (more) line.remove_suffix(1);
    if (!continued) lines.push_back({number, ""});
    lines.back().text.append(line).append(" ");
    continued = more;
  }
  return lines;
}

Tokens split(std::string_view line) {
  Tokens tokens;
  constexpr std::string_view kBlank = " \t\r\v\f";
  size_t at = 0;
  while ((at = line.find_first_not_of(kBlank, at)) != std::string_view::npos) {
    const size_t end = std::min(line.find_first_of(kBlank, at), line.size());
    tokens.push_back(line.substr(at, end - at));
    at = end;
  }
  return tokens;
}

struct Function {
  size_t line = 0;
  std::string name;
  std::vector<std::string> fanins;
  std::vector<CoverRow> rows;
  std::optional<bool> complemented;  // unknown until the first row
};

struct Named {
  std::string name;
  size_t line = 0;
};

class Parser {
 public:
  explicit Parser(const std::string& source) : source_(source) {}

  CoverNetwork parse(std::string_view text) {
    for (const Line& line : logical_lines(without_bom(text))) {
      line_ = line.number;
      const Tokens tokens = split(line.text);
      if (tokens.empty()) continue;
      if (tokens[0][0] == '.')
        directive(tokens);
      else
        row(tokens);
    }
    return build();
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& cure) const { fail_at(line_, problem, cure); }
  [[noreturn]] void fail_at(size_t line, const std::string& problem, const std::string& cure) const {
    throw Error(fmt::format("{}:{}", source_, line), problem, cure);
  }

  void directive(const Tokens& tokens) {
    const std::string_view name = tokens[0];
    in_cover_ = false;
    if (name == ".model") return model(tokens);
    if (ended_) fail(fmt::format("{} comes after .end", name), "keep one model in the file");
    if (name == ".inputs") return declare(tokens, inputs_);
    if (name == ".outputs") return declare(tokens, outputs_);
    if (name == ".names") return names(tokens);
    if (name == ".conn") return connection(tokens);
    if (name == ".end") {
      ended_ = true;
      return;
    }
    if (!kAttributes.contains(name)) refuse(name);
  }

  void refuse(std::string_view name) const {
    static const std::unordered_set<std::string_view> kNoLogic = {".area",
                                                                  ".delay",
                                                                  ".wire_load_slope",
                                                                  ".wire",
                                                                  ".input_arrival",
                                                                  ".output_required",
                                                                  ".input_drive",
                                                                  ".output_load",
                                                                  ".default_input_drive",
                                                                  ".max_input_load",
                                                                  ".default_input_arrival",
                                                                  ".default_output_required",
                                                                  ".default_output_load",
                                                                  ".default_max_input_load"};
    if (kNoLogic.contains(name)) return;
    if (name == ".latch" || name == ".mlatch" || name == ".clock" || name == ".cycle" || name == ".clock_event" || name == ".start_kiss")
      fail(fmt::format("{} makes the circuit sequential", name),
           "give combinational logic: turn latch outputs into inputs and latch inputs into outputs");
    if (name == ".subckt" || name == ".search") fail(fmt::format("{} needs other models", name), "flatten the hierarchy first");
    if (name == ".gate") fail(".gate needs a cell library", "write the circuit with .names (ABC: strash or logic, then write_blif)");
    if (name == ".exdc") fail(".exdc gives external don't-cares, which are not supported", "remove that section");
    fail(fmt::format("{} is unknown", name), "use .model, .inputs, .outputs, .names, .conn and .end");
  }

  void model(const Tokens& tokens) {
    if (have_model_) fail("a second .model", "flatten the hierarchy, or keep one model in the file");
    if (tokens.size() > 2) fail(".model has more than one name", "write: .model NAME");
    have_model_ = true;
    if (tokens.size() == 2) name_ = tokens[1];
  }

  void declare(const Tokens& tokens, std::vector<Named>& list) const {
    for (size_t i = 1; i < tokens.size(); ++i) list.push_back({std::string(tokens[i]), line_});
  }

  void names(const Tokens& tokens) {
    if (tokens.size() < 2) fail(".names has no output", "write: .names INPUT ... OUTPUT");
    Function f;
    f.line = line_;
    f.name = tokens.back();
    f.fanins.assign(tokens.begin() + 1, tokens.end() - 1);
    functions_.push_back(std::move(f));
    in_cover_ = true;
  }

  void connection(const Tokens& tokens) {
    if (tokens.size() != 3) fail(fmt::format(".conn has {} names instead of 2", tokens.size() - 1), "write: .conn DRIVER DRIVEN");
    Function f;
    f.line = line_;
    f.name = tokens[2];
    f.fanins = {std::string(tokens[1])};
    f.rows = {"1"};
    f.complemented = false;
    functions_.push_back(std::move(f));
  }

  void row(const Tokens& tokens) {
    if (ended_ || !in_cover_)
      fail(fmt::format("\"{}\" does not belong to any .names", tokens[0]), "put rows of a cover directly below its .names line");
    Function& f = functions_.back();
    const bool constant = f.fanins.empty();
    if (tokens.size() != (constant ? 1u : 2u))
      fail(fmt::format("a row of {} columns for {}", tokens.size(), f.name),
           constant ? "write 1 or nothing" : "write the inputs' values, a blank, and 1 or 0");
    const std::string_view plane = constant ? std::string_view() : tokens[0];
    if (plane.size() != f.fanins.size())
      fail(fmt::format("the row has {} values, {} has {} inputs", plane.size(), f.name, f.fanins.size()),
           "give one of 0, 1, - for each input");
    if (plane.find_first_not_of("01-") != std::string_view::npos)
      fail(fmt::format("\"{}\" has characters other than 0, 1 and -", plane), "give one of 0, 1, - for each input");
    const std::string_view value = tokens.back();
    if (value != "0" && value != "1") fail(fmt::format("the output value is \"{}\"", value), "write 1 (on-set) or 0 (off-set)");
    const bool off = value == "0";
    if (f.complemented.value_or(off) != off)
      fail(fmt::format("rows of {} give both 0 and 1", f.name), "state either its on-set or its off-set");
    f.complemented = off;
    f.rows.emplace_back(plane);
  }

  CoverNetwork build() {
    CoverNetwork network;
    network.name = name_;
    if (outputs_.empty()) fail_at(std::max<size_t>(line_, 1), "there are no outputs", "list them: .outputs NAME ...");
    for (const Named& in : inputs_) {
      if (!signals_.try_emplace(in.name, network.inputs.size()).second)
        fail_at(in.line, "input " + in.name + " is listed twice", "remove one");
      network.inputs.push_back(in.name);
    }
    for (size_t i = 0; i < functions_.size(); ++i) {
      const Function& f = functions_[i];
      if (signals_.contains(f.name)) fail_at(f.line, f.name + " is an input and has a .names", "remove one of them");
      const auto [it, fresh] = drivers_.try_emplace(f.name, i);
      if (!fresh) fail_at(f.line, fmt::format("{} is defined twice (first in line {})", f.name, functions_[it->second].line), "remove one");
    }
    order(network);
    std::unordered_set<std::string> seen;
    for (const Named& out : outputs_) {
      if (!seen.insert(out.name).second) fail_at(out.line, "output " + out.name + " is listed twice", "remove one");
      const auto it = signals_.find(out.name);
      if (it == signals_.end()) fail_at(out.line, "nothing drives output " + out.name, "add its .names");
      network.outputs.push_back({out.name, it->second});
    }
    return network;
  }

  // Depth first, without recursion: adds functions behind their fan-ins.
  void order(CoverNetwork& network) {
    enum class State : uint8_t { kNew, kOpen, kDone };
    std::vector<State> state(functions_.size(), State::kNew);
    std::vector<std::pair<size_t, size_t>> stack;  // function, next fan-in
    for (size_t root = 0; root < functions_.size(); ++root) {
      if (state[root] != State::kNew) continue;
      stack.emplace_back(root, 0);
      state[root] = State::kOpen;
      while (!stack.empty()) {
        auto& [index, next] = stack.back();
        const Function& f = functions_[index];
        if (next == f.fanins.size()) {
          state[index] = State::kDone;
          add(network, f);
          stack.pop_back();
          continue;
        }
        const std::string& fanin = f.fanins[next++];
        if (signals_.contains(fanin)) continue;
        const auto it = drivers_.find(fanin);
        if (it == drivers_.end())
          fail_at(f.line, fmt::format("nothing drives {}, which {} uses", fanin, f.name), "add its .names or list it in .inputs");
        if (state[it->second] == State::kOpen)
          fail_at(f.line, fmt::format("{} depends on itself through {}", fanin, f.name), "break the loop");
        state[it->second] = State::kOpen;
        stack.emplace_back(it->second, 0);
      }
    }
  }

  void add(CoverNetwork& network, const Function& f) {
    CoverNode node;
    node.name = f.name;
    for (const std::string& fanin : f.fanins) node.fanins.push_back(signals_.at(fanin));
    node.rows = f.rows;
    node.complemented = f.complemented.value_or(false);
    network.nodes.push_back(std::move(node));
    signals_.emplace(f.name, network.signal_of_node(network.nodes.size() - 1));
  }

  std::string source_;
  std::string name_ = "top";
  size_t line_ = 0;
  bool have_model_ = false, ended_ = false, in_cover_ = false;
  std::vector<Named> inputs_, outputs_;
  std::vector<Function> functions_;
  std::unordered_map<std::string, SignalId> signals_;
  std::unordered_map<std::string, size_t> drivers_;  // name -> function
};

}  // namespace

CoverNetwork parse_blif(std::string_view text, const std::string& source) {
  return Parser(source).parse(text);
}

bool is_plain_blif(std::string_view text) {
  if (text != without_bom(text)) return false;
  for (const Line& line : logical_lines(text)) {
    const Tokens tokens = split(line.text);
    if (!tokens.empty() && (tokens[0] == ".conn" || kAttributes.contains(tokens[0]))) return false;
  }
  return true;
}

CoverNetwork read_blif(const std::string& path) {
  return parse_blif(read_file(path, kMaxBytes), path);
}

}  // namespace bitgrid::frontend
