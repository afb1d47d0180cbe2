#include "frontend/onnx/thresholds.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "ir/parallel.h"

namespace bitgrid::frontend::onnx {
namespace {

constexpr double kMostCode = 65536.0, kGridSlack = 1e-6;

/// The values as multiples of a unit; nullopt if one is not.
std::optional<std::vector<int64_t>> multiples(const std::vector<double>& values, double unit, double offset) {
  std::vector<int64_t> codes;
  for (const double v : values) {
    const double n = (v - offset) / unit;
    if (!(std::abs(n) <= kMostCode) || std::abs(n - std::nearbyint(n)) > kGridSlack) return std::nullopt;
    codes.push_back(std::llround(n));
  }
  return codes;
}

CodeGrid grid_from(double unit, double offset, const std::vector<int64_t>& codes) {
  int64_t step = 0;
  for (size_t i = 1; i < codes.size(); ++i) step = std::gcd(step, codes[i] - codes[i - 1]);
  return {unit, offset, {static_cast<int>(codes.front()), static_cast<int>(codes.back()), static_cast<int>(std::max<int64_t>(1, step))}};
}

/// Doubles in their order as whole numbers.
int64_t ordered(double x) {
  const auto bits = std::bit_cast<int64_t>(x);
  return bits < 0 ? std::numeric_limits<int64_t>::min() - bits : bits;
}
double from_ordered(int64_t n) {
  return std::bit_cast<double>(n < 0 ? std::numeric_limits<int64_t>::min() - n : n);
}

struct Channel {
  std::vector<int64_t> at;
  int8_t direction = 1;
  size_t close = 0;
  std::optional<std::string> problem;
};

Channel derive_channel(const std::vector<Elementwise>& chain, const CodeGrid& grid, size_t c, const SumRange& range, double error) {
  Channel out;
  constexpr int64_t kChunk = 4096;
  const CodeRange& codes = grid.range;
  std::vector<double> values;
  std::optional<int64_t> first, before;
  bool falls = false, rises = false;
  const auto levels = static_cast<int64_t>(codes.levels());
  std::vector<std::pair<int64_t, int64_t>> steps;  // (sum, level from there on)
  for (int64_t from = range.lo; from <= range.hi; from += kChunk) {
    values.clear();
    for (int64_t s = from; s <= std::min(range.hi, from + kChunk - 1); ++s) values.push_back(static_cast<double>(s));
    for (const Elementwise& e : chain) apply(e, c, values);
    for (size_t i = 0; i < values.size(); ++i) {
      const auto code = code_on(grid, values[i]);
      const int64_t sum = from + static_cast<int64_t>(i);
      if (!code || *code < codes.lo || *code > codes.hi) {
        out.problem = fmt::format("channel {}: the sum {} becomes {}, which is no value of the quantiser", c, sum, values[i]);
        return out;
      }
      const int64_t level = (*code - codes.lo) / codes.step;
      if (!before || level != *before) steps.emplace_back(sum, level);
      if (before) {
        rises |= level > *before;
        falls |= level < *before;
      } else {
        first = level;
      }
      before = level;
    }
  }
  if (rises && falls) {
    out.problem = fmt::format("channel {}: the code neither only rises nor only falls with the sum", c);
    return out;
  }
  out.direction = falls ? -1 : 1;
  out.at.assign(static_cast<size_t>(levels), falls ? range.lo - 1 : range.hi + 1);
  if (falls) {
    for (int64_t j = 0; j < *before; ++j) out.at[static_cast<size_t>(j)] = range.hi;
    for (size_t i = 0; i + 1 < steps.size(); ++i)
      for (int64_t j = steps[i + 1].second; j < steps[i].second; ++j) out.at[static_cast<size_t>(j)] = steps[i + 1].first - 1;
  } else {
    int64_t reached = 0;
    for (const auto& [sum, level] : steps) {
      for (int64_t j = reached; j < level; ++j) out.at[static_cast<size_t>(j)] = sum;
      reached = std::max(reached, level);
    }
  }
  if (error > 0.0) {
    for (const int64_t t : out.at) {
      if (t <= range.lo || t >= range.hi) continue;
      for (const double s : {static_cast<double>(t), static_cast<double>(t - out.direction)}) {
        const auto below = code_on(grid, apply(chain, c, s - error)), above = code_on(grid, apply(chain, c, s + error));
        if (below != above) {
          ++out.close;
          break;
        }
      }
    }
  }
  return out;
}

}  // namespace

std::optional<CodeGrid> grid_of(std::vector<double> values, double nominal) {
  for (const double v : values)
    if (!std::isfinite(v)) return std::nullopt;
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.empty() || values.size() > static_cast<size_t>(kMostCode)) return std::nullopt;
  const double size = std::max(std::abs(values.front()), std::abs(values.back()));
  double distance = std::numeric_limits<double>::infinity();
  for (size_t i = 1; i < values.size(); ++i)
    if (values[i] - values[i - 1] > 1e-9 * size) distance = std::min(distance, values[i] - values[i - 1]);
  if (!std::isfinite(distance)) distance = size > 0.0 ? size : 1.0;
  for (const double unit : {nominal, distance, distance / 2.0})
    if (unit > 0.0)
      if (const auto codes = multiples(values, unit, 0.0)) return grid_from(unit, 0.0, *codes);
  if (const auto codes = multiples(values, distance, values.front())) return grid_from(distance, values.front(), *codes);
  return std::nullopt;
}

