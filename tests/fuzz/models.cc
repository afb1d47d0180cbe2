// Small random models: golden code, packed code, Dags, and grid.
#include <fmt/format.h>

#include <numeric>
#include <random>

#include "engines/engines.h"
#include "frontend/load_model.h"
#include "lowering/mapping/map.h"
#include "reference_cpu/engine.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/compare.h"
#include "tests/fuzz/targets.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::fuzz {
namespace {

constexpr int kMostWidth = 16, kMostWindow = 4, kMostWeights = 1500;

/// Builds a model out of bytes. Ranges and biases are likely ones, but the loader may refuse it, or lowering.
struct Builder {
  Bytes& bytes;

  int pick(int lo, int hi) { return lo + static_cast<int>(bytes.below(static_cast<uint32_t>(hi - lo + 1))); }
  bool one_of(uint32_t n) { return bytes.below(n) == n - 1; }
  int32_t signed_byte() { return static_cast<int8_t>(bytes.byte()); }

  /// Four weights a byte; 1 where there are no bytes left.
  Matrix matrix(const std::string& name, int outputs, int inputs) {
    static constexpr int8_t kBinary[] = {1, -1, 1, -1}, kTernary[] = {1, -1, 0, 0}, kInt2[] = {1, -1, 0, 2};
    Matrix m{name, static_cast<WeightValues>(bytes.below(3)), outputs, inputs, {}};
    const int8_t* values = m.values == WeightValues::kBinary ? kBinary : m.values == WeightValues::kTernary ? kTernary : kInt2;
    uint8_t byte = 0;
    for (int i = 0; i < outputs * inputs; ++i) {
      byte = i % 4 == 0 ? bytes.byte() : static_cast<uint8_t>(byte >> 2);
      m.data.push_back(values[byte & 3]);
    }
    return m;
  }

  std::vector<int32_t> biases(int channels) {
    std::vector<int32_t> out;
    if (!bytes.below(2)) return out;
    const int shift = one_of(8) ? pick(0, 20) : 0;
    for (int c = 0; c < channels; ++c) out.push_back(signed_byte() * (1 << shift));
    return out;
  }

  std::vector<int32_t> multipliers(int channels) {
    const uint32_t kind = bytes.below(4);
    std::vector<int32_t> out(kind < 2 ? 0 : kind == 2 ? 1 : static_cast<size_t>(channels));
    for (int32_t& m : out) m = pick(1, kMaxMultiplier);
    return out;
  }

  Requantise requantise(int channels, bool one_sided) {
    Requantise r;
    r.shift = one_of(8) ? pick(kMinShift, kMaxShift) : pick(0, 7);
    const int bits = one_of(8) ? pick(1, 8) : pick(1, 4);
    r.hi = (1 << bits) - 1;
    r.lo = one_sided ? 0 : -r.hi;
    r.multiplier = multipliers(channels);
    r.bias = biases(channels);
    return r;
  }

  Activation activation(int channels, bool one_sided) {
    if (one_of(4)) return Sign{biases(channels)};
    return requantise(channels, one_sided);
  }

  Linear linear(const std::string& name, int outputs, int inputs, bool one_sided) {
    Linear l;
    l.weights = matrix(name, outputs, inputs);
    l.activation = activation(outputs, one_sided);
    return l;
  }

  void add_table(const std::string& name, Linear& l) {
    const auto* r = std::get_if<Requantise>(&l.activation);
    if (!r || !one_of(4)) return;
    l.table = Table{name, r->lo, {}};
    for (int y = r->lo; y <= r->hi; ++y) l.table->values.push_back(signed_byte());
  }

  Attention attention(const std::string& name, int width) {
    Attention a;
    do a.heads = pick(1, width);
    while (width % a.heads != 0 && !bytes.empty());
    if (width % a.heads != 0) a.heads = 1;
    a.window = pick(1, kMostWindow);
    a.input = activation(width, false);
    a.query = linear(name + "query", width, width, true);
    a.key = linear(name + "key", width, width, bytes.below(2));
    a.value = linear(name + "value", width, width, bytes.below(2));
    if (bytes.below(2)) {
      for (int i = 0; i < a.heads * a.window; ++i) a.position.push_back(signed_byte());
    }
    a.score = requantise(1, true);
    a.score.bias.clear();
    a.mix = activation(width, false);
    a.output.weights = matrix(name + "output", width, width);
    return a;
  }

  FeedForward feed_forward(const std::string& name, int width) {
    FeedForward f;
    const int hidden = pick(1, kMostWidth);
    f.input = activation(width, bytes.below(2));
    f.up = linear(name + "up", hidden, width, bytes.below(2));
    add_table(name + "table", f.up);
    f.down.weights = matrix(name + "down", width, hidden);
    return f;
  }

  Dense dense(const std::string& name, int& width) {
    Dense d;
    if (bytes.below(4)) d.input = activation(width, bytes.below(2));
    const int outputs = pick(1, kMostWidth);
    d.linear.weights = matrix(name + "weight", outputs, width);
    if (bytes.below(4)) {
      d.linear.activation = activation(outputs, bytes.below(2));
      add_table(name + "table", d.linear);
    }
    width = outputs;
    return d;
  }

