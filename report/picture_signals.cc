#include "report/picture_signals.h"

#include <fmt/format.h>

#include <string_view>

#include "report/svg.h"

namespace bitgrid::report {
namespace {

/// Right-hand side of a direction: of N it is E.
Side right_of(Side s) {
  return static_cast<Side>((static_cast<unsigned>(s) + 1) % 4);
}

/// A filled arrow head whose tip is where the path stands.
std::string_view arrow_head(Side travel) {
  switch (travel) {
    case Side::N:
      return "l2 4h-4z";
    case Side::E:
      return "l-4 2v-4z";
    case Side::S:
      return "l-2-4h4z";
    case Side::W:
      return "l4-2v4z";
  }
  return "";
}

class SignalDrawing {
 public:
  SignalDrawing(const CellRoles& cells, int pixels, int left, int top) : cells_(cells), pixels_(pixels), left_(left), top_(top) {}

  std::string draw() {
    for (const Side travel : kSides) draw_straight(travel);
    for (int y = 0; y < cells_.height; ++y) {
      for (int x = 0; x < cells_.width; ++x) draw_cell(x, y);
    }
    return text();
  }

 private:
  struct Strokes {
    SvgPath lines, arrows;
  };

  Strokes& strokes(Signal s) { return strokes_[static_cast<size_t>(s)]; }

  Point at(int x, int y, Side side, Side travel) const {
    const Point p = crossing(x, y, side, travel, pixels_);
    return {p.x + left_, p.y + top_};
  }
  Point centre(int x, int y) const { return {left_ + x * pixels_ + pixels_ / 2, top_ + y * pixels_ + pixels_ / 2}; }

  bool passes(int x, int y, Side travel) const {
    const Edge& e = cells_.edges[cells_.index(x, y)][static_cast<size_t>(travel)];
    return e.kind == EdgeKind::kPass && e.from == opposite(travel);
  }

  Signal signal(int x, int y, Side side) const { return cells_.signals[cells_.index(x, y)][static_cast<size_t>(side)]; }

  /// Signals that pass straight through: one line for each run of cells, with an arrow head every now and then.
  void draw_straight(Side travel) {
    constexpr int kArrowEvery = 8;
    const bool horizontal = travel == Side::E || travel == Side::W;
    const int lines = horizontal ? cells_.height : cells_.width, length = horizontal ? cells_.width : cells_.height;
    const bool forward = travel == Side::E || travel == Side::S;
    for (int line = 0; line < lines; ++line) {
      const auto x_of = [&](int i) { return horizontal ? (forward ? i : length - 1 - i) : line; };
      const auto y_of = [&](int i) { return horizontal ? line : (forward ? i : length - 1 - i); };
      for (int i = 0; i < length; ++i) {
        if (!passes(x_of(i), y_of(i), travel)) continue;
        const Signal s = signal(x_of(i), y_of(i), travel);
        int end = i;
        while (end + 1 < length && passes(x_of(end + 1), y_of(end + 1), travel) && signal(x_of(end + 1), y_of(end + 1), travel) == s) ++end;
        if (s != Signal::kNone) {
          const Point from = at(x_of(i), y_of(i), opposite(travel), travel), to = at(x_of(end), y_of(end), travel, travel);
          strokes(s).lines.move(from.x, from.y);
          strokes(s).lines.line(to.x, to.y);
          const int run = end - i + 1, arrows = (run + kArrowEvery - 1) / kArrowEvery;
          for (int k = 0; k < arrows; ++k) {
            const int cell = i + (2 * k + 1) * run / (2 * arrows);
            const Point tip = at(x_of(cell), y_of(cell), travel, travel);
            const int back = pixels_ / 2 - 2;
            strokes(s).arrows.move(tip.x - dx(travel) * back, tip.y - dy(travel) * back);
            strokes(s).arrows.shape(arrow_head(travel));
          }
        }
        i = end;
      }
    }
  }

  void draw_cell(int x, int y) {
    unsigned support = 0;
    bool logic = false;
    for (const Side side : kSides) {
      const Edge& e = cells_.edges[cells_.index(x, y)][static_cast<size_t>(side)];
      if (e.kind == EdgeKind::kPass && e.from != opposite(side)) draw_turn(x, y, e.from, side);
      if (e.kind != EdgeKind::kLogic) continue;
      logic = true;
      support |= e.support;
      const Point c = centre(x, y), out = at(x, y, side, side);
      SvgPath& path = strokes(signal(x, y, side)).lines;
      path.move(c.x, c.y);
      path.line(out.x, out.y);
    }
    if (!logic) return;
    for (const Side side : kSides) {
      if ((support >> static_cast<unsigned>(side)) & 1u) draw_operand(x, y, side);
    }
    draw_node(x, y);
  }

