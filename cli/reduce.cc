// bitgrid reduce: the smallest Dag or netlist that a command still ends with in the same way.
#include "check/reduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <regex>

#include "check/watched_command.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/numbers.h"
#include "engines/kernel_source.h"
#include "frontend/blif.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/temporary_folder.h"

namespace bitgrid::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostLine = 4096;  // bytes of a line that --match looks at

struct ReduceOptions {
  Common common;
  std::string source, out, match;
  std::vector<std::string> command;
  int timeout = 10;  // seconds
};

struct Interrupted {};

volatile std::sig_atomic_t interrupted = 0;

/// While it lives, the signals that end a program only say that it shall end.
class Signals {
 public:
  Signals() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before_[i]);
  }
  ~Signals() {
    for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  static constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, 3> before_{};
};

/// The command, and what it must come to.
class Property {
 public:
  explicit Property(const ReduceOptions& o) : o_(o), file_(folder_.file(fs::path(o.source).filename().string())) {
    if (o.match.empty()) return;
    try {
      match_ = std::regex(o.match, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& e) {
      throw Error("--match", "'" + o.match + "' is not a regular expression: " + e.what(), "see the grammar of ECMAScript");
    }
  }

  /// What the command comes to with the file itself.
  void learn() {
    wanted_ = run(o_.source);
    if (!o_.match.empty() && !matches(wanted_))
      throw Error("--match", "nothing in the command's output matches '" + o_.match + "'", "run it by hand and look at what it writes");
  }

  /// Whether it comes to the same with this text.
  bool holds(const std::string& text) {
    write_file(file_, text);
    const check::CommandResult result = run(file_);
    return o_.match.empty() ? result.end == wanted_.end && result.code == wanted_.code : matches(result);
  }

  std::string wanted() const {
    return o_.match.empty() ? check::describe(wanted_, o_.timeout) : fmt::format("a line that matches '{}'", o_.match);
  }

 private:
  check::CommandResult run(const std::string& path) const {
    std::vector<std::string> command = o_.command;
    for (std::string& word : command) {
      for (size_t at = 0; (at = word.find("{}", at)) != std::string::npos; at += path.size()) word.replace(at, 2, path);
    }
    check::CommandResult result = check::run_watched(command, o_.timeout, [] { return interrupted != 0; });
    if (interrupted != 0) throw Interrupted();
    return result;
  }

  bool matches(const check::CommandResult& result) const {
    const std::string_view output = result.output;
    for (size_t first = 0; first < output.size();) {
      const size_t end = std::min(output.find('\n', first), output.size());
      const std::string_view line = output.substr(first, std::min(end - first, kMostLine));
      if (std::regex_search(line.begin(), line.end(), match_)) return true;
      first = end + 1;
    }
    return false;
  }

  const ReduceOptions& o_;
  TemporaryFolder folder_;
  std::string file_;
  std::regex match_;
  check::CommandResult wanted_;
};

struct Size {
  size_t nodes = 0, inputs = 0, outputs = 0;
};
Size size_of(const Dag& dag) {
  return {dag.size() - dag.inputs.size() - dag.outputs.size(), dag.inputs.size(), dag.outputs.size()};
}
Size size_of(const CoverNetwork& network) {
  return {network.nodes.size(), network.inputs.size(), network.outputs.size()};
}
std::string text_of(const Dag& dag) {
  return print(dag);
}
std::string text_of(const CoverNetwork& network) {
  return to_blif(network);
}
std::string in_words(const Size& s) {
  const auto count = [](size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); };
  return count(s.nodes, "node") + ", " + count(s.inputs, "input") + ", " + count(s.outputs, "output");
}
Json size_json(const Size& s) {
  return {{"nodes", s.nodes}, {"inputs", s.inputs}, {"outputs", s.outputs}};
}

/// Every candidate that has the property is written at once: whatever ends the search, the smallest so far is there.
template <typename Network>
void reduce_network(const Network& start, const ReduceOptions& o, int& status) {
  Stopwatch watch;
  const Signals signals;
  Property property(o);
  check::ReduceStats stats;
  Size best = size_of(start);
  bool stopped = false, written = false;
  try {
    property.learn();
    if (!property.holds(text_of(start)))
      throw Error(o.source, "the command ends differently once bitgrid has rewritten the file",
                  "the result depends on comments, order or layout of the file: reduce it by hand");
    std::cout << fmt::format("{}: {} with {}\n", o.source, property.wanted(), in_words(best));
    write_file(o.out, text_of(start));
    written = true;
    Progress progress;
    const check::Keeps<Network> keeps = [&](const Network& candidate) {
      progress.say(fmt::format("{} in {} runs, trying {}", in_words(best), stats.tried, in_words(size_of(candidate))));
      if (!property.holds(text_of(candidate))) return false;
      write_file(o.out, text_of(candidate));
      best = size_of(candidate);
      return true;
    };
    check::reduce(start, keeps, &stats);
  } catch (const Interrupted&) {
    stopped = true;
    status = 130;
  }
  if (!written) throw Error("reduce", "interrupted before anything was reduced");
  const double seconds = watch.lap();
  std::cout << fmt::format("{}: {}{}; {} runs in {:.1f} s\n", o.out, stopped ? "interrupted at " : "", in_words(best), stats.tried,
                           seconds);
  write_json(o.common, {{"source", o.source},
                        {"output", o.out},
                        {"command", o.command},
                        {"keeps", property.wanted()},
                        {"before", size_json(size_of(start))},
                        {"after", size_json(best)},
                        {"runs", stats.tried},
                        {"kept", stats.kept},
                        {"interrupted", stopped},
                        {"seconds", seconds}});
}

void run(const ReduceOptions& o, int& status) {
  const engines::SourceKind kind = engines::source_kind(o.source);
  if (kind == engines::SourceKind::kModel || kind == engines::SourceKind::kNetwork)
    throw Error(o.source, "models are not reduced", "give a .blif or .dag file");
  if (fs::path(o.out).extension() != fs::path(o.source).extension())
    throw Error(o.out, "a reduced file keeps its type", "give a name that ends in " + fs::path(o.source).extension().string());
  std::error_code ignored;
  if (fs::equivalent(o.source, o.out, ignored)) throw Error(o.out, "this is the file to be reduced", "name another one with -o");
  const bool named =
      std::any_of(o.command.begin(), o.command.end(), [](const std::string& w) { return w.find("{}") != std::string::npos; });
  if (!named) throw Error("command", "it has no {} in it", "write {} where the file's path belongs: -- COMMAND {}");
  const std::string text = read_file(o.source);
  if (kind == engines::SourceKind::kDag)
    reduce_network(parse_dag(text, o.source), o, status);
  else
    reduce_network(frontend::parse_blif(text, o.source), o, status);
}

}  // namespace

void define_reduce(CLI::App& command, int& status) {
  auto o = std::make_shared<ReduceOptions>();
  command.add_option("source", o->source, "KERNEL.dag or NETLIST.blif")->required();
  command.add_option("-o,--output", o->out, "file for the smallest version found so far")->required();
  command.add_option("--match", o->match,
                     "regular expression: keep that a line of the command's output matches it, whatever its exit status");
  add_number<int>(command, "--timeout", o->timeout, {1, 86400},
                  "seconds per run of the command; a longer run is killed, which counts as its result");
  command.add_option("command", o->command, "after --: the command to run, with {} for the path of the file")->required();
  add_common(command, o->common);
  command.callback([o, &status] { run(*o, status); });
}

}  // namespace bitgrid::cli
