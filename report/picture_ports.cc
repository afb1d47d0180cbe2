#include "report/picture_ports.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/svg.h"

namespace bitgrid::report {
namespace {

constexpr std::array<Signal, 3> kPortSignals = {Signal::kConstant, Signal::kInput, Signal::kOutput};

bool is_horizontal(Side s) {
  return s == Side::N || s == Side::S;
}

const char* colour_of(Signal s) {
  return signal_styles()[static_cast<size_t>(s)].colour;
}

std::string label_of(const Port& port, Signal signal) {
  return signal == Signal::kConstant ? "" : bits_label(signal == Signal::kInput ? port.inputs : port.outputs);
}

Point border_point(const Frame& f, Side side, int position, Side travel) {
  const int x = side == Side::E ? f.cells_wide - 1 : side == Side::W ? 0 : position;
  const int y = side == Side::S ? f.cells_high - 1 : side == Side::N ? 0 : position;
  const Point p = crossing(x, y, side, travel, f.pixels);
  return {p.x + f.left, p.y + f.top};
}

/// A triangle whose base stands at p and points along `travel`.
std::string triangle(Point p, Side travel) {
  const int ax = dx(travel), ay = dy(travel);
  return fmt::format("M{} {}L{} {}L{} {}z", p.x + 7 * ax, p.y + 7 * ay, p.x - 4 * ay, p.y + 4 * ax, p.x + 4 * ay, p.y - 4 * ax);
}

std::string label_text(Point border, Side side, const std::string& text, const char* colour) {
  const int x = border.x + dx(side) * 11, y = border.y + dy(side) * 11;
  if (!is_horizontal(side)) {
    return fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\" text-anchor=\"{}\">{}</text>\n", x, y + 3, colour,
                       side == Side::W ? "end" : "start", text);
  }
  return fmt::format("<text transform=\"translate({} {})rotate(-90)\" fill=\"{}\" text-anchor=\"{}\">{}</text>\n", x + 3, y, colour,
                     side == Side::N ? "start" : "end", text);
}

std::string tooltip(const Port& port, Signal signal, Side side, size_t position) {
  const std::string where = fmt::format("{} {}: ", letter(side), position);
  if (signal == Signal::kConstant) return where + "constant stream";
  if (signal == Signal::kInput) return fmt::format("{}input bits {}, from phase {} on", where, bits_label(port.inputs), port.input_phase);
  return fmt::format("{}output bits {}, from phase {} on", where, bits_label(port.outputs), port.output_phase);
}

void add_bar(SvgPath& path, const Frame& f, Side side, size_t first, size_t last, int distance) {
  constexpr int kThick = 6;
  const int from = static_cast<int>(first) * f.pixels / f.block;
  const int length = std::max(1, (static_cast<int>(last) + 1) * f.pixels / f.block - from);
  switch (side) {
    case Side::N:
      path.rectangle(f.left + from, f.top - distance - kThick, length, kThick);
      break;
    case Side::S:
      path.rectangle(f.left + from, f.top + f.height() + distance, length, kThick);
      break;
    case Side::W:
      path.rectangle(f.left - distance - kThick, f.top + from, kThick, length);
      break;
    case Side::E:
      path.rectangle(f.left + f.width() + distance, f.top + from, kThick, length);
      break;
  }
}

}  // namespace

Ports ports_of(const MappedKernel& k) {
  Ports ports;
  for (const Side s : kSides) ports[static_cast<size_t>(s)].resize(static_cast<size_t>(is_horizontal(s) ? k.grid.width : k.grid.height));
  const auto at = [&](const BitSlot& slot) -> Port& { return ports[static_cast<size_t>(slot.side)][static_cast<size_t>(slot.position)]; };
  for (const InputSlot& in : k.inputs) {
    at(in.slot).inputs.insert(in.bit);
    at(in.slot).input_phase = std::min(at(in.slot).input_phase, in.slot.phase);
  }
  for (size_t bit = 0; bit < k.outputs.size(); ++bit) {
    at(k.outputs[bit]).outputs.insert(static_cast<uint32_t>(bit));
    at(k.outputs[bit]).output_phase = std::min(at(k.outputs[bit]).output_phase, k.outputs[bit].phase);
  }
  for (const ConstantStream& c : k.constants) at(c.slot).constant = true;
  return ports;
}

bool any_port(const Ports& ports, Signal signal) {
  return std::any_of(ports.begin(), ports.end(), [&](const std::vector<Port>& side) {
    return std::any_of(side.begin(), side.end(), [&](const Port& p) { return p.has(signal); });
  });
}

std::string bits_label(const std::set<uint32_t>& bits) {
  if (bits.size() == 1) return std::to_string(*bits.begin());
  if (*bits.rbegin() - *bits.begin() + 1 == bits.size()) return fmt::format("{}:{}", *bits.rbegin(), *bits.begin());
  return fmt::format("{} bits", bits.size());
}

int label_room(const Ports& ports) {
  constexpr int kLetter = 5;
  size_t longest = 0;
  for (const auto& side : ports) {
    for (const Port& p : side) {
      for (const Signal s : {Signal::kInput, Signal::kOutput}) {
        if (p.has(s)) longest = std::max(longest, label_of(p, s).size());
      }
    }
  }
  return static_cast<int>(longest) * kLetter;
}

std::string detailed_ports(const Ports& ports, const Frame& frame) {
  std::string marks, labels;
  for (const Side side : kSides) {
    for (size_t i = 0; i < ports[static_cast<size_t>(side)].size(); ++i) {
      const Port& port = ports[static_cast<size_t>(side)][i];
      for (const Signal signal : kPortSignals) {
        if (!port.has(signal)) continue;
        const Side travel = signal == Signal::kOutput ? side : opposite(side);
        const Point border = border_point(frame, side, static_cast<int>(i), travel);
        const int out = travel == side ? 1 : 8;  // the base of an inward triangle is its outer end
        marks += fmt::format("<path fill=\"{}\" d=\"{}\"><title>{}</title></path>\n", colour_of(signal),
                             triangle({border.x + out * dx(side), border.y + out * dy(side)}, travel), tooltip(port, signal, side, i));
        const std::string label = label_of(port, signal);
        if (!label.empty()) labels += label_text(border, side, label, colour_of(signal));
      }
    }
  }
  return "<g>\n" + marks + "</g>\n<g font-size=\"8\">\n" + labels + "</g>\n";
}

std::string overview_ports(const Ports& ports, const Frame& frame) {
  std::string out;
  for (const Signal signal : kPortSignals) {
    SvgPath bars;
    for (const Side side : kSides) {
      const auto& row = ports[static_cast<size_t>(side)];
      for (size_t i = 0; i < row.size(); ++i) {
        if (!row[i].has(signal)) continue;
        size_t end = i;
        while (end + 1 < row.size() && row[end + 1].has(signal)) ++end;
        add_bar(bars, frame, side, i, end, signal == Signal::kOutput ? 12 : 4);
        i = end;
      }
    }
    if (!bars.empty()) out += fmt::format("<path fill=\"{}\" d=\"{}\"/>\n", colour_of(signal), bars.d());
  }
  return out;
}

}  // namespace bitgrid::report