  /// An operand's way from the cell's side to its node, with an arrow head.
  void draw_operand(int x, int y, Side side) {
    const Signal s = cells_.incoming(x, y, side);
    if (s == Signal::kNone) return;
    const Side travel = opposite(side);
    const Point c = centre(x, y), in = at(x, y, side, travel);
    strokes(s).lines.move(in.x, in.y);
    strokes(s).lines.line(c.x, c.y);
  }

  void draw_turn(int x, int y, Side from, Side side) {
    const Signal s = signal(x, y, side);
    if (s == Signal::kNone) return;
    const Point in = at(x, y, from, opposite(from)), out = at(x, y, side, side);
    SvgPath& path = strokes(s).lines;
    path.move(in.x, in.y);
    if (from != side) {
      const bool vertical = from == Side::N || from == Side::S;
      path.curve(vertical ? in.x : out.x, vertical ? out.y : in.y, out.x, out.y);
      return;
    }
    const int depth = pixels_ / 2;  // back to where it came from
    const int bx = in.x - dx(from) * depth, by = in.y - dy(from) * depth;
    path.curve(bx, by, (bx + out.x - dx(from) * depth) / 2, (by + out.y - dy(from) * depth) / 2);
    path.curve(out.x - dx(from) * depth, out.y - dy(from) * depth, out.x, out.y);
  }

  void draw_node(int x, int y) {
    const Point c = centre(x, y);
    const CellRole role = cells_.roles[cells_.index(x, y)];
    SvgPath& dots = role == CellRole::kResident ? resident_ : role == CellRole::kLogic ? logic_ : adders_;
    dots.move(c.x, c.y);
    dots.line(c.x, c.y);
    if (role == CellRole::kAdd || role == CellRole::kSubtract) {
      signs_.move(c.x - 2, c.y);
      signs_.line(c.x + 2, c.y);
    }
    if (role == CellRole::kAdd) {
      signs_.move(c.x, c.y - 2);
      signs_.line(c.x, c.y + 2);
    }
  }

  std::string text() const {
    std::string out = "<g fill=\"none\" stroke-width=\"1.2\" stroke-linejoin=\"round\">\n";
    for (size_t s = 1; s < kSignals; ++s) {
      if (strokes_[s].lines.empty()) continue;
      out += fmt::format("<path stroke=\"{}\" d=\"{}\"/>\n", signal_styles()[s].colour, strokes_[s].lines.d());
    }
    out += "</g>\n";
    for (size_t s = 1; s < kSignals; ++s) {
      if (!strokes_[s].arrows.empty())
        out += fmt::format("<path fill=\"{}\" d=\"{}\"/>\n", signal_styles()[s].colour, strokes_[s].arrows.d());
    }
    const auto dots = [&](const SvgPath& path, const char* id, const char* rim, const char* fill) {
      if (path.empty()) return;
      out += fmt::format(
          "<defs><path id=\"{0}\" d=\"{1}\"/></defs>\n<g fill=\"none\" stroke-linecap=\"round\"><use href=\"#{0}\" stroke=\"{2}\" "
          "stroke-width=\"7.6\"/><use href=\"#{0}\" stroke=\"{3}\" stroke-width=\"5.6\"/></g>\n",
          id, path.d(), rim, fill);
    };
    dots(adders_, "adders", "#333d4b", "#fff");
    dots(logic_, "logic", "#8a5a00", "#f0b440");
    dots(resident_, "resident", "#4b2e91", "#a78be0");
    if (!signs_.empty()) out += fmt::format("<path fill=\"none\" stroke=\"#333d4b\" stroke-width=\"1\" d=\"{}\"/>\n", signs_.d());
    return out;
  }

  const CellRoles& cells_;
  int pixels_, left_, top_;
  std::array<Strokes, kSignals> strokes_;
  SvgPath adders_, logic_, resident_, signs_;
};

}  // namespace

const std::array<SignalStyle, kSignals>& signal_styles() {
  static const std::array<SignalStyle, kSignals> table = {{
      {"none", ""},
      {"#667080", "sums, carries, flags"},
      {"#c98a00", "constant streams"},
      {"#2474c6", "input words"},
      {"#2f8f3a", "results"},
  }};
  return table;
}

Point crossing(int x, int y, Side side, Side travel, int pixels) {
  const int lane = pixels / 4, half = pixels / 2;
  const Side right = right_of(travel);
  return {x * pixels + half + dx(side) * half + dx(right) * lane, y * pixels + half + dy(side) * half + dy(right) * lane};
}

std::string signal_paths(const CellRoles& cells, int pixels, int left, int top) {
  return SignalDrawing(cells, pixels, left, top).draw();
}

}  // namespace bitgrid::report
