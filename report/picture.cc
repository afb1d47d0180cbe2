#include "report/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "report/cell_roles.h"
#include "report/picture_areas.h"
#include "report/picture_ports.h"
#include "report/picture_signals.h"
#include "report/svg.h"

namespace bitgrid::report {
namespace {

constexpr int kDetailPixels = 16;      // of a cell
constexpr int kOverviewPixels = 1300;  // of the longer side
constexpr int kEdge = 20;              // of title and legend from the border of the picture
constexpr int kTitle = 58;
constexpr int kLegendLine = 20;
constexpr size_t kReserve = 20'000;  // bytes of an overview for all but its areas

/// Pixels of a text, roughly.
int text_width(std::string_view text, int font_size) {
  return static_cast<int>(text.size()) * font_size * 11 / 20;
}

/// "1 cell", "1,024 cells".
std::string counted(long long n, std::string_view noun) {
  return fmt::format("{} {}{}", with_commas(n), noun, n == 1 ? "" : "s");
}

std::string subtitle(const MappedKernel& k) {
  std::set<uint32_t> resident;
  for (const ResidentSlot& r : k.residents) resident.insert(r.bit);
  const auto residents = static_cast<long long>(resident.size());
  return fmt::format("{} \u00b7 {} \u00d7 {} = {}, {} used \u00b7 II {} \u00b7 latency {} \u00b7 {}{}, {}", k.strategy, k.grid.width,
                     k.grid.height, counted(int64_t{k.grid.width} * k.grid.height, "cell"),
                     with_commas(static_cast<long long>(cells_used(k.grid))), counted(k.ii, "cycle"), counted(latency_cycles(k), "cycle"),
                     counted(k.input_bits, "input bit"), residents == 0 ? "" : fmt::format(" ({} resident)", with_commas(residents)),
                     counted(k.output_bits, "output bit"));
}

std::string grid_lines(const Frame& f) {
  SvgPath lines;
  for (int x = 1; x < f.cells_wide; ++x) {
    lines.move(f.left + x * f.pixels, f.top);
    lines.line(f.left + x * f.pixels, f.top + f.height());
  }
  for (int y = 1; y < f.cells_high; ++y) {
    lines.move(f.left, f.top + y * f.pixels);
    lines.line(f.left + f.width(), f.top + y * f.pixels);
  }
  return lines.empty() ? "" : fmt::format("<path fill=\"none\" stroke=\"#fff\" stroke-width=\"1\" d=\"{}\"/>\n", lines.d());
}

struct LegendEntry {
  std::string mark;  // 14 x 10 pixels from (0, 0) on
  std::string label;
};

class Picture {
 public:
  explicit Picture(const MappedKernel& kernel) : kernel_(kernel), cells_(cell_roles(kernel)), ports_(ports_of(kernel)) {}

  std::string detail() {
    place({cells_.width, cells_.height, 1, kDetailPixels, 0, 0}, 24 + label_room(ports_));
    const PaintGrid areas = coarsen(cells_, cell_paints(cells_, false), 1);
    return page(area_paths(areas, frame_.pixels, frame_.left, frame_.top) + grid_lines(frame_) +
                    signal_paths(cells_, frame_.pixels, frame_.left, frame_.top) + detailed_ports(ports_, frame_),
                detail_legend());
  }

  /// The finest blocks that keep the areas within `max_bytes`.
  std::string overview(size_t max_bytes) {
    const auto paint = cell_paints(cells_, true);
    const int longer = std::max(cells_.width, cells_.height);
    for (int block = (longer + kOverviewPixels - 1) / kOverviewPixels;; ++block) {
      const PaintGrid areas = coarsen(cells_, paint, block);
      const int pixels = std::clamp(kOverviewPixels / std::max(areas.width, areas.height), 1, kDetailPixels);
      place({cells_.width, cells_.height, block, pixels, 0, 0}, 36);
      const std::string paths = area_paths(areas, pixels, frame_.left, frame_.top);
      if (paths.size() <= max_bytes || areas.paint.size() == 1) return page(paths + overview_ports(ports_, frame_), overview_legend());
    }
  }

 private:
  void place(const Frame& frame, int margin) {
    frame_ = frame;
    margin_ = margin;
    width_ = std::max(
        {620, frame_.width() + 2 * margin, text_width(subtitle(kernel_), 12) + 2 * kEdge, text_width(kernel_.name, 18) + 2 * kEdge});
    frame_.left = (width_ - frame_.width()) / 2;
    frame_.top = kTitle + margin;
  }

