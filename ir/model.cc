#include "ir/model.h"

#include <algorithm>
#include <array>
#include <bit>

#include "ir/error.h"
#include "ir/model_ranges.h"

namespace bitgrid {

namespace {

std::string text(int64_t n) {
  return std::to_string(n);
}

[[noreturn]] void fail(const std::string& where, const std::string& problem, const std::string& cure) {
  throw ModelProblem{where, problem, cure};
}

/// A range whose values every engine can hold in 32 bits.
void check_32_bits(const std::string& where, Range r) {
  if (!Range{INT32_MIN, INT32_MAX}.contains(r)) {
    fail(where, "in the worst case the sums reach " + text(r.lo) + " .. " + text(r.hi) + ", beyond 32 bits",
         "use fewer inputs, narrower ranges, or a requantisation before this point");
  }
}

void check_bias(const std::string& where, const std::vector<int32_t>& bias, int channels) {
  if (!bias.empty() && bias.size() != static_cast<size_t>(channels)) {
    fail(where + ".bias", text(static_cast<int64_t>(bias.size())) + " biases for " + text(channels) + " channels",
         "give one bias per channel, or none");
  }
}

void check_requantise(const std::string& where, const Requantise& r, int channels) {
  if (r.shift < kMinShift || r.shift > kMaxShift) {
    fail(where + ".shift", "the shift " + text(r.shift) + " is outside " + text(kMinShift) + " .. " + text(kMaxShift),
         "choose a shift in that range");
  }
  if (!is_requantise_range(r.lo, r.hi)) {
    fail(where + ".range", "[" + text(r.lo) + ", " + text(r.hi) + "] is not a valid range for a requantisation",
         "use a symmetric range such as [-7, 7] (b bits: 2^(b-1) - 1) or a one-sided range such as [0, 15] (2^b - 1), up to 16 bits");
  }
  const size_t m = r.multiplier.size();
  if (m > 1 && m != static_cast<size_t>(channels)) {
    fail(where + ".multiplier", text(static_cast<int64_t>(m)) + " multipliers for " + text(channels) + " channels",
         "give one multiplier, or one per channel");
  }
  for (size_t c = 0; c < m; ++c) {
    if (r.multiplier[c] < 1 || r.multiplier[c] > kMaxMultiplier) {
      fail(where + ".multiplier",
           "the multiplier " + text(r.multiplier[c]) + " of channel " + text(static_cast<int64_t>(c)) + " is outside 1 .. " +
               text(kMaxMultiplier),
           "choose multipliers in that range and adapt the shift");
    }
  }
  check_bias(where, r.bias, channels);
}

void check_activation(const std::string& where, const Activation& activation, int channels) {
  if (const auto* r = std::get_if<Requantise>(&activation)) check_requantise(where, *r, channels);
  if (const auto* s = std::get_if<Sign>(&activation)) check_bias(where, s->bias, channels);
}

void require_activation(const std::string& where, const Activation& activation) {
  if (std::holds_alternative<std::monostate>(activation)) {
    fail(where, "a requantisation or a sign is missing here", "add `requantise: {shift: S, range: [LO, HI]}` or `sign: {}`");
  }
}

void check_matrix(const std::string& where, const Matrix& m, int inputs, int outputs) {
  const std::string tensor = m.name.empty() ? "the matrix" : "tensor " + m.name;
  if (m.inputs != inputs) {
    fail(where + ".weights", tensor + " has " + text(m.inputs) + " inputs (columns) where the operand has " + text(inputs) + " values",
         "give it the shape [" + (outputs > 0 ? text(outputs) : std::string("outputs")) + ", " + text(inputs) + "]");
  }
  if (outputs > 0 ? m.outputs != outputs : m.outputs < 1 || m.outputs > kMaxWidth) {
    const std::string wanted = outputs > 0 ? text(outputs) : "1 .. " + text(kMaxWidth);
    fail(where + ".weights", tensor + " has " + text(m.outputs) + " outputs (rows) where " + wanted + " are needed",
         "give it the shape [" + (outputs > 0 ? text(outputs) : std::string("outputs")) + ", " + text(inputs) + "]");
  }
  if (m.data.size() != static_cast<size_t>(m.inputs) * static_cast<size_t>(m.outputs)) {
    fail(where + ".weights",
         tensor + " holds " + text(static_cast<int64_t>(m.data.size())) + " values for its shape [" + text(m.outputs) + ", " +
             text(m.inputs) + "]",
         "give it one value per weight");
  }
  for (int i = 0; i < m.outputs; ++i) {
    for (int j = 0; j < m.inputs; ++j) {
      if (is_weight(m.values, m.at(i, j))) continue;
      fail(where + ".weights",
           "the value " + text(m.at(i, j)) + " at [" + text(i) + ", " + text(j) + "] of " + tensor + " is not " + name_of(m.values) + " (" +
               set_of(m.values) + ")",
           "correct the weight, or state other `values`");
    }
  }
}

void check_table(const std::string& where, const Linear& l) {
  if (!l.table) return;
  const auto* r = std::get_if<Requantise>(&l.activation);
  if (r == nullptr) fail(where + ".table", "a table needs a requantisation before it", "add `requantise`, or drop the table");
  const int64_t entries = static_cast<int64_t>(l.table->values.size()), wanted = int64_t{r->hi} - r->lo + 1;
  if (l.table->lo != r->lo || entries != wanted) {
    fail(where + ".table",
         "the table covers " + text(l.table->lo) + " .. " + text(l.table->lo + entries - 1) + " but its operand is requantised to " +
             text(r->lo) + " .. " + text(r->hi),
         "give it " + text(wanted) + " entries, the first for " + text(r->lo));
  }
  for (size_t i = 0; i < l.table->values.size(); ++i) {
    const int32_t v = l.table->values[i];
    if (v < -32767 || v > 65535) {
      fail(where + ".table", "entry " + text(static_cast<int64_t>(i)) + " is " + text(v) + ", outside -32767 .. 65535",
           "use a smaller scale");
    }
  }
}

/// outputs = 0: as many as the matrix has. Returns the range of the results.
Range check_linear(const std::string& where, const Linear& l, int inputs, int outputs, Range operand) {
  check_matrix(where, l.weights, inputs, outputs);
  check_activation(where, l.activation, l.weights.outputs);
  check_table(where, l);
  check_32_bits(where, sums(l.weights, operand));
  return linear_range(l, operand);
}

Range check_active_linear(const std::string& where, const Linear& l, int inputs, int outputs, Range operand) {
  require_activation(where, l.activation);
  return check_linear(where, l, inputs, outputs, operand);
}

Range check_exact_linear(const std::string& where, const Linear& l, int inputs, int outputs, Range operand) {
  if (!std::holds_alternative<std::monostate>(l.activation) || l.table) {
    fail(where, "an activation is not allowed where exact sums are added to the stream", "remove `requantise`, `sign` and `table` here");
  }
  return check_linear(where, l, inputs, outputs, operand);
}

Range check_input(const std::string& where, const Activation& input, int channels, Range operand) {
  check_activation(where, input, channels);
  return activation_range(input, operand);
}

Range check_attention(const std::string& p, const Attention& a, int width, Range x) {
  if (a.heads < 1 || width % a.heads != 0) {
    fail(p + "heads", text(a.heads) + " heads do not divide the width " + text(width), "choose a divisor of " + text(width));
  }
  if (a.window < 1 || a.window > kMaxWindow || int64_t{a.window} * width > (int64_t{1} << 26)) {
    fail(p + "window", "a window of " + text(a.window) + " positions at width " + text(width) + " is outside what engines support",
         "choose 1 .. " + text(std::min<int64_t>(kMaxWindow, (int64_t{1} << 26) / width)));
  }
  require_activation(p + "input", a.input);
  const Range in = check_input(p + "input", a.input, width, x);
  const Range q = check_active_linear(p + "query", a.query, width, width, in);
  if (a.query.table || a.key.table || a.value.table) {
    const char* which = a.query.table ? "query" : a.key.table ? "key" : "value";
    fail(p + which + ".table", "an attention layer does not take a table", "drop it; `up` and `linear` take tables");
  }
  if (q.lo != 0 && std::holds_alternative<Requantise>(a.query.activation)) {
    fail(p + "query.range", "queries are requantised to [" + text(q.lo) + ", " + text(q.hi) + "]", "use a one-sided range such as [0, 15]");
  }
  const Range k = check_active_linear(p + "key", a.key, width, width, in);
  const Range v = check_active_linear(p + "value", a.value, width, width, in);
  const size_t cells = static_cast<size_t>(a.heads) * static_cast<size_t>(a.window);
  if (!a.position.empty() && a.position.size() != cells) {
    fail(p + "position",
         text(static_cast<int64_t>(a.position.size())) + " position biases for " + text(a.heads) + " heads and a window of " +
             text(a.window),
         "give it the shape [" + text(a.heads) + ", " + text(a.window) + "]");
  }
  check_requantise(p + "score", a.score, 1);
  if (a.score.lo != 0) fail(p + "score.range", "attention weights below 0", "use a one-sided range such as [0, 15]");
  if (!a.score.bias.empty()) fail(p + "score.bias", "scores do not have a separate bias", "add it to every entry of `position`");
  Range score = repeated(q * k, width / a.heads);
  if (!a.position.empty()) {
    const auto [lo, hi] = std::minmax_element(a.position.begin(), a.position.end());
    score = score + Range{*lo, *hi};
  }
  check_32_bits(p + "score", score);
  const Range mix_sums = repeated(Range{a.score.lo, a.score.hi} * v, a.window);
  check_32_bits(p + "mix", mix_sums);
  require_activation(p + "mix", a.mix);
  const Range mix = check_input(p + "mix", a.mix, width, mix_sums);
  return x + check_exact_linear(p + "output", a.output, width, width, mix);
}

Range check_feed_forward(const std::string& p, const FeedForward& f, int width, Range x) {
  require_activation(p + "input", f.input);
  const Range in = check_input(p + "input", f.input, width, x);
  const Range h = check_active_linear(p + "up", f.up, width, 0, in);
  return x + check_exact_linear(p + "down", f.down, f.up.weights.outputs, width, h);
}

Range check_dense(const std::string& p, const Dense& d, int width, Range x) {
  const Range in = check_input(p + "input", d.input, width, x);
  const std::string where = p.substr(0, p.size() - 1);
  return check_linear(where, d.linear, width, 0, in);
}

void check_vocabulary(const Model& m) {
  if (m.vocabulary.empty() || m.vocabulary.size() > 256) {
    fail("vocabulary", text(static_cast<int64_t>(m.vocabulary.size())) + " symbols in the vocabulary", "use 1 .. 256 symbols of one byte");
  }
  std::array<int, 256> seen{};
  seen.fill(-1);
  for (size_t i = 0; i < m.vocabulary.size(); ++i) {
    int& first = seen[static_cast<unsigned char>(m.vocabulary[i])];
    if (first >= 0) {
      fail("vocabulary",
           "the symbol '" + (m.vocabulary[i] == '\n' ? std::string("\\n") : std::string(1, m.vocabulary[i])) +
               "' appears twice in the vocabulary, at " + text(first) + " and " + text(static_cast<int64_t>(i)),
           "remove one of them, and its row of the embedding and the head");
    }
    first = static_cast<int>(i);
  }
}

Range check_embedding(const Model& m) {
  const Embedding& e = m.embedding;
  if (e.lo > e.hi || e.lo < -128 || e.hi > 127) {
    fail("embedding.range", "[" + text(e.lo) + ", " + text(e.hi) + "] is not a valid range for an embedding",
         "use LO <= HI within [-128, 127]");
  }
  if (e.tables.empty() || e.tables.size() > 16) {
    fail("embedding", text(static_cast<int64_t>(e.tables.size())) + " embedding tables", "use 1 .. 16");
  }
  const size_t width = static_cast<size_t>(m.width), cells = m.vocabulary.size() * width;
  for (size_t t = 0; t < e.tables.size(); ++t) {
    const std::string where = "embedding." + text(static_cast<int64_t>(t));
    if (e.tables[t].size() != cells) {
      fail(where, "the embedding table holds " + text(static_cast<int64_t>(e.tables[t].size())) + " values",
           "give it the shape [" + text(static_cast<int64_t>(m.vocabulary.size())) + ", " + text(m.width) + "]: vocabulary, width");
    }
    for (size_t i = 0; i < cells; ++i) {
      const int v = e.tables[t][i];
      if (v >= e.lo && v <= e.hi) continue;
      fail(where,
           "the value " + text(v) + " at [" + text(static_cast<int64_t>(i / width)) + ", " + text(static_cast<int64_t>(i % width)) +
               "] of the embedding is outside its range [" + text(e.lo) + ", " + text(e.hi) + "]",
           "correct the value, or widen embedding.range");
    }
  }
  const int64_t others = static_cast<int64_t>(e.tables.size()) - 1;
  return Range{e.lo, e.hi} + repeated(hull({e.lo, e.hi}, {0, 0}), others);
}

void check_head(const Model& m, int width, Range x) {
  const Range y = check_input("head.input", m.head.input, width, x);
  const int symbols = static_cast<int>(m.vocabulary.size());
  check_matrix("head", m.head.weights, width, symbols);
  check_bias("head", m.head.bias, symbols);
  Range z = sums(m.head.weights, y);
  for (const int32_t b : m.head.bias) z = hull(z, sums(m.head.weights, y) + Range{b, b});
  check_32_bits("head", z);
}

void check_sampling(const Model& m) {
  if (!(m.logit_scale >= 0.0 && m.logit_scale < 1e6)) {
    fail("sampling.logit_scale", "the logit scale is not a number in 0 .. 1e6", "use the temperature of the exporter");
  }
  for (const SamplingTable& t : m.sampling) {
    const std::string where = "sampling.tables." + t.temperature;
    if (t.weights.size() != kSamplingEntries) {
      fail(where, "the sampling table has " + text(static_cast<int64_t>(t.weights.size())) + " entries",
           "give it " + text(kSamplingEntries) + ": one for each distance 0 .. 4095 from the largest logit");
    }
    for (size_t i = 0; i < t.weights.size(); ++i) {
      if (t.weights[i] < (i == 0 ? 1 : 0) || t.weights[i] > kMaxSamplingWeight) {
        fail(where, "entry " + text(static_cast<int64_t>(i)) + " of the sampling table is " + text(t.weights[i]),
             "entry 0 must lie in 1 .. " + text(kMaxSamplingWeight) + ", the others in 0 .. " + text(kMaxSamplingWeight));
      }
    }
  }
}

void check(const Model& m) {
  check_vocabulary(m);
  if (m.width < 1 || m.width > kMaxWidth)
    fail("width", "the width " + text(m.width) + " is outside 1 .. " + text(kMaxWidth), "choose another");
  Range x = check_embedding(m);
  if (m.layers.empty() || m.layers.size() > static_cast<size_t>(kMaxLayers)) {
    fail("layers", "the model has " + text(static_cast<int64_t>(m.layers.size())) + " layers", "use 1 .. " + text(kMaxLayers));
  }
  int width = m.width;
  for (size_t n = 0; n < m.layers.size(); ++n) {
    const std::string p = "layers." + text(static_cast<int64_t>(n)) + ".";
    if (const auto* a = std::get_if<Attention>(&m.layers[n])) x = check_attention(p, *a, width, x);
    if (const auto* f = std::get_if<FeedForward>(&m.layers[n])) x = check_feed_forward(p, *f, width, x);
    if (const auto* d = std::get_if<Dense>(&m.layers[n])) {
      x = check_dense(p, *d, width, x);
      width = d->linear.weights.outputs;
    }
    check_32_bits(p.substr(0, p.size() - 1), x);
  }
  check_head(m, width, x);
  check_sampling(m);
}

}  // namespace

std::optional<ModelProblem> find_problem(const Model& model) {
  try {
    check(model);
  } catch (const ModelProblem& problem) {
    return problem;
  }
  return std::nullopt;
}

void verify(const Model& model) {
  if (const auto p = find_problem(model)) throw Error((model.name.empty() ? "model" : model.name) + ": " + p->where, p->problem, p->cure);
}

bool is_requantise_range(int64_t lo, int64_t hi) {
  if (hi < 1 || hi > 65535 || !std::has_single_bit(static_cast<uint64_t>(hi) + 1)) return false;
  return lo == 0 || (lo == -hi && hi <= 32767);
}

std::string name_of(WeightValues values) {
  switch (values) {
    case WeightValues::kBinary:
      return "binary";
    case WeightValues::kTernary:
      return "ternary";
    case WeightValues::kInt2:
      return "int2";
  }
  return "";
}

std::string set_of(WeightValues values) {
  switch (values) {
    case WeightValues::kBinary:
      return "-1 or 1";
    case WeightValues::kTernary:
      return "-1, 0 or 1";
    case WeightValues::kInt2:
      return "-1, 0, 1 or 2";
  }
  return "";
}

bool is_weight(WeightValues values, int64_t value) {
  switch (values) {
    case WeightValues::kBinary:
      return value == -1 || value == 1;
    case WeightValues::kTernary:
      return value >= -1 && value <= 1;
    case WeightValues::kInt2:
      return value >= -1 && value <= 2;
  }
  return false;
}

}  // namespace bitgrid
