#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "bitgrid_sim/live.h"
#include "ir/error.h"
#include "ir/number.h"
#include "ir/text.h"

namespace bitgrid::sim {
namespace {

class LiveLine {
 public:
  LiveLine(const std::string& line, std::string where, int width, int height) : where_(std::move(where)), width_(width), height_(height) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (std::string word; words >> word;) words_.push_back(word);
  }
  bool empty() const { return words_.empty(); }

  void parse(LiveScript& script) {
    if (words_[0] == "write") return script.writes.push_back(write());
    if (words_[0] == "drive") return script.queues.push_back(drive());
    if (words_[0] == "probe") return script.probes.push_back(probe());
    fail(fmt::format("'{}' is unknown", words_[0]), "use write, drive or probe");
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& cure) const { throw Error(where_, problem, cure); }

  void expect(size_t words, const std::string& form) const {
    if (words_.size() != words) fail(fmt::format("{} words after '{}'", words_.size() - 1, words_[0]), "write " + form);
  }

  int64_t number(std::string_view text, const std::string& what, int64_t least, int64_t most) const {
    const auto value = parse_whole(text, least, most);
    if (!value) fail(fmt::format("{} is '{}'", what, text), fmt::format("use a number from {} to {}", least, most));
    return *value;
  }

  CellWrite write() const {
    expect(5, "write CYCLE X Y WORD");
    CellWrite w;
    w.cycle = number(words_[1], "cycle", 0, kMostLiveCycles);
    w.x = static_cast<int>(number(words_[2], "x", 0, width_ - 1));
    w.y = static_cast<int>(number(words_[3], "y", 0, height_ - 1));
    const std::string& word = words_[4];
    const auto bits = parse_hex(word);
    if (!bits) fail(fmt::format("'{}' is not a configuration word", word), "use up to 16 hexadecimal digits");
    w.word = *bits;
    return w;
  }

  PortQueue drive() const {
    expect(4, "drive FIRST[-LAST] PORT BITS");
    PortQueue q;
    const std::string& range = words_[1];
    const size_t dash = range.find('-');
    q.first = number(std::string_view(range).substr(0, dash), "first cycle", 0, kMostLiveCycles);
    const PortName port = name(words_[2]);
    if (port.output) fail(fmt::format("{} is an output", words_[2]), "drive an input, such as w0_in");
    q.side = port.side;
    q.position = port.position;
    for (const char c : words_[3]) {
      if (c != '0' && c != '1') fail(fmt::format("'{}' are not bits", words_[3]), "use 0 and 1, the first cycle's bit first");
      q.bits.push_back(c == '1');
    }
    q.last = dash == std::string::npos ? q.first + static_cast<int64_t>(q.bits.size()) - 1
                                       : number(std::string_view(range).substr(dash + 1), "last cycle", q.first, kMostLiveCycles);
    return q;
  }

  PortName name(const std::string& text) const {
    try {
      return parse_port(text, width_, height_);
    } catch (const Error& e) {
      throw Error(where_, e.what());
    }
  }

  Probe probe() const {
    expect(2, "probe NAME");
    Probe p;
    const std::string& text = words_[1];
    if (text[0] != 'c') {
      p.port = name(text);
      return p;
    }
    const size_t first = text.find('_'), second = text.find('_', first + 1);
    const size_t side =
        second != std::string::npos && second + 2 == text.size() ? std::string_view("nesw").find(text[second + 1]) : std::string_view::npos;
    if (side == std::string_view::npos) fail(fmt::format("'{}' is not an output of a cell", text), "use cX_Y_SIDE, such as c4_7_n");
    p.is_port = false;
    p.x = static_cast<int>(number(std::string_view(text).substr(1, first - 1), "x", 0, width_ - 1));
    p.y = static_cast<int>(number(std::string_view(text).substr(first + 1, second - first - 1), "y", 0, height_ - 1));
    p.side = kSides[side];
    return p;
  }

  std::string where_;
  int width_;
  int height_;
  std::vector<std::string> words_;
};

/// No port may be driven by two queues in one cycle.
void check_queues(const LiveScript& script, const std::string& source) {
  std::map<std::pair<Side, int>, std::vector<const PortQueue*>> ports;
  for (const PortQueue& q : script.queues) ports[{q.side, q.position}].push_back(&q);
  for (auto& [port, queues] : ports) {
    std::sort(queues.begin(), queues.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    for (size_t i = 1; i < queues.size(); ++i) {
      if (queues[i]->first <= queues[i - 1]->last) {
        throw Error(source,
                    fmt::format("{} is driven twice in cycle {}", to_string(PortName{port.first, port.second, false}), queues[i]->first),
                    "make the queues of a port follow one another");
      }
    }
  }
}

}  // namespace

std::string to_string(const Probe& probe) {
  if (probe.is_port) return to_string(probe.port);
  return fmt::format("c{}_{}_{}", probe.x, probe.y, "nesw"[static_cast<size_t>(probe.side)]);
}

LiveScript parse_live(std::string_view text, const std::string& source, int width, int height) {
  LiveScript script;
  std::istringstream lines{std::string(without_bom(text))};
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    LiveLine live(line, fmt::format("{}:{}", source, ++number), width, height);
    if (!live.empty()) live.parse(script);
  }
  std::stable_sort(script.writes.begin(), script.writes.end(), [](const CellWrite& a, const CellWrite& b) { return a.cycle < b.cycle; });
  check_queues(script, source);
  return script;
}

}  // namespace bitgrid::sim