  std::string page(const std::string& drawing, const std::vector<LegendEntry>& entries) const {
    int height = 0;
    const std::string key = legend(entries, frame_.top + frame_.height() + margin_, height);
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif\">\n<title>{2}</title>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        "<text x=\"{3}\" y=\"28\" font-size=\"18\" font-weight=\"600\" fill=\"#1c232e\">{2}</text>\n"
        "<text x=\"{3}\" y=\"48\" font-size=\"12\" fill=\"#4a5462\">{4}</text>\n"
        "<rect x=\"{5}\" y=\"{6}\" width=\"{7}\" height=\"{8}\" fill=\"{9}\"/>\n{10}"
        "<rect x=\"{5}\" y=\"{6}\" width=\"{7}\" height=\"{8}\" fill=\"none\" stroke=\"#333d4b\"/>\n{11}</svg>\n",
        width_, height, escape_markup(kernel_.name), kEdge, escape_markup(subtitle(kernel_)), frame_.left, frame_.top, frame_.width(),
        frame_.height(), paints()[0].colour, drawing, key);
  }

  std::vector<LegendEntry> paint_legend(bool wire_signals) const {
    std::vector<LegendEntry> entries;
    std::vector<long long> count(paints().size());
    for (const uint8_t p : cell_paints(cells_, wire_signals)) ++count[p];
    for (size_t p = 0; p < count.size(); ++p) {
      if (count[p] == 0) continue;
      entries.push_back(
          {fmt::format("<rect width=\"14\" height=\"10\" fill=\"{}\" stroke=\"#b4bcc8\" stroke-width=\".5\"/>", paints()[p].colour),
           fmt::format("{} {}", paints()[p].label, with_commas(count[p]))});
    }
    return entries;
  }

  void add_port_legend(std::vector<LegendEntry>& entries, const char* mark, const char* bits) const {
    for (const auto& [signal, name] :
         {std::pair{Signal::kInput, "inputs"}, {Signal::kConstant, "constants"}, {Signal::kOutput, "outputs"}}) {
      if (!any_port(ports_, signal)) continue;
      entries.push_back({fmt::format("<path fill=\"{}\" d=\"{}\"/>", signal_styles()[static_cast<size_t>(signal)].colour, mark),
                         fmt::format("{}{}", name, signal == Signal::kConstant ? "" : bits)});
    }
  }

  std::vector<LegendEntry> detail_legend() const {
    auto entries = paint_legend(false);
    for (size_t s = 1; s < kSignals; ++s) {
      const bool occurs = std::any_of(cells_.signals.begin(), cells_.signals.end(), [&](const std::array<Signal, 4>& edges) {
        return std::find(edges.begin(), edges.end(), static_cast<Signal>(s)) != edges.end();
      });
      if (!occurs) continue;
      entries.push_back({fmt::format("<path fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\" d=\"M0 5h14\"/>", signal_styles()[s].colour),
                         signal_styles()[s].label});
    }
    add_port_legend(entries, "M3 1v8l8-4z", " (bits)");
    return entries;
  }

  std::vector<LegendEntry> overview_legend() const {
    auto entries = paint_legend(true);
    add_port_legend(entries, "M0 2h14v6h-14z", "");
    return entries;
  }

  /// Lines of entries from `top` on; `height` becomes that of the picture.
  std::string legend(const std::vector<LegendEntry>& entries, int top, int& height) const {
    constexpr int kFont = 11, kMark = 20, kGap = 18;
    std::string out = fmt::format("<g font-size=\"{}\" fill=\"#333d4b\">\n", kFont);
    int x = kEdge, y = top;
    for (const LegendEntry& e : entries) {
      const int length = kMark + text_width(e.label, kFont);
      if (x > kEdge && x + length > width_ - kEdge) x = kEdge, y += kLegendLine;
      out += fmt::format("<g transform=\"translate({} {})\">{}<text x=\"{}\" y=\"9\">{}</text></g>\n", x, y, e.mark, kMark,
                         escape_markup(e.label));
      x += length + kGap;
    }
    height = y + kLegendLine + 8;
    return out + "</g>\n";
  }

  const MappedKernel& kernel_;
  CellRoles cells_;
  Ports ports_;
  Frame frame_;
  int margin_ = 0;
  int width_ = 0;
};

}  // namespace

std::string kernel_svg(const MappedKernel& kernel, const PictureParams& params) {
  Picture picture(kernel);
  if (int64_t{kernel.grid.width} * kernel.grid.height <= params.detail_cells) {
    std::string detail = picture.detail();
    if (detail.size() <= params.max_bytes) return detail;
  }
  return picture.overview(params.max_bytes > kReserve ? params.max_bytes - kReserve : 0);
}

}  // namespace bitgrid::report
