#include "ir/model_ranges.h"

#include <algorithm>
#include <bit>

namespace bitgrid {

namespace {

/// Records every range under its name on the way through the model.
struct Walk {
  std::map<std::string, Range> named;
  std::vector<Range> streams;

  Range note(const std::string& name, Range r) {
    named[name] = r;
    return r;
  }

  /// Sums under `sums_name`, results under `name`.
  Range linear(const std::string& sums_name, const std::string& name, const Linear& l, Range operand) {
    note(sums_name, sums(l.weights, operand));
    return note(name, linear_range(l, operand));
  }

  Range attention(const std::string& p, const Attention& a, Range x) {
    const Range in = note(p + "input", activation_range(a.input, x));
    const Range q = linear(p + "query.sums", p + "query", a.query, in);
    const Range k = linear(p + "key.sums", p + "key", a.key, in);
    const Range v = linear(p + "value.sums", p + "value", a.value, in);
    Range score = repeated(q * k, a.query.weights.outputs / a.heads);
    if (!a.position.empty()) {
      const auto [lo, hi] = std::minmax_element(a.position.begin(), a.position.end());
      score = score + Range{*lo, *hi};
    }
    note(p + "score", score);
    const Range e = note(p + "attention", {a.score.lo, a.score.hi});
    const Range mix_sums = note(p + "mix.sums", repeated(e * v, a.window));
    const Range mix = note(p + "mix", activation_range(a.mix, mix_sums));
    return x + note(p + "output.sums", sums(a.output.weights, mix));
  }

  Range feed_forward(const std::string& p, const FeedForward& f, Range x) {
    const Range in = note(p + "input", activation_range(f.input, x));
    const Range h = linear(p + "up.sums", p + "hidden", f.up, in);
    return x + note(p + "down.sums", sums(f.down.weights, h));
  }

  Range dense(const std::string& p, const Dense& d, Range x) {
    const Range in = activation_range(d.input, x);
    if (!std::holds_alternative<std::monostate>(d.input)) note(p + "input", in);
    note(p + "sums", sums(d.linear.weights, in));
    return linear_range(d.linear, in);
  }
};

Walk walk(const Model& model) {
  Walk w;
  const int64_t tables = static_cast<int64_t>(model.embedding.tables.size());
  Range x = w.note("embedding", {model.embedding.lo, model.embedding.hi});
  // Tables of earlier tokens are absent before the start: they add 0 or an entry.
  if (tables > 1) x = w.note("embedding", x + repeated(hull({model.embedding.lo, model.embedding.hi}, {0, 0}), tables - 1));
  w.streams.push_back(x);
  for (size_t n = 0; n < model.layers.size(); ++n) {
    const std::string p = "layers." + std::to_string(n) + ".";
    if (const auto* a = std::get_if<Attention>(&model.layers[n])) x = w.attention(p, *a, x);
    if (const auto* f = std::get_if<FeedForward>(&model.layers[n])) x = w.feed_forward(p, *f, x);
    if (const auto* d = std::get_if<Dense>(&model.layers[n])) x = w.dense(p, *d, x);
    w.note(p + "stream", x);
    w.streams.push_back(x);
  }
  const Range y = activation_range(model.head.input, x);
  if (!std::holds_alternative<std::monostate>(model.head.input)) w.note("head.input", y);
  Range z = sums(model.head.weights, y);
  if (!model.head.bias.empty()) {
    z = {INT64_MAX, INT64_MIN};
    for (int i = 0; i < model.head.weights.outputs; ++i) {
      const int64_t b = model.head.bias[static_cast<size_t>(i)];
      z = hull(z, sums(model.head.weights, i, y) + Range{b, b});
    }
  }
  w.note("logits", z);
  return w;
}

}  // namespace

Range operator+(Range a, Range b) {
  return {a.lo + b.lo, a.hi + b.hi};
}

Range operator*(Range a, Range b) {
  const auto [lo, hi] = std::minmax({a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi});
  return {lo, hi};
}

Range hull(Range a, Range b) {
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
}

Range repeated(Range r, int64_t n) {
  return {r.lo * n, r.hi * n};
}

int signed_bits(Range r) {
  const auto magnitude = [](int64_t v) { return std::bit_width(static_cast<uint64_t>(v < 0 ? ~v : v)); };
  return static_cast<int>(std::max(magnitude(r.lo), magnitude(r.hi))) + 1;
}

int unsigned_bits(Range r) {
  return std::max(1, static_cast<int>(std::bit_width(static_cast<uint64_t>(r.hi))));
}

Range partial_sums(const Matrix& weights, int row, int first, int last, Range operand) {
  Range total;
  for (int j = first; j < last; ++j) {
    const int64_t w = weights.at(row, j);
    total = total + operand * Range{w, w};
  }
  return total;
}

Range sums(const Matrix& weights, int row, Range operand) {
  return partial_sums(weights, row, 0, weights.inputs, operand);
}

Range sums(const Matrix& weights, Range operand) {
  if (weights.outputs == 0) return {};
  Range all = sums(weights, 0, operand);
  for (int i = 1; i < weights.outputs; ++i) all = hull(all, sums(weights, i, operand));
  return all;
}

Range activation_range(const Activation& activation, Range operand) {
  if (const auto* r = std::get_if<Requantise>(&activation)) return {r->lo, r->hi};
  if (std::holds_alternative<Sign>(activation)) return {-1, 1};
  return operand;
}

Range table_range(const Table& table) {
  if (table.values.empty()) return {};
  const auto [lo, hi] = std::minmax_element(table.values.begin(), table.values.end());
  return {*lo, *hi};
}

Range linear_range(const Linear& linear, Range operand) {
  if (linear.table) return table_range(*linear.table);
  return std::holds_alternative<std::monostate>(linear.activation) ? sums(linear.weights, operand)
                                                                   : activation_range(linear.activation, operand);
}

std::vector<Range> stream_ranges(const Model& model) {
  return walk(model).streams;
}

std::map<std::string, Range> value_ranges(const Model& model) {
  return walk(model).named;
}

}  // namespace bitgrid
