#include "reference_cpu/network_engine.h"

#include <algorithm>

#include "ir/index.h"

namespace bitgrid::cpu {
namespace {

/// Rows and columns of the map that a window at (y, x) of the output covers.
struct Cover {
  int top, bottom, left, right;  // of the map, the last ones excluded
  int skipped_y, skipped_x;      // of the window
};

Cover cover(const FeatureMap& in, const Window& w, int y, int x) {
  const int top = y * w.stride_y - w.top, left = x * w.stride_x - w.left;
  Cover c{};
  c.top = std::max(top, 0);
  c.left = std::max(left, 0);
  c.bottom = std::min(top + w.height, in.height);
  c.right = std::min(left + w.width, in.width);
  c.skipped_y = c.top - top;
  c.skipped_x = c.left - left;
  return c;
}

int64_t window_sum(const NetworkMatrix& m, std::span<const int64_t> in, int channel, int y, int x) {
  const Cover c = cover(m.in, m.window, y, x);
  const int depth = m.in.channels / m.groups, first = channel / (m.out.channels / m.groups) * depth;
  const int32_t* row = m.row(channel);
  int64_t sum = 0;
  for (int d = 0; d < depth; ++d) {
    for (int i = c.top; i < c.bottom; ++i) {
      const int32_t* w = row + index_of((d * m.window.height + i - c.top + c.skipped_y) * m.window.width + c.skipped_x);
      const int64_t* a = in.data() + m.in.at(first + d, i, c.left);
      for (int j = 0; j < c.right - c.left; ++j) sum += w[j] * a[j];
    }
  }
  return sum;
}

std::vector<int64_t> sums_of(const NetworkMatrix& m, std::span<const int64_t> in) {
  std::vector<int64_t> sums;
  sums.reserve(m.out.size());
  for (int c = 0; c < m.out.channels; ++c)
    for (int y = 0; y < m.out.height; ++y)
      for (int x = 0; x < m.out.width; ++x) sums.push_back(window_sum(m, in, c, y, x));
  return sums;
}

std::vector<int64_t> codes_of(const NetworkMatrix& m, std::span<const int64_t> sums) {
  const size_t each = m.out.size() / index_of(m.out.channels);
  std::vector<int64_t> codes;
  codes.reserve(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) codes.push_back(code_of(*m.thresholds, i / each, sums[i]));
  return codes;
}

std::vector<int64_t> pooled(const NetworkPool& p, std::span<const int64_t> in) {
  std::vector<int64_t> out;
  out.reserve(p.out.size());
  for (int channel = 0; channel < p.out.channels; ++channel) {
    for (int y = 0; y < p.out.height; ++y) {
      for (int x = 0; x < p.out.width; ++x) {
        const Cover c = cover(p.in, p.window, y, x);
        int64_t best = in[p.in.at(channel, c.top, c.left)];
        for (int i = c.top; i < c.bottom; ++i)
          for (int j = c.left; j < c.right; ++j) {
            const int64_t v = in[p.in.at(channel, i, j)];
            best = p.least[index_of(channel)] ? std::min(best, v) : std::max(best, v);
          }
        out.push_back(best);
      }
    }
  }
  return out;
}

}  // namespace

std::vector<int64_t> run_network(const IntegerNetwork& network, std::span<const int64_t> codes, const NetworkTrace& trace) {
  const auto tell = [&](const std::string& name, std::span<const int64_t> values) {
    if (trace) trace(name, values);
  };
  tell("input", codes);
  std::vector<int64_t> values(codes.begin(), codes.end());
  for (size_t l = 0; l < network.layers.size(); ++l) {
    if (const auto* pool = std::get_if<NetworkPool>(&network.layers[l])) {
      values = pooled(*pool, values);
    } else {
      const auto& matrix = std::get<NetworkMatrix>(network.layers[l]);
      values = sums_of(matrix, values);
      if (l + 1 == network.layers.size()) break;
      tell(layer_name(l) + ".sums", values);
      values = codes_of(matrix, values);
    }
    tell(layer_name(l), values);
  }
  for (size_t i = 0; i < values.size(); ++i) values[i] += network.shift[i];
  tell("scores", values);
  if (trace && network.decision == Decision::kCodes) tell("answer", answer(network, values));
  return values;
}

}  // namespace bitgrid::cpu
