#include "ir/integer_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ir/error.h"
#include "ir/index.h"

namespace bitgrid {
namespace {

constexpr int64_t kMostSum = (int64_t{1} << 30) - 1;

void require(bool ok, const std::string& where, const std::string& problem) {
  if (!ok) throw Error(where, problem, "export the graph with shapes that fit together");
}

int positions(int size, int window, int stride, int before, int after) {
  return (size + before + after - window) / stride + 1;
}

/// Padding behind the map may be anything that the last window needs.
bool window_fits(const FeatureMap& in, const FeatureMap& out, const Window& w) {
  if (w.height < 1 || w.width < 1 || w.stride_y < 1 || w.stride_x < 1 || w.top < 0 || w.left < 0) return false;
  if (w.top >= w.height || w.left >= w.width) return false;
  const auto fits = [](int size, int positions, int window, int stride, int before) {
    return positions >= 1 && (positions - 1) * stride - before < size && window - before >= 1;
  };
  return fits(in.height, out.height, w.height, w.stride_y, w.top) && fits(in.width, out.width, w.width, w.stride_x, w.left);
}

void verify_thresholds(const NetworkMatrix& m, const std::string& where) {
  const Thresholds& t = *m.thresholds;
  const auto levels = t.range.levels();
  require(t.range.step >= 1 && levels >= 1 && (t.range.hi - t.range.lo) % t.range.step == 0, where, "its codes are no range");
  require(t.at.size() == index_of(m.out.channels) * index_of(levels) && t.direction.size() == index_of(m.out.channels), where,
          "it has not one row of thresholds for each channel");
  for (size_t c = 0; c < t.direction.size(); ++c) {
    for (size_t j = 1; j < index_of(levels); ++j) {
      const int64_t before = t.at[c * index_of(levels) + j - 1], here = t.at[c * index_of(levels) + j];
      require(t.direction[c] > 0 ? before <= here : before >= here, where, fmt::format("the thresholds of channel {} are not in order", c));
    }
  }
}

void verify_matrix(const IntegerNetwork& network, size_t layer, const NetworkMatrix& m, const std::string& where) {
  require(m.groups >= 1 && m.in.channels % m.groups == 0 && m.out.channels % m.groups == 0, where, "its groups do not divide its channels");
  require(m.weights.size() == index_of(m.out.channels) * m.row_size(), where, "it has not one row of weights for each channel");
  require(window_fits(m.in, m.out, m.window), where, "its window does not fit");
  for (const SumRange& r : sum_ranges(m, operand_range(network, layer)))
    if (r.lo < -kMostSum || r.hi > kMostSum)
      throw Error(where, fmt::format("sums reach {} .. {}, beyond {}", r.lo, r.hi, kMostSum), "use fewer bits of weights or activations");
  if (m.thresholds) verify_thresholds(m, where);
}

}  // namespace

CodeRange operand_range(const IntegerNetwork& network, size_t layer) {
  while (layer > 0) {
    if (const auto* m = std::get_if<NetworkMatrix>(&network.layers[layer - 1])) return m->thresholds ? m->thresholds->range : CodeRange{};
    --layer;
  }
  return network.input.range;
}

bool has_padding(const NetworkMatrix& m) {
  const Window& w = m.window;
  return w.top > 0 || w.left > 0 || positions(m.in.height, w.height, w.stride_y, w.top, 0) < m.out.height ||
         positions(m.in.width, w.width, w.stride_x, w.left, 0) < m.out.width;
}

std::string layer_name(size_t layer) {
  return fmt::format("layers.{}", layer);
}

std::vector<SumRange> sum_ranges(const NetworkMatrix& m, const CodeRange& operand) {
  std::vector<SumRange> ranges;
  const int64_t lo = has_padding(m) ? std::min(operand.lo, 0) : operand.lo, hi = has_padding(m) ? std::max(operand.hi, 0) : operand.hi;
  for (int c = 0; c < m.out.channels; ++c) {
    SumRange r;
    for (size_t i = 0; i < m.row_size(); ++i) {
      const int64_t w = m.row(c)[i];
      r.lo += std::min(w * lo, w * hi);
      r.hi += std::max(w * lo, w * hi);
    }
    ranges.push_back(r);
  }
  return ranges;
}

std::vector<int64_t> input_codes(const NetworkInput& input, std::span<const double> sample, const std::string& place) {
  std::vector<int64_t> codes;
  codes.reserve(sample.size());
  const size_t per_channel = input.shape.size() / index_of(input.shape.channels);
  const auto levels = index_of(input.range.levels());
  for (size_t i = 0; i < sample.size(); ++i) {
    const double x = sample[i];
    if (!std::isfinite(x))
      throw Error(fmt::format("{}, element {}", place, i), "the value is not a finite number",
                  "give numbers that the network was trained on");
    int64_t reached = 0;
    if (const auto* t = std::get_if<RealThresholds>(&input.codes)) {
      const size_t row = t->direction.size() == 1 ? 0 : i / per_channel;
      const auto first = t->at.begin() + static_cast<std::ptrdiff_t>(row * levels), last = first + static_cast<std::ptrdiff_t>(levels);
      reached = t->direction[row] > 0 ? std::upper_bound(first, last, x) - first
                                      : std::upper_bound(first, last, x, [](double a, double b) { return a > b; }) - first;
    } else {
      const auto& grid = std::get<RealGrid>(input.codes);
      const double n = (x - grid.first) / grid.step;
      if (n != std::floor(n) || n < 0 || n > static_cast<double>(levels))
        throw Error(fmt::format("{}, element {}", place, i),
                    fmt::format("{} is none of {}, {}, .. {}, the values that the network is made for", x, grid.first,
                                grid.first + grid.step, grid.first + grid.step * static_cast<double>(levels)),
                    "give such values, or state others by --input-grid");
      reached = static_cast<int64_t>(n);
    }
    codes.push_back(input.range.lo + input.range.step * reached);
  }
  return codes;
}

int64_t code_of(const Thresholds& t, size_t channel, int64_t sum) {
  const auto levels = index_of(t.range.levels());
  const auto first = t.at.begin() + static_cast<std::ptrdiff_t>(channel * levels), last = first + static_cast<std::ptrdiff_t>(levels);
  const auto reached = t.direction[channel] > 0 ? std::upper_bound(first, last, sum) - first
                                                : std::upper_bound(first, last, sum, [](int64_t a, int64_t b) { return a > b; }) - first;
  return t.range.lo + t.range.step * static_cast<int64_t>(reached);
}

std::vector<int64_t> answer(const IntegerNetwork& network, std::span<const int64_t> scores) {
  if (network.decision == Decision::kCodes) {
    std::vector<int64_t> codes;
    const size_t per_channel = scores.size() / index_of(network.last().out.channels);
    for (size_t i = 0; i < scores.size(); ++i)
      codes.push_back(code_of(*network.last().thresholds, i / per_channel, scores[i] - network.shift[i]));
    return codes;
  }
  size_t best = 0;
  const auto real = [&](size_t c) { return static_cast<double>(scores[c]) * network.gain[c] + network.offset[c]; };
  for (size_t c = 1; c < scores.size(); ++c)
    if (network.comparable ? scores[c] > scores[best] : real(c) > real(best)) best = c;
  return {static_cast<int64_t>(best)};
}

void verify(const IntegerNetwork& network) {
  require(!network.layers.empty() && std::holds_alternative<NetworkMatrix>(network.layers.back()), network.name,
          "its last layer is no matrix");
  FeatureMap map = network.input.shape;
  for (size_t l = 0; l < network.layers.size(); ++l) {
    const bool last = l + 1 == network.layers.size();
    if (const auto* m = std::get_if<NetworkMatrix>(&network.layers[l])) {
      require(m->in.size() == map.size(), m->name, "it reads another number of values than the layer before it gives");
      require(last || m->thresholds, m->name, "no quantiser follows it");
      verify_matrix(network, l, *m, m->name);
      map = m->out;
    } else {
      const auto& p = std::get<NetworkPool>(network.layers[l]);
      require(p.in == map && p.out.channels == p.in.channels && p.least.size() == index_of(p.in.channels), p.name,
              "its shape is not that of the layer before it");
      require(window_fits(p.in, p.out, p.window), p.name, "its window does not fit");
      map = p.out;
    }
  }
  const size_t outputs = map.size();
  require(network.shift.size() == outputs && network.gain.size() == outputs && network.offset.size() == outputs, network.name,
          "it has not one score for each output");
  require(network.decision == Decision::kLargest || network.last().thresholds, network.name, "it has no thresholds to answer by");
}

}  // namespace bitgrid
