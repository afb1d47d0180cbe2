#include "bitgrid_sim/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "ir/error.h"
#include "ir/number.h"
#include "ir/text.h"

namespace bitgrid::sim {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"stuck0", "stuck1", "flip", "config"};

class FaultLine {
 public:
  FaultLine(const std::string& line, std::string where, int width, int height) : where_(std::move(where)), width_(width), height_(height) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (std::string word; words >> word;) words_.push_back(word);
  }
  bool empty() const { return words_.empty(); }

  Fault parse() {
    const auto kind = std::find(kNames.begin(), kNames.end(), words_[0]);
    if (kind == kNames.end()) fail(fmt::format("'{}' is not a kind of fault", words_[0]), "use stuck0, stuck1, flip or config");
    Fault f;
    f.kind = static_cast<FaultKind>(kind - kNames.begin());
    f.x = static_cast<int>(number(1, "x", 0, width_ - 1));
    f.y = static_cast<int>(number(2, "y", 0, height_ - 1));
    size_t next = 3;
    if (f.kind == FaultKind::kConfig) {
      f.bit = static_cast<unsigned>(number(next++, "configuration bit", 0, 63));
    } else if (next < words_.size() && words_[next].find_first_not_of("NESW") == std::string::npos) {
      f.outputs = 0;
      for (const char c : words_[next++]) f.outputs |= 1u << std::string_view("NESW").find(c);
    }
    if (next < words_.size()) window(f, words_[next++]);
    if (next < words_.size()) fail(fmt::format("'{}' is one word too many", words_[next]), "write KIND X Y [NESW] [FIRST[-LAST]]");
    return f;
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& cure) const { throw Error(where_, problem, cure); }

  int64_t number(const std::string& text, const std::string& what, int64_t least, int64_t most) const {
    const auto value = parse_whole(text, least, most);
    if (!value) fail(fmt::format("{} is '{}'", what, text), fmt::format("use a number from {} to {}", least, most));
    return *value;
  }
  int64_t number(size_t i, const std::string& what, int64_t least, int64_t most) const {
    if (i >= words_.size()) fail(fmt::format("the {} is missing", what), "write KIND X Y [NESW] [FIRST[-LAST]], or config X Y BIT");
    return number(words_[i], what, least, most);
  }
  void window(Fault& f, const std::string& text) const {
    constexpr int64_t kMost = int64_t{1} << 60;
    const size_t dash = text.find('-');
    f.first = f.last = number(text.substr(0, dash), "phase", 0, kMost);
    if (dash != std::string::npos) f.last = number(text.substr(dash + 1), "last phase", f.first, kMost);
  }

  std::string where_;
  int width_;
  int height_;
  std::vector<std::string> words_;
};

}  // namespace

std::vector<Fault> parse_faults(std::string_view text, const std::string& source, int width, int height) {
  std::vector<Fault> faults;
  std::istringstream lines{std::string(without_bom(text))};
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    FaultLine fault(line, fmt::format("{}:{}", source, ++number), width, height);
    if (!fault.empty()) faults.push_back(fault.parse());
  }
  return faults;
}

std::string print_faults(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& f : faults) {
    text += fmt::format("{} {} {}", kNames[static_cast<size_t>(f.kind)], f.x, f.y);
    if (f.kind == FaultKind::kConfig) text += fmt::format(" {}", f.bit);
    if (f.kind != FaultKind::kConfig && f.outputs != 15) {
      text += ' ';
      for (const Side side : kSides) {
        if ((f.outputs >> static_cast<unsigned>(side)) & 1u) text += letter(side);
      }
    }
    if (f.first >= 0) text += f.first == f.last ? fmt::format(" {}", f.first) : fmt::format(" {}-{}", f.first, f.last);
    text += '\n';
  }
  return text;
}

unsigned faulty_outputs(const Fault& fault, unsigned outputs, unsigned inputs) {
  switch (fault.kind) {
    case FaultKind::kStuck0:
      return outputs & ~fault.outputs;
    case FaultKind::kStuck1:
      return outputs | fault.outputs;
    case FaultKind::kFlip:
      return outputs ^ fault.outputs;
    default:
      return fault.bit / 4 == inputs ? outputs ^ (1u << fault.bit % 4) : outputs;
  }
}

std::vector<Fault> list_faults(const GridConfig& grid, const FaultListParams& params, std::mt19937_64& random) {
  std::vector<Fault> faults;
  const auto add = [&](FaultKind kind, bool upset) {
    const unsigned count = kind == FaultKind::kConfig ? 64 : 4;
    for (int y = 0; y < grid.height; ++y) {
      for (int x = 0; x < grid.width; ++x) {
        for (unsigned i = 0; i < count; ++i) {
          Fault f;
          f.kind = kind;
          f.x = x;
          f.y = y;
          if (kind == FaultKind::kConfig) f.bit = i;
          if (kind != FaultKind::kConfig) f.outputs = 1u << i;
          if (upset) {
            // A phase in which the cell latches.
            const auto phases = static_cast<uint64_t>(std::max<int64_t>(params.upset_phases / 2, 1));
            f.first = f.last = static_cast<int64_t>(2 * (random() % phases)) + ((x + y) & 1);
          }
          faults.push_back(f);
        }
      }
    }
  };
  if (params.stuck0) add(FaultKind::kStuck0, false);
  if (params.stuck1) add(FaultKind::kStuck1, false);
  if (params.flip) add(FaultKind::kFlip, false);
  if (params.config) add(FaultKind::kConfig, false);
  if (params.upset) add(FaultKind::kFlip, true);
  if (params.sample == 0 || params.sample >= faults.size()) return faults;
  // The first of a partial shuffle, back in order.
  std::vector<size_t> order(faults.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (size_t i = 0; i < params.sample; ++i) std::swap(order[i], order[i + random() % (order.size() - i)]);
  std::sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(params.sample));
  std::vector<Fault> sampled;
  for (size_t i = 0; i < params.sample; ++i) sampled.push_back(faults[order[i]]);
  return sampled;
}

}  // namespace bitgrid::sim
