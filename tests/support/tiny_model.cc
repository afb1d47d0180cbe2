#include "tests/support/tiny_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>

#include "frontend/safetensors.h"
#include "ir/file.h"

namespace bitgrid {

namespace {

using Block = TinyParams::Block;

/// Draws weights and keeps track of the root mean square that values are expected to have.
struct Builder {
  const TinyParams& p;
  std::mt19937 random;

  /// Uniform in lo .. hi, the same on every platform.
  int pick(int lo, int hi) { return lo + static_cast<int>(random() % static_cast<unsigned>(hi - lo + 1)); }

  Matrix matrix(const std::string& name, int outputs, int inputs) {
    Matrix m{name, p.values, outputs, inputs, {}};
    if (p.zero_weights) m.data.assign(static_cast<size_t>(outputs * inputs), 0);
    for (int i = 0; i < outputs * inputs && !p.zero_weights; ++i) {
      const int w = p.values == WeightValues::kBinary ? 2 * pick(0, 1) - 1 : p.values == WeightValues::kTernary ? pick(-1, 1) : pick(-1, 2);
      m.data.push_back(static_cast<int8_t>(w));
    }
    return m;
  }

  std::vector<int32_t> biases(int channels, double rms) {
    std::vector<int32_t> b;
    const int spread = std::max(1, static_cast<int>(rms / 2));
    for (int c = 0; c < channels && p.bias; ++c) b.push_back(pick(-spread, spread));
    return b;
  }

  /// Requantises values of the given spread so that about a quarter of the range is one spread wide: most vary, few saturate.
  Requantise requantise(int channels, double rms, int lo, int hi, bool per_channel) {
    Requantise r;
    r.lo = lo;
    r.hi = hi;
    double scale = 1.0;
    if (p.multiplier) {
      for (int c = 0; c < (per_channel ? channels : 1); ++c) r.multiplier.push_back(pick(3, 8));
      scale = 5.0;
    }
    const double wanted = std::max(0.75, hi / 2.0);
    r.shift = std::max(0, static_cast<int>(std::lround(std::log2(std::max(rms, 0.5) * scale / wanted))));
    if (p.shift) r.shift = *p.shift;
    r.bias = biases(channels, rms);
    return r;
  }

  Activation activation(int channels, double rms, int bits, bool one_sided, bool per_channel) {
    if (bits == 1) return Sign{biases(channels, rms)};
    const int hi = (1 << (one_sided ? bits : bits - 1)) - 1;
    return requantise(channels, rms, one_sided ? 0 : -hi, hi, per_channel);
  }

  double weight_rms() const { return p.values == WeightValues::kBinary ? 1.0 : p.values == WeightValues::kTernary ? 0.82 : 1.22; }

  static double activation_rms(int bits, bool one_sided) { return bits == 1 ? 1.0 : ((1 << (one_sided ? bits : bits - 1)) - 1) / 2.0; }

  double sum_rms(int inputs, double operand) const { return weight_rms() * operand * std::sqrt(inputs); }

  Linear linear(const std::string& name, int outputs, int inputs, double operand, int bits, bool one_sided, bool per_channel = false) {
    Linear l;
    l.weights = matrix(name + ".weight", outputs, inputs);
    l.activation = activation(outputs, sum_rms(inputs, operand), bits, one_sided, per_channel);
    return l;
  }

  Attention attention(const std::string& name, int width, double& stream) {
    Attention a;
    const double in = activation_rms(p.input_bits, false), e = ((1 << p.score_bits) - 1) / 2.0, v = activation_rms(p.value_bits, false);
    a.heads = p.heads;
    a.window = p.window;
    a.input = activation(width, stream, p.input_bits, false, true);
    a.query = linear(name + "query", width, width, in, p.query_bits, true);
    a.key = linear(name + "key", width, width, in, p.key_bits, false);
    a.value = linear(name + "value", width, width, in, p.value_bits, false);
    // Half of the queries are clamped to 0: scores are about half as large as full-range operands would make them.
    const double score = 0.5 * activation_rms(p.query_bits, true) * activation_rms(p.key_bits, false) * std::sqrt(width / p.heads);
    const int spread = static_cast<int>(std::ceil(score));
    for (int i = 0; p.position && i < p.heads * p.window; ++i) a.position.push_back(pick(-spread / 2, spread));
    a.score = requantise(1, score, 0, (1 << p.score_bits) - 1, false);
    a.score.bias.clear();
    a.mix = activation(width, e * v * std::sqrt(p.window), p.input_bits, false, true);
    a.output.weights = matrix(name + "output.weight", width, width);
    stream = std::hypot(stream, sum_rms(width, in));
    return a;
  }

