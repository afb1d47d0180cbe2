#include "report/svg.h"

#include <fmt/format.h>

#include <iterator>

namespace bitgrid::report {
namespace {

/// Two numbers with the separator that they need: "3-4", "3 4".
std::string pair(int a, int b) {
  return b < 0 ? fmt::format("{}{}", a, b) : fmt::format("{} {}", a, b);
}

}  // namespace

void SvgPath::move(int x, int y) {
  if (d_.empty()) {
    d_ = "M" + pair(x, y);
  } else if (x != x_ || y != y_) {
    d_ += "m" + pair(x - x_, y - y_);
  }
  x_ = x;
  y_ = y;
}

void SvgPath::line(int x, int y) {
  if (y == y_) {
    d_ += fmt::format("h{}", x - x_);
  } else if (x == x_) {
    d_ += fmt::format("v{}", y - y_);
  } else {
    d_ += "l" + pair(x - x_, y - y_);
  }
  x_ = x;
  y_ = y;
}

void SvgPath::curve(int control_x, int control_y, int x, int y) {
  const std::string end = pair(x - x_, y - y_);
  d_ += "q" + pair(control_x - x_, control_y - y_) + (end[0] == '-' ? "" : " ") + end;
  x_ = x;
  y_ = y;
}

void SvgPath::rectangle(int x, int y, int width, int height) {
  move(x, y);
  fmt::format_to(std::back_inserter(d_), "h{}v{}h{}z", width, height, -width);
}

std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string with_commas(long long value) {
  std::string digits = std::to_string(value);
  for (auto at = static_cast<int>(digits.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3) digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

}  // namespace bitgrid::report
