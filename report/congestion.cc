#include "report/congestion.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ir/error.h"
#include "report/svg.h"

namespace bitgrid::report {
namespace {

constexpr int kMapMargin = 24, kMapTop = 44, kLegend = 26;
/// By outputs used, 0 to 4.
constexpr std::array<const char*, 5> kShade = {"#f6f8fa", "#d9e6f2", "#a9c8e4", "#6fa1d0", "#3b73ab"};
constexpr const char* kOverused = "#d1242f";

/// Border inputs, in the order of their numbers.
struct BorderInput {
  int x = 0, y = 0, side = 0;
};
BorderInput border_input(const Congestion& c, int port) {
  if (port < c.width) return {port, 0, 0};
  port -= c.width;
  if (port < c.height) return {c.width - 1, port, 1};
  port -= c.height;
  if (port < c.width) return {port, c.height - 1, 2};
  return {0, port - c.width, 3};
}

class Drawing {
 public:
  explicit Drawing(const Congestion& c) : c_(c), cell_(std::clamp(1200 / std::max({c.width, c.height, 1}), 3, 24)) {}

  std::string text(const std::string& title) const {
    const int width = std::max(2 * kMapMargin + cell_ * c_.width, 420), height = kMapTop + cell_ * c_.height + kMapMargin + kLegend;
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" font-family=\"sans-serif\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"{}\" y=\"18\" font-size=\"14\">{}</text>\n"
        "<text x=\"{}\" y=\"34\" font-size=\"11\" fill=\"#57606a\">{} x {} cells; {} edges are wanted by several nets, {} nets too "
        "many</text>\n",
        width, height, width, height, kMapMargin, escape_markup(title), kMapMargin, c_.width, c_.height, with_commas(overused_edges()),
        with_commas(overuse(c_)));
    out += cells() + overused() + legend(height - kLegend + 4);
    return out + "</svg>\n";
  }

 private:
  unsigned used_outputs(int x, int y) const {
    unsigned used = 0;
    const size_t first = 4 * (static_cast<size_t>(y) * static_cast<size_t>(c_.width) + static_cast<size_t>(x));
    for (size_t s = 0; s < 4; ++s) used += c_.users[first + s] > 0;
    return used;
  }

  int64_t overused_edges() const {
    return std::count_if(c_.users.begin(), c_.users.end(), [](uint16_t users) { return users > 1; });
  }

  /// One path for each shade, runs of equal cells as one rectangle.
  std::string cells() const {
    std::array<SvgPath, kShade.size()> paths;
    for (int y = 0; y < c_.height; ++y) {
      for (int x = 0; x < c_.width;) {
        const unsigned shade = used_outputs(x, y);
        int end = x + 1;
        while (end < c_.width && used_outputs(end, y) == shade) ++end;
        paths[shade].rectangle(kMapMargin + x * cell_, kMapTop + y * cell_, (end - x) * cell_, cell_);
        x = end;
      }
    }
    std::string out;
    for (size_t s = 0; s < paths.size(); ++s)
      if (!paths[s].empty()) out += fmt::format("<path fill=\"{}\" d=\"{}\"/>\n", kShade[s], paths[s].d());
    return out;
  }

  /// A bar on the side of the cell that an edge leaves (or, for a border input, enters), growing with its users.
  void bar(SvgPath& path, int x, int y, int side, int users) const {
    const int thick = std::min(users - 1, std::max(1, cell_ / 3)), left = kMapMargin + x * cell_, top = kMapTop + y * cell_;
    const int inset = cell_ / 6, length = cell_ - 2 * inset;
    if (side == 0) path.rectangle(left + inset, top, length, thick);
    if (side == 1) path.rectangle(left + cell_ - thick, top + inset, thick, length);
    if (side == 2) path.rectangle(left + inset, top + cell_ - thick, length, thick);
    if (side == 3) path.rectangle(left, top + inset, thick, length);
  }

  std::string overused() const {
    SvgPath path;
    const size_t outputs = 4 * static_cast<size_t>(c_.width) * static_cast<size_t>(c_.height);
    for (size_t e = 0; e < c_.users.size(); ++e) {
      if (c_.users[e] < 2) continue;
      if (e < outputs) {
        const int cell = static_cast<int>(e / 4);
        bar(path, cell % c_.width, cell / c_.width, static_cast<int>(e % 4), c_.users[e]);
      } else {
        const BorderInput in = border_input(c_, static_cast<int>(e - outputs));
        bar(path, in.x, in.y, in.side, c_.users[e]);
      }
    }
    return path.empty() ? "" : fmt::format("<path fill=\"{}\" d=\"{}\"/>\n", kOverused, path.d());
  }

  static std::string legend(int y) {
    std::string out = fmt::format("<g font-size=\"11\" transform=\"translate({} {})\">", kMapMargin, y);
    for (size_t s = 0; s < kShade.size(); ++s)
      out += fmt::format(
          "<rect x=\"{}\" width=\"14\" height=\"10\" fill=\"{}\" stroke=\"#b4bcc8\" stroke-width=\".5\"/><text x=\"{}\" y=\"9\">{}</text>",
          34 * s, kShade[s], 34 * s + 18, s);
    out += fmt::format("<text x=\"172\" y=\"9\">outputs used</text><rect x=\"256\" y=\"3\" width=\"14\" height=\"4\" fill=\"{}\"/>",
                       kOverused);
    return out + "<text x=\"274\" y=\"9\">wanted by several nets</text></g>\n";
  }

  const Congestion& c_;
  int cell_;
};

}  // namespace

int64_t overuse(const Congestion& congestion) {
  int64_t sum = 0;
  for (const uint16_t users : congestion.users) sum += users > 1 ? users - 1 : 0;
  return sum;
}

std::string congestion_svg(const Congestion& c, const std::string& title) {
  const size_t outputs = c.width < 0 || c.height < 0 ? 0 : 4 * static_cast<size_t>(c.width) * static_cast<size_t>(c.height);
  const size_t inputs = outputs == 0 ? 0 : 2 * (static_cast<size_t>(c.width) + static_cast<size_t>(c.height));
  if (c.users.size() != outputs && c.users.size() != outputs + inputs)
    throw Error("congestion picture", fmt::format("{} edges do not fit a region of {} x {} cells", c.users.size(), c.width, c.height),
                "give four for each cell, or the border inputs as well");
  return Drawing(c).text(title);
}

}  // namespace bitgrid::report