  FeedForward feed_forward(const std::string& name, int width, double& stream) {
    FeedForward f;
    f.input = activation(width, stream, p.input_bits, false, true);
    f.up = linear(name + "up", p.d_ff, width, activation_rms(p.input_bits, false), p.hidden_bits, true, true);
    if (p.table && p.hidden_bits > 1) {
      Table t{name + "up.table", 0, {}};
      for (int i = 0; i < 1 << p.hidden_bits; ++i) t.values.push_back((i * i) >> p.hidden_bits);
      f.up.table = t;
    }
    f.down.weights = matrix(name + "down.weight", width, p.d_ff);
    stream = std::hypot(stream, sum_rms(p.d_ff, activation_rms(p.hidden_bits, true)));
    return f;
  }

  Dense dense(const std::string& name, Block block, int& width, double& stream) {
    Dense d;
    d.input = activation(width, stream, p.input_bits, false, true);
    const double in = activation_rms(p.input_bits, false);
    d.linear.weights = matrix(name + "weight", p.linear_outputs, width);
    stream = sum_rms(width, in);
    width = p.linear_outputs;
    if (block != Block::kLinearExact) {
      const int bits = block == Block::kLinearSign ? 1 : p.input_bits + 2;
      d.linear.activation = activation(width, stream, bits, false, true);
      stream = activation_rms(bits, false);
    }
    return d;
  }
};

/// Collects tensors while the text is written.
struct Printer {
  std::vector<frontend::StoredTensor> tensors;

  template <typename T>
  std::string add(const std::string& name, frontend::DType dtype, std::vector<uint64_t> shape, const std::vector<T>& values) {
    tensors.push_back({name, dtype, std::move(shape), std::vector<int64_t>(values.begin(), values.end())});
    return name;
  }

  std::string bias(const std::string& name, const std::vector<int32_t>& values) {
    return add(name + ".bias", frontend::DType::kI32, {values.size()}, values);
  }

  /// Without braces.
  std::string requantise(const std::string& name, const Requantise& r) {
    std::string s = fmt::format("shift: {}, range: [{}, {}]", r.shift, r.lo, r.hi);
    if (r.multiplier.size() == 1) s += fmt::format(", multiplier: {}", r.multiplier[0]);
    if (r.multiplier.size() > 1)
      s += ", multiplier: " + add(name + ".multiplier", frontend::DType::kI32, {r.multiplier.size()}, r.multiplier);
    if (!r.bias.empty()) s += ", bias: " + bias(name, r.bias);
    return s;
  }

  std::string sign(const std::string& name, const Sign& g) {
    return "sign: {" + (g.bias.empty() ? "" : "bias: " + bias(name, g.bias)) + "}";
  }

  std::string activation(const std::string& name, const Activation& a) {
    if (const auto* r = std::get_if<Requantise>(&a)) return "{" + requantise(name, *r) + "}";
    return "{" + sign(name, std::get<Sign>(a)) + "}";
  }

  std::string weights(const std::string& name, const Matrix& m) {
    const std::vector<uint64_t> shape = {static_cast<uint64_t>(m.outputs), static_cast<uint64_t>(m.inputs)};
    return fmt::format("weights: {}, values: {}", add(name + ".weight", frontend::DType::kI8, shape, m.data), name_of(m.values));
  }

  std::string linear_keys(const std::string& name, const Linear& l) {
    std::string s = weights(name, l.weights);
    if (const auto* r = std::get_if<Requantise>(&l.activation)) s += ", requantise: {" + requantise(name, *r) + "}";
    if (const auto* g = std::get_if<Sign>(&l.activation)) s += ", " + sign(name, *g);
    if (l.table) s += ", table: " + add(name + ".table", frontend::DType::kI32, {l.table->values.size()}, l.table->values);
    return s;
  }

  std::string linear(const std::string& name, const Linear& l) { return "{" + linear_keys(name, l) + "}"; }

  std::string layer(const std::string& p, const Attention& a) {
    std::string s = fmt::format("  - type: attention\n    heads: {}\n    window: {}\n", a.heads, a.window);
    s += "    input: " + activation(p + "input", a.input) + "\n";
    s += "    query: " + linear(p + "query", a.query) + "\n";
    s += "    key: " + linear(p + "key", a.key) + "\n";
    s += "    value: " + linear(p + "value", a.value) + "\n";
    if (!a.position.empty()) {
      const std::vector<uint64_t> shape = {static_cast<uint64_t>(a.heads), static_cast<uint64_t>(a.window)};
      s += "    position: " + add(p + "position", frontend::DType::kI32, shape, a.position) + "\n";
    }
    s += "    score: {" + requantise(p + "score", a.score) + "}\n";
    s += "    mix: " + activation(p + "mix", a.mix) + "\n";
    return s + "    output: " + linear(p + "output", a.output) + "\n";
  }

  std::string layer(const std::string& p, const FeedForward& f) {
    return "  - type: feedforward\n    input: " + activation(p + "input", f.input) + "\n    up: " + linear(p + "up", f.up) +
           "\n    down: " + linear(p + "down", f.down) + "\n";
  }

