// Small helpers to write SVG text.
#pragma once

#include <string>
#include <string_view>

namespace bitgrid::report {

/// The `d` attribute of a path, in whole pixels and relative commands, which keeps files small.
class SvgPath {
 public:
  void move(int x, int y);
  void line(int x, int y);
  void curve(int control_x, int control_y, int x, int y);  // quadratic
  void rectangle(int x, int y, int width, int height);
  /// Adds a shape that ends where it began (relative to the last move).
  void shape(std::string_view relative_commands) { d_ += relative_commands; }

  bool empty() const { return d_.empty(); }
  size_t size() const { return d_.size(); }
  const std::string& d() const { return d_; }

 private:
  std::string d_;
  int x_ = 0, y_ = 0;
};

/// Returns text with &, <, > and quotes replaced.
std::string escape_markup(std::string_view text);

/// 1234567 -> "1,234,567".
std::string with_commas(long long value);

}  // namespace bitgrid::report
