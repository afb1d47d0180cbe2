#include "check/array_mistakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "ir/index.h"

namespace bitgrid::check {
namespace {

using Got = std::vector<double>;

/// Two arrays side by side, as explanations look at them.
struct Sides {
  const ExactArray& exact;
  size_t rows;
  const Got& got;
  size_t first;

  size_t width() const { return exact.map.size(); }
  size_t places() const { return index_of(exact.map.height) * index_of(exact.map.width); }
  size_t channels() const { return index_of(exact.map.channels); }
  size_t channel_of(size_t at) const { return at % width() / places(); }
  int64_t expected(size_t at) const { return exact.values[at]; }

  /// Whether f(at) is what the array holds, at every element.
  template <typename F>
  bool everywhere(F f) const {
    for (size_t at = 0; at < got.size(); ++at)
      if (got[at] != static_cast<double>(f(at))) return false;
    return true;
  }
  /// The same at every element of a channel.
  template <typename F>
  bool in_channel(size_t channel, F f) const {
    for (size_t row = 0; row < rows; ++row)
      for (size_t place = 0; place < places(); ++place) {
        const size_t at = row * width() + channel * places() + place;
        if (got[at] != static_cast<double>(f(at))) return false;
      }
    return true;
  }
};

/// Of few bits, one after another.
std::string of_width(const Sides& s) {
  const auto [lo, hi] = std::minmax_element(s.exact.values.begin(), s.exact.values.end());
  for (const int bits : {8, 16, 32}) {
    if (s.everywhere([&](size_t at) { return wrapped(s.expected(at), bits); }))
      return fmt::format("it wraps at int{}: the exact values reach {} .. {}", bits, *lo, *hi);
    if (s.everywhere([&](size_t at) { return saturated(s.expected(at), bits); }))
      return fmt::format("it stops at the ends of int{}: the exact values reach {} .. {}", bits, *lo, *hi);
    if (s.everywhere([&](size_t at) { return s.expected(at) & ((int64_t{1} << bits) - 1); }))
      return fmt::format("its negative numbers were read as uint{}", bits);
  }
  return "";
}

/// The element that holds (channel, y, x) where the map is ordered otherwise.
std::string of_order(const Sides& s) {
  const FeatureMap& m = s.exact.map;
  const auto in_order = [&](auto place_of) {
    return s.everywhere([&](size_t at) {
      const size_t row = at / s.width();
      return s.expected(row * s.width() + place_of(at % s.width()));
    });
  };
  const auto height = index_of(m.height), width = index_of(m.width), channels = index_of(m.channels);
  if (s.places() > 1) {
    if (in_order([&](size_t i) { return i % channels * s.places() + i / channels; }))
      return "its values are in the order row, column, channel; expected channel, row, column";
    if (in_order([&](size_t i) { return i / s.places() * s.places() + i % height * width + i % s.places() / height; }))
      return "its rows and columns are exchanged: the maps are transposed";
  }
  if (in_order([&](size_t i) { return s.width() - 1 - i; })) return "its values are in reverse order";
  return "";
}

std::string of_rows(const Sides& s) {
  const size_t row = s.first / s.width();
  for (size_t other = 0; other < s.rows; ++other) {
    if (other == row) continue;
    bool same = true;
    for (size_t i = 0; same && i < s.width(); ++i)
      same = s.got[row * s.width() + i] == static_cast<double>(s.expected(other * s.width() + i));
    if (same) return fmt::format("row {} holds what row {} should: rows are in another order", row, other);
  }
  return "";
}

/// A channel whose values are those of another, or were made with its constants.
std::string of_channels(const Sides& s) {
  const size_t channel = s.channel_of(s.first);
  const auto of_other = [&](size_t from, size_t to) {
    return s.in_channel(to, [&](size_t at) { return s.expected(at + from * s.places() - to * s.places()); });
  };
  const auto by_other = [&](size_t from, size_t to) { return s.in_channel(to, [&](size_t at) { return s.exact.with_channel(at, from); }); };
  for (size_t other = 0; other < s.channels(); ++other) {
    if (other == channel || !of_other(other, channel)) continue;
    return of_other(channel, other) ? fmt::format("channels {} and {} are exchanged", channel, other)
                                    : fmt::format("channel {} has the values of channel {}", channel, other);
  }
  for (size_t other = 0; s.exact.with_channel && other < s.channels(); ++other) {
    if (other == channel || !by_other(other, channel)) continue;
    const std::string swapped = by_other(channel, other) && !s.in_channel(other, [&](size_t at) { return s.expected(at); })
                                    ? fmt::format("channels {} and {} have each other's {}", channel, other, s.exact.constants)
                                    : fmt::format("channel {} was computed with the {} of channel {}", channel, s.exact.constants, other);
    return swapped + ": a swapped scale or bias";
  }
  return "";
}

/// One factor for all of a set of values: nullopt if there is none, or nothing to see.
template <typename Holds>
std::optional<double> factor(const Sides& s, Holds holds) {
  std::optional<double> k;
  std::set<int64_t> seen;
  for (size_t at = 0; at < s.got.size(); ++at) {
    if (!holds(at)) continue;
    const auto e = static_cast<double>(s.expected(at));
    if (e == 0.0 && s.got[at] != 0.0) return std::nullopt;
    if (e == 0.0) continue;
    seen.insert(s.expected(at));
    if (!k) k = s.got[at] / e;
    if (std::abs(s.got[at] - *k * e) > 1e-6 * std::abs(s.got[at])) return std::nullopt;
  }
  return seen.size() > 1 ? k : std::nullopt;
}
template <typename Holds>
std::optional<double> shift(const Sides& s, Holds holds) {
  std::optional<double> k;
  std::set<int64_t> seen;
  for (size_t at = 0; at < s.got.size(); ++at) {
    if (!holds(at)) continue;
    seen.insert(s.expected(at));
    const double d = s.got[at] - static_cast<double>(s.expected(at));
    if (!k) k = d;
    if (d != *k) return std::nullopt;
  }
  return seen.size() > 1 ? k : std::nullopt;
}

/// All values a factor or a distance away, or those of the channel.
std::string of_lines(const Sides& s) {
  const size_t channel = s.channel_of(s.first);
  const auto all = [](size_t) { return true; };
  const auto own = [&](size_t at) { return s.channel_of(at) == channel; };
  const std::string in_channel = fmt::format("channel {} is ", channel);
  if (const auto k = factor(s, all))
    return *k == -1.0 ? "its signs are wrong: every value is negated"
                      : fmt::format("every value is {} times the exact one: a scale is applied, or left out", *k);
  if (const auto k = shift(s, all))
    return fmt::format("every value is {} too {}: an offset or zero point", std::abs(*k), *k > 0 ? "large" : "small");
  if (const auto k = factor(s, own))
    return *k == -1.0 ? in_channel + "negated in every row"
                      : in_channel + fmt::format("{} times the exact one in every row: a scale of its own is wrong", *k);
  if (const auto k = shift(s, own))
    return in_channel + fmt::format("{} too {} in every row: a bias or zero point of its own", std::abs(*k), *k > 0 ? "large" : "small");
  return "";
}

std::string of_mistakes(const Sides& s) {
  if (!s.exact.mistakes) return "";
  for (const Mistake& m : s.exact.mistakes())
    if (s.everywhere([&](size_t at) { return m.values[at]; })) return m.text;
  return "";
}

}  // namespace

int64_t wrapped(int64_t value, int bits) {
  const uint64_t low = static_cast<uint64_t>(value) << (64 - bits);
  return static_cast<int64_t>(low) >> (64 - bits);
}

int64_t saturated(int64_t value, int bits) {
  const int64_t most = (int64_t{1} << (bits - 1)) - 1;
  return std::clamp(value, -most - 1, most);
}

std::string explain(const ExactArray& exact, size_t rows, const std::vector<double>& got, size_t first) {
  const Sides sides{exact, rows, got, first};
  for (const auto explanation : {of_width, of_mistakes, of_order, of_rows, of_channels, of_lines})
    if (std::string text = explanation(sides); !text.empty()) return text;
  return "";
}

}  // namespace bitgrid::check