  std::string layer(const std::string& p, const Dense& d) {
    std::string s = "  - {type: linear";
    if (!std::holds_alternative<std::monostate>(d.input)) s += ", input: " + activation(p + "input", d.input);
    return s + ", " + linear_keys(p.substr(0, p.size() - 1), d.linear) + "}\n";
  }
};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '"' || c == '\\')
      out += std::string("\\") + c;
    else
      out += c;
  }
  return "\"" + out + "\"";
}

std::vector<int32_t> sampling_weights(double scale) {
  std::vector<int32_t> s;
  for (size_t i = 0; i < kSamplingEntries; ++i) s.push_back(static_cast<int32_t>(65535 * std::exp(-static_cast<double>(i) * scale) + 0.5));
  return s;
}

}  // namespace

Model tiny_model(const TinyParams& params) {
  Builder b{params, std::mt19937(params.seed)};
  Model m;
  m.name = "tiny";
  m.description = "random weights";
  m.vocabulary = params.vocabulary;
  m.width = params.width;
  m.embedding.lo = params.embedding_lo;
  m.embedding.hi = params.embedding_hi;
  const int symbols = static_cast<int>(m.vocabulary.size());
  for (int t = 0; t < params.embedding_tables; ++t) {
    std::vector<int8_t> table;
    for (int i = 0; i < symbols * params.width; ++i) table.push_back(static_cast<int8_t>(b.pick(params.embedding_lo, params.embedding_hi)));
    m.embedding.tables.push_back(std::move(table));
  }
  double stream = 18.0 * std::sqrt(params.embedding_tables);
  int width = params.width;
  for (size_t n = 0; n < params.layers.size(); ++n) {
    const std::string name = fmt::format("layers.{}.", n);
    const Block block = params.layers[n];
    if (block == Block::kAttention)
      m.layers.emplace_back(b.attention(name, width, stream));
    else if (block == Block::kFeedForward)
      m.layers.emplace_back(b.feed_forward(name, width, stream));
    else
      m.layers.emplace_back(b.dense(fmt::format("layers.{}.", n), block, width, stream));
  }
  m.head.input = b.activation(width, stream, params.input_bits, false, true);
  m.head.weights = b.matrix("head.weight", symbols, width);
  m.head.bias = b.biases(symbols, b.sum_rms(width, Builder::activation_rms(params.input_bits, false)));
  m.logit_scale = 0.125;
  m.sampling = {{"0.7", sampling_weights(m.logit_scale / 0.7)}, {"1.0", sampling_weights(m.logit_scale)}};
  return m;
}

ModelFiles print_model(const Model& m) {
  Printer p;
  std::string y =
      "format: bitgrid-model-1\nname: " + m.name + "\ndescription: " + escaped(m.description) + "\nweights: weights.safetensors\n";
  y += fmt::format("vocabulary: {}\nwidth: {}\n", escaped(m.vocabulary), m.width);
  const std::vector<uint64_t> shape = {m.vocabulary.size(), static_cast<uint64_t>(m.width)};
  std::string names;
  for (size_t t = 0; t < m.embedding.tables.size(); ++t) {
    names += (t ? ", " : "") + p.add(t ? fmt::format("embedding.{}", t) : "embedding", frontend::DType::kI8, shape, m.embedding.tables[t]);
  }
  const bool one = m.embedding.tables.size() == 1;
  y += fmt::format("embedding: {{{}, range: [{}, {}]}}\n", one ? "tensor: " + names : "tensors: [" + names + "]", m.embedding.lo,
                   m.embedding.hi);
  y += m.layers.empty() ? "layers: []\n" : "layers:\n";
  for (size_t n = 0; n < m.layers.size(); ++n) {
    y += std::visit([&](const auto& layer) { return p.layer(fmt::format("layers.{}.", n), layer); }, m.layers[n]);
  }
  y += "head: {";
  if (!std::holds_alternative<std::monostate>(m.head.input)) y += "input: " + p.activation("head.input", m.head.input) + ", ";
  y += p.weights("head", m.head.weights);
  if (!m.head.bias.empty()) y += ", bias: " + p.bias("head", m.head.bias);
  y += fmt::format("}}\nsampling: {{logit_scale: {}", m.logit_scale);
  if (!m.sampling.empty()) y += ", tables: {";
  for (size_t i = 0; i < m.sampling.size(); ++i) {
    const SamplingTable& t = m.sampling[i];
    y += fmt::format("{}\"{}\": {}", i ? ", " : "", t.temperature,
                     p.add("sampling." + t.temperature, frontend::DType::kI32, {t.weights.size()}, t.weights));
  }
  y += m.sampling.empty() ? "}\n" : "}}\n";
  if (m.reported_bits_per_character) y += fmt::format("reported: {{bits_per_character: {}}}\n", *m.reported_bits_per_character);
  return {y, frontend::print_safetensors(p.tensors)};
}

std::string write_model(const Model& model, const std::string& dir) {
  std::filesystem::create_directories(dir);
  const ModelFiles files = print_model(model);
  write_file(dir + "/weights.safetensors", files.weights);
  write_file(dir + "/model.yaml", files.yaml);
  return dir + "/model.yaml";
}

}  // namespace bitgrid