  Model model() {
    Model m;
    m.name = "random";
    m.vocabulary = std::string("\nabcdefg").substr(0, static_cast<size_t>(pick(1, 8)));
    int width = m.width = pick(1, kMostWidth);
    m.embedding.lo = std::min(0, signed_byte());
    m.embedding.hi = std::max(m.embedding.lo, signed_byte());
    const auto entries = m.vocabulary.size() * static_cast<size_t>(width);
    for (int t = one_of(3) ? 2 : 1; t > 0; --t) {
      auto& table = m.embedding.tables.emplace_back();
      while (table.size() < entries) table.push_back(static_cast<int8_t>(pick(m.embedding.lo, m.embedding.hi)));
    }
    const int layers = pick(1, 3);
    for (int n = 0; n < layers; ++n) {
      const std::string name = fmt::format("layers.{}.", n);
      const uint32_t kind = bytes.below(3);
      if (kind == 0) m.layers.emplace_back(dense(name, width));
      if (kind == 1) m.layers.emplace_back(feed_forward(name, width));
      if (kind == 2) m.layers.emplace_back(attention(name, width));
    }
    if (bytes.below(4)) m.head.input = activation(width, bytes.below(2));
    m.head.weights = matrix("head", static_cast<int>(m.vocabulary.size()), width);
    m.head.bias = biases(m.head.weights.outputs);
    m.logit_scale = 0.125;
    return m;
  }
};

bool small(const Model& model) {
  size_t weights = model.head.weights.data.size();
  bool narrow = model.width <= kMostWidth;
  for (const Layer& layer : model.layers) {
    if (const auto* a = std::get_if<Attention>(&layer)) {
      weights += 4 * a->query.weights.data.size();
      narrow &= a->window <= kMostWindow;
    } else if (const auto* f = std::get_if<FeedForward>(&layer)) {
      weights += 2 * f->up.weights.data.size();
    } else {
      weights += std::get<Dense>(layer).linear.weights.data.size();
    }
  }
  return narrow && weights <= kMostWeights;
}

std::vector<cpu::Trace> traces(const Model& model, const std::vector<int>& tokens, cpu::CpuParams::Kernels kernels) {
  const cpu::CpuEngine engine(model, {kernels});
  cpu::CpuState state = engine.start();
  std::vector<cpu::Trace> out(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) engine.step(state, tokens[i], &out[i]);
  return out;
}

/// Of all tensors that both have.
std::optional<std::string> difference(const std::string& what, const Program& program, const std::vector<int>& tokens,
                                      const StepRunner& run, const std::vector<cpu::Trace>& golden) {
  HostState state = initial_state(program);
  const HostTrace trace = run_tokens(program, state, tokens, run);
  for (int position = 0; position < trace.positions; ++position) {
    for (size_t t = 0; t < program.tensors.size(); ++t) {
      const Tensor& tensor = program.tensors[t];
      const auto& values = golden[static_cast<size_t>(position)];
      const auto it = values.find(tensor.name);
      if (it == values.end()) continue;  // an intermediate of the program
      for (int c = 0; c < tensor.count; ++c) {
        const auto channel = static_cast<size_t>(c);
        const int64_t got = decode(tensor.encoding, channel, trace.at(program, static_cast<int>(t), position, c));
        const int64_t expected = it->second[channel];
        if (got != expected) return fmt::format("{}, token {}: {}[{}] is {}, should be {}", what, position, tensor.name, c, got, expected);
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> first_wrong(const Model& model, const Program& program, const std::vector<MappedKernel>& mapped,
                                       const std::vector<int>& tokens) {
  const std::vector<cpu::Trace> golden = traces(model, tokens, cpu::CpuParams::Kernels::kGolden);
  if (traces(model, tokens, cpu::CpuParams::Kernels::kPacked) != golden) return "packed code";
  if (auto wrong = difference("Dags", program, tokens, engines::find_engine("dag").of_kernels({program, nullptr, nullptr}).run, golden))
    return wrong;
  engines::EngineInputs inputs{program, [&] { return mapped; }, nullptr};
  const engines::Engine& grid = engines::find_engine("grid");
  if (auto wrong = difference("grid", program, tokens, grid.of_kernels(inputs).run, golden)) return wrong;
  inputs.latch_seed = 1;
  return difference("grid, latches at random", program, tokens, grid.of_kernels(inputs).run, golden);
}

/// The files of a model as for the target `model`, or bytes that choose one; then tokens and the form of matrices. The loader may refuse a
/// model, or lowering; what is lowered is mapped.
void random_model(std::string_view text) {
  Bytes bytes(text);
  const bool files = text.starts_with("format:");
  ModelFiles printed;
  if (files) {
    const std::vector<std::string> both = parts(text, 2);
    printed = {both[0], both[1]};
  } else {
    printed = print_model(Builder{bytes}.model());
  }
  const auto model = accepted([&] { return frontend::parse_model(printed.yaml, "model.yaml", printed.weights, "model.safetensors"); });
  if (!model) return;
  if (!small(*model)) return;
  numerics::LowerParams lower_params;
  mapping::MapParams map_params;
  lower_params.optimize = map_params.optimize = static_cast<mapping::Optimize>(bytes.below(3));
  if (!files && bytes.below(4) == 1) lower_params.tile = {static_cast<int>(8 + bytes.below(40)), static_cast<int>(8 + bytes.below(40))};
  map_params.effort = mapping::Effort::kFast;
  // Mostly what takes the least time: the matrices are what this target is for.
  const uint32_t mode = bytes.below(8);
  map_params.mode = mode < 2 ? mapping::MapMode::kAuto : mapping::MapMode::kSettle;
  map_params.plane_inputs = mode < 4 ? 6 : 0;
  std::vector<int> tokens;
  for (int i = 0; i < kMostWindow + 2; ++i)
    tokens.push_back(static_cast<int>(bytes.below(static_cast<uint32_t>(model->vocabulary.size()))));
  const auto program = accepted([&] { return numerics::lower(*model, lower_params); });
  if (!program) return;
  const auto wrong = first_wrong(*model, *program, mapping::map_kernels(*program, map_params), tokens);
  require(!wrong, wrong.value_or("") + "; the model is\n" + printed.yaml);
}

}  // namespace bitgrid::fuzz