std::optional<int64_t> code_on(const CodeGrid& grid, double value) {
  const double n = (value - grid.offset) / grid.unit;
  if (!(std::abs(n) <= 2.0 * kMostCode) || std::abs(n - std::nearbyint(n)) > kGridSlack) return std::nullopt;
  return std::llround(n);
}

std::optional<CodeGrid> codes_of_chain(const std::vector<Elementwise>& chain, size_t channels) {
  auto last = chain.rbegin();
  while (last != chain.rend() && !is_quantiser(*last)) ++last;
  if (last == chain.rend()) return std::nullopt;
  const std::vector<Elementwise> rest(last.base(), chain.end());
  double nominal = 0.0;
  if (const auto* q = std::get_if<QuantStep>(&last->step)) nominal = of_channel(q->scale, 0);
  if (const auto* b = std::get_if<BipolarStep>(&last->step)) nominal = std::abs(of_channel(b->scale, 0));
  if (const auto* m = std::get_if<CountStep>(&last->step)) nominal = std::abs(m->scale);
  if (std::holds_alternative<SignStep>(last->step)) nominal = 1.0;
  for (const Elementwise& e : rest)
    if (const auto line = line_of(e, 0)) nominal *= std::abs(line->gain);
  std::vector<double> all;
  const size_t different = different_channels({std::prev(last.base()), chain.end()}, channels);
  for (size_t c = 0; c < different; ++c) {
    std::vector<double> values = quantised_values(*last, c);
    for (const Elementwise& e : rest) apply(e, c, values);
    all.insert(all.end(), values.begin(), values.end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    if (all.size() > static_cast<size_t>(kMostCode)) return std::nullopt;
  }
  return grid_of(std::move(all), nominal);
}

DerivedThresholds derive_thresholds(const std::vector<Elementwise>& chain, const CodeGrid& grid, const std::vector<SumRange>& sums,
                                    const std::vector<double>& errors, int threads, int64_t most_sums) {
  DerivedThresholds out;
  out.thresholds.range = grid.range;
  if (grid.range.levels() == 0) {
    out.problem = "all its values are one";
    return out;
  }
  int64_t count = 0;
  for (const SumRange& r : sums) count += r.hi - r.lo + 1;
  if (count > most_sums) {
    out.problem = fmt::format("{} sums would have to be tested, {} at most are", count, most_sums);
    return out;
  }
  std::vector<Channel> channels(sums.size());
  parallel_for(sums.size(), threads, [&](size_t c) { channels[c] = derive_channel(chain, grid, c, sums[c], errors[c]); });
  for (Channel& c : channels) {
    if (c.problem) {
      out.problem = c.problem;
      return out;
    }
    out.thresholds.at.insert(out.thresholds.at.end(), c.at.begin(), c.at.end());
    out.thresholds.direction.push_back(c.direction);
    out.close += c.close;
  }
  return out;
}

RealThresholds derive_real_thresholds(const std::vector<Elementwise>& chain, const CodeGrid& grid, size_t rows) {
  constexpr double kFar = 1e300, kInfinite = std::numeric_limits<double>::infinity();
  RealThresholds out;
  for (size_t c = 0; c < rows; ++c) {
    const auto code = [&](double x) { return code_on(grid, apply(chain, c, x)).value_or(grid.range.lo); };
    const bool falls = code(-kFar) > code(kFar);
    out.direction.push_back(falls ? -1 : 1);
    for (int j = 1; j <= grid.range.levels(); ++j) {
      const int64_t wanted = grid.range.lo + int64_t{j} * grid.range.step;
      int64_t without = ordered(falls ? kFar : -kFar), with = ordered(falls ? -kFar : kFar);
      if (code(from_ordered(with)) < wanted) {
        out.at.push_back(falls ? -kInfinite : kInfinite);
      } else if (code(from_ordered(without)) >= wanted) {
        out.at.push_back(falls ? kInfinite : -kInfinite);
      } else {
        for (int64_t middle = std::midpoint(without, with); middle != without && middle != with; middle = std::midpoint(without, with))
          (code(from_ordered(middle)) >= wanted ? with : without) = middle;
        out.at.push_back(from_ordered(with));
      }
    }
  }
  return out;
}

}  // namespace bitgrid::frontend::onnx
