#include "lowering/networks/lower_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/networks/network_kernels.h"
#include "lowering/numerics/program_builder.h"

namespace bitgrid::networks {
namespace {

constexpr int kLevelsAtOnce = 8;  // thresholds that an invocation compares
constexpr int kPoolLanes = 16;
constexpr uint64_t kMostNetworkWeights = uint64_t{1} << 25;

Encoding encoding_of(const CodeRange& range) {
  return {std::max(1u, id_of(std::bit_width(id_of(range.levels())))), range.step, {range.lo}};
}

/// Border that the windows of a layer reach into.
MapLayout layout_for(const FeatureMap& map, const FeatureMap& out, const Window& w) {
  MapLayout layout{map, w.top, w.left, 0, 0};
  layout.bottom = std::max(0, (out.height - 1) * w.stride_y + w.height - w.top - map.height);
  layout.right = std::max(0, (out.width - 1) * w.stride_x + w.width - w.left - map.width);
  return layout;
}

struct Geometry {
  FeatureMap in, out;
  Window window;
};
Geometry geometry_of(const NetworkLayer& layer) {
  return std::visit([](const auto& l) { return Geometry{l.in, l.out, l.window}; }, layer);
}

bool is_padded(const MapLayout& l) {
  return l.top + l.left + l.bottom + l.right > 0;
}

/// Where the words of a map are read: a tensor, or the samples' table.
struct Operand {
  int tensor = -1;  // -1: the table
  int table = 0;
  MapLayout layout;
  Tensor numbers;

  Source source(int first, int stride) const {
    if (tensor >= 0) return TensorSource{tensor, first, stride};
    return TokenSource{table, 0, first, stride};
  }
};

class NetworkLowering {
 public:
  NetworkLowering(const IntegerNetwork& network, const numerics::LowerParams& params) : network_(network) { b_.params = params; }

  LoweredNetwork run() {
    b_.program.name = network_.name;
    Operand x = input();
    for (size_t l = 0; l < network_.layers.size(); ++l) {
      if (const auto* pool = std::get_if<NetworkPool>(&network_.layers[l]))
        x = this->pool(l, *pool, x);
      else
        x = matrix(l, std::get<NetworkMatrix>(network_.layers[l]), x);
    }
    verify(b_.program);
    out_.program = std::move(b_.program);
    return std::move(out_);
  }

 private:
  bool is_last(size_t l) const { return l + 1 == network_.layers.size(); }

  /// How the values that layer l gives lie in memory: as the next layer wants them. As maps of one place where that reads all of them.
  MapLayout layout_behind(size_t l, const FeatureMap& map) const {
    if (l == network_.layers.size()) return {map};
    const Geometry g = geometry_of(network_.layers[l]);
    return layout_for(map.size() == g.in.size() && map != g.in && map.height * map.width == 1 ? g.in : map, g.out, g.window);
  }

  Operand input() {
    Operand x;
    x.layout = layout_behind(0, network_.input.shape);
    const Encoding e = encoding_of(network_.input.range);
    x.numbers = {"input", x.layout.words(), e, {static_cast<uint64_t>(network_.input.range.levels())}};
    x.table = b_.add_code_table({"input", 1, x.layout.words(), e.bits, std::vector<uint64_t>(index_of(x.layout.words()), 0)});
    out_.input = x.table;
    out_.input_layout = x.layout;
    out_.input_range = network_.input.range;
    return x;
  }

  Operand result(size_t l, const FeatureMap& map, const CodeRange& range, const std::string& name) {
    Operand y;
    y.layout = layout_behind(l + 1, map);
    const std::vector<uint64_t> max_code = {static_cast<uint64_t>(range.levels())};
    y.tensor = b_.add_tensor(name, y.layout.words(), encoding_of(range), max_code);
    y.numbers = b_.tensor(y.tensor);
    out_.traced.push_back({name, y.tensor, y.layout});
    return y;
  }

  /// The matrix of one group of channels as numerics takes it: columns in the order row, column, channel.
  numerics::MatrixLayer matrix_layer(const NetworkMatrix& m, const Tensor& operand, int group, bool raw) const {
    numerics::MatrixLayer layer;
    layer.name = m.name;
    layer.operand = &operand;
    layer.raw = raw;
    const int rows = m.out.channels / m.groups, depth = m.in.channels / m.groups;
    Sign sign;
    for (int r = group * rows; r < (group + 1) * rows; ++r) {
      const bool falls = !raw && m.thresholds->direction[index_of(r)] < 0;
      std::vector<int64_t> weights;
      for (int i = 0; i < m.window.height; ++i)
        for (int j = 0; j < m.window.width; ++j)
          for (int d = 0; d < depth; ++d) {
            const int64_t w = m.row(r)[(d * m.window.height + i) * m.window.width + j];
            weights.push_back(falls ? -w : w);
          }
      layer.weights.push_back(std::move(weights));
      if (!raw) {
        const int64_t t = m.thresholds->at[index_of(r)];
        sign.bias.push_back(static_cast<int32_t>(falls ? t : -t));
      }
    }
    if (!raw) layer.activation = sign;
    return layer;
  }

  Operand matrix(size_t l, const NetworkMatrix& m, const Operand& x) {
    ++b_.stage;
    const bool last = is_last(l), one_level = !last && m.thresholds->range.levels() == 1;
    const std::string name = layer_name(l);
    if (one_level) {
      const Operand y = result(l, m.out, m.thresholds->range, name);
      fill_border(y, m.thresholds->range);
      for (int g = 0; g < m.groups; ++g) sums(m, x, g, name, -1, y.tensor, y.layout);
      return y;
    }
    const MapLayout plain{m.out};
    const int raw = b_.add_tensor(last ? "scores" : name + ".sums", plain.words(), {}, {});
    for (int g = 0; g < m.groups; ++g) sums(m, x, g, name, raw, -1, plain);
    out_.traced.push_back({b_.tensor(raw).name, raw, plain});
    if (last) b_.program.logits = raw;
    if (last && network_.decision == Decision::kLargest) return {};
    const Operand y = result(l, m.out, m.thresholds->range, last ? "answer" : name);
    fill_border(y, m.thresholds->range);
    thresholds(l, m, raw, y);
    return y;
  }

  /// One group's rows, at every place of the window. Encodings of raw sums are set when they are known.
  void sums(const NetworkMatrix& m, const Operand& x, int group, const std::string& layer, int raw, int result_tensor,
            const MapLayout& to) {
    const int rows = m.out.channels / m.groups, depth = m.in.channels / m.groups;
    const bool whole_rows = m.groups == 1;  // the words of a row of the window lie side by side
    const int columns = m.window.height * m.window.width * depth;
    Tensor operand = x.numbers;
    operand.count = columns;
    const bool is_raw = raw >= 0;
    numerics::MatrixLayer matrix = matrix_layer(m, operand, group, is_raw);
    if (is_raw && &m == &network_.last())
      for (int r = 0; r < rows; ++r)
        matrix.bias.push_back(static_cast<int32_t>(network_.shift[index_of(r) * (network_.shift.size() / index_of(m.out.channels))]));
    const numerics::MatrixPlan plan = numerics::plan_matrix(matrix);
    if (is_raw) widen(raw, plan, group, rows, m);
    const std::string name = m.groups == 1 ? layer : fmt::format("{}.group{}", layer, group);
    if (m.out.height * m.out.width == 1 && whole_rows && !is_padded(x.layout)) {
      b_.add_matrix(matrix, plan, name, {x.source(0, 0)}, raw, result_tensor);
      return;
    }
    // A program of its own for one place; then its steps at every place.
    numerics::ProgramBuilder part;
    part.params = b_.params;
    const int out = part.add_tensor("out", rows, {}, {});
    part.add_matrix(matrix, plan, name, {TensorSource{0, 0, 0}}, is_raw ? out : -1, is_raw ? -1 : out);
    const int ports = whole_rows ? m.window.height : m.window.height * m.window.width;
    for (const Step& step : part.program.steps) {
      Kernel kernel = part.program.kernels[index_of(step.kernel)];
      split_first_input(kernel, ports);
      const int id = b_.add_kernel(std::move(kernel));
      for (int y = 0; y < m.out.height; ++y) {
        Step at{step.name, id, m.out.width, b_.stage, {}, {}};
        for (int i = 0; i < m.window.height; ++i) {
          const int row = (y * m.window.stride_y + i) * x.layout.row_words(), stride = m.window.stride_x * m.in.channels;
          if (whole_rows)
            at.inputs.push_back(x.source(row, stride));
          else
            for (int j = 0; j < m.window.width; ++j) at.inputs.push_back(x.source(row + j * m.in.channels + group * depth, stride));
        }
        const auto first = int_of(to.at(group * rows + step.outputs[0].first, y, 0));
        at.outputs.push_back({is_raw ? raw : result_tensor, first, m.out.channels});
        b_.program.steps.push_back(std::move(at));
      }
    }
  }

  /// The encoding of raw sums. Groups of one layer have encodings of their own; so they must be alike.
  void widen(int raw, const numerics::MatrixPlan& plan, int group, int rows, const NetworkMatrix& m) {
    Tensor& t = b_.tensor(raw);
    if (group == 0) {
      t.encoding = {plan.raw_encoding.bits, 1, std::vector<int64_t>(index_of(t.count), 0)};
      t.max_code.assign(index_of(t.count), 0);
    }
    if (plan.raw_encoding.bits != t.encoding.bits)
      throw Error(m.name, "groups of different ranges are not lowered yet", "run it with --engine cpu");
    for (int i = 0; i < t.count; ++i) {
      const int channel = i % m.out.channels;
      if (channel / rows != group) continue;
      const auto r = index_of(channel % rows);
      t.encoding.zero[index_of(i)] = plan.raw_encoding.zero[plan.raw_encoding.zero.size() == 1 ? 0 : r];
      t.max_code[index_of(i)] = plan.raw_max_code[r];
    }
  }

  void thresholds(size_t l, const NetworkMatrix& m, int raw, const Operand& y) {
    const Tensor s = b_.tensor(raw);
    const Thresholds& t = *m.thresholds;
    const int levels = t.range.levels(), channels = m.out.channels;
    const uint32_t count_bits = y.numbers.encoding.bits, level_bits = s.encoding.bits + 1;
    // Thresholds of codes: a level that is reached by s <= t is one by s < t + 1.
    CodeTable at{layer_name(l) + ".thresholds", 1, channels * levels, level_bits, {}},
        direction{layer_name(l) + ".directions", 1, channels, 1, {}};
    const int64_t most = int64_t{1} << s.encoding.bits;
    for (int c = 0; c < channels; ++c) {
      const bool falls = t.direction[index_of(c)] < 0;
      direction.codes.push_back(falls ? 1 : 0);
      const int64_t shift = is_last(l) ? network_.shift[index_of(c) * (network_.shift.size() / index_of(channels))] : 0;
      for (int j = 0; j < levels; ++j) {
        const int64_t sum = t.at[index_of(c * levels + j)] + (falls ? 1 : 0) + shift;
        at.codes.push_back(static_cast<uint64_t>(std::clamp<int64_t>(sum - s.encoding.zero[index_of(c)], 0, most)));
      }
    }
    const int thresholds = b_.add_code_table(std::move(at)), directions = b_.add_code_table(std::move(direction));
    const MapLayout plain{m.out};
    int before = -1;
    for (int first = 0; first < levels; first += kLevelsAtOnce) {
      ++b_.stage;
      const int n = std::min(kLevelsAtOnce, levels - first);
      const bool end = first + n == levels;
      const int kernel = b_.shared_kernel(count_kernel(s.encoding.bits, n, count_bits, first == 0));
      int to = y.tensor;
      if (!end)
        to = b_.add_tensor(fmt::format("{}.count{}", layer_name(l), first), plain.words(), {count_bits, 1, {0}},
                           {static_cast<uint64_t>(levels)});
      const MapLayout& layout = end ? y.layout : plain;
      const auto step = [&](int from, int channel, int into, int repeat, int stride, int channel_stride) {
        Step at_place{fmt::format("{}.thresholds", layer_name(l)),
                      kernel,
                      repeat,
                      b_.stage,
                      {TensorSource{raw, from, stride}, RowSource{thresholds, 0, channel * levels + first, channel_stride * levels},
                       RowSource{directions, 0, channel, channel_stride}},
                      {{to, into, stride}}};
        if (before >= 0) at_place.inputs.push_back(TensorSource{before, from, stride});
        b_.program.steps.push_back(std::move(at_place));
      };
      if (m.out.height * m.out.width == 1) {
        step(0, 0, int_of(layout.at(0, 0, 0)), channels, 1, 1);
      } else {
        for (int c = 0; c < channels; ++c)
          for (int row = 0; row < m.out.height; ++row)
            step(int_of(plain.at(c, row, 0)), c, int_of(layout.at(c, row, 0)), m.out.width, channels, 0);
      }
      before = to;
    }
  }

  /// The code of 0 around a map, where it is not the code 0 that memory begins with.
  void fill_border(const Operand& y, const CodeRange& range) {
    if (!is_padded(y.layout)) return;
    const auto code = static_cast<uint64_t>((0 - range.lo) / range.step);
    if (code == 0) return;
    const uint32_t bits = y.numbers.encoding.bits;
    const int kernel = b_.shared_kernel(copy_word_kernel(bits)), table = b_.add_code_table({y.numbers.name + ".zero", 1, 1, bits, {code}});
    std::vector<bool> inside(index_of(y.layout.words()), false);
    for (int r = 0; r < y.layout.map.height; ++r)
      for (int c = 0; c < y.layout.map.width; ++c)
        for (int d = 0; d < y.layout.map.channels; ++d) inside[y.layout.at(d, r, c)] = true;
    for (size_t i = 0; i < inside.size();) {
      size_t end = i;
      while (end < inside.size() && inside[end] == inside[i]) ++end;
      if (!inside[i])
        b_.program.steps.push_back(
            {y.numbers.name + ".border", kernel, int_of(end - i), b_.stage, {RowSource{table, 0, 0, 0}}, {{y.tensor, int_of(i), 1}}});
      i = end;
    }
  }

  Operand pool(size_t l, const NetworkPool& p, const Operand& x) {
    ++b_.stage;
    const CodeRange range = operand_range(network_, l);
    const Operand y = result(l, p.out, range, layer_name(l));
    fill_border(y, range);
    const bool any_least = std::any_of(p.least.begin(), p.least.end(), [](bool least) { return least; });
    int lanes = any_least ? 1 : std::min(kPoolLanes, p.in.channels);
    while (p.in.channels % lanes != 0) --lanes;
    for (int c = 0; c < p.in.channels; c += lanes) {
      const int kernel =
          b_.shared_kernel(pool_kernel(p.window.height * p.window.width, lanes, x.numbers.encoding.bits, p.least[index_of(c)]));
      for (int row = 0; row < p.out.height; ++row) {
        Step step{layer_name(l), kernel, p.out.width, b_.stage, {}, {{y.tensor, int_of(y.layout.at(c, row, 0)), p.out.channels}}};
        for (int i = 0; i < p.window.height; ++i)
          for (int j = 0; j < p.window.width; ++j)
            step.inputs.push_back(
                x.source((row * p.window.stride_y + i) * x.layout.row_words() + j * p.in.channels + c, p.window.stride_x * p.in.channels));
        b_.program.steps.push_back(std::move(step));
      }
    }
    return y;
  }

  const IntegerNetwork& network_;
  numerics::ProgramBuilder b_;
  LoweredNetwork out_;
};

}  // namespace

std::optional<NetworkProblem> find_lowering_problem(const IntegerNetwork& network, const numerics::LowerParams& params) {
  const std::string cure = "run it with --engine cpu";
  uint64_t weights = 0;
  for (size_t l = 0; l < network.layers.size(); ++l) {
    const Geometry g = geometry_of(network.layers[l]);
    const bool padded = is_padded(layout_for(g.in, g.out, g.window));
    const CodeRange range = operand_range(network, l);
    if (const auto* m = std::get_if<NetworkMatrix>(&network.layers[l])) {
      weights += m->weights.size();
      if (padded && (range.lo > 0 || range.hi < 0 || range.lo % range.step != 0))
        return NetworkProblem{
            m->name, fmt::format("its padding is 0, and none of the codes {}, {} .. that it reads", range.lo, range.lo + range.step), cure};
      if (params.tile.bounded() && (g.out.height * g.out.width > 1 || padded || m->groups > 1))
        return NetworkProblem{m->name, "convolutions are not cut to tiles yet", "compile without --arch, or with a tile of any size"};
      if (weights > kMostNetworkWeights)
        return NetworkProblem{network.name,
                              fmt::format("it has more than {} weights, and every weight owns cells so far", kMostNetworkWeights), cure};
    } else if (padded) {
      return NetworkProblem{std::get<NetworkPool>(network.layers[l]).name, "pools with windows beyond the map are not lowered yet", cure};
    }
  }
  return std::nullopt;
}

LoweredNetwork lower_network(const IntegerNetwork& network, const numerics::LowerParams& params) {
  if (const auto p = find_lowering_problem(network, params)) throw Error(p->where, p->problem, p->cure);
  return NetworkLowering(network, params).run();
}

void set_samples(LoweredNetwork& n, const std::vector<std::vector<int64_t>>& samples) {
  CodeTable& table = n.program.tables[index_of(n.input)];
  const CodeRange& range = n.input_range;
  const MapLayout& layout = n.input_layout;
  const auto zero = range.lo <= 0 ? static_cast<uint64_t>((0 - range.lo) / range.step) : 0;
  table.rows = count_of(samples);
  table.codes.assign(samples.size() * index_of(layout.words()), zero);
  for (size_t s = 0; s < samples.size(); ++s)
    for (int c = 0; c < layout.map.channels; ++c)
      for (int y = 0; y < layout.map.height; ++y)
        for (int x = 0; x < layout.map.width; ++x)
          table.codes[s * index_of(layout.words()) + layout.at(c, y, x)] =
              static_cast<uint64_t>((samples[s][layout.map.at(c, y, x)] - range.lo) / range.step);
}

std::vector<int64_t> values_of(const LoweredNetwork& n, const HostTrace& trace, const TracedTensor& t, int sample) {
  const Tensor& tensor = n.program.tensors[index_of(t.tensor)];
  const FeatureMap& map = t.layout.map;
  std::vector<int64_t> values(map.size());
  for (int c = 0; c < map.channels; ++c)
    for (int y = 0; y < map.height; ++y)
      for (int x = 0; x < map.width; ++x) {
        const size_t at = t.layout.at(c, y, x);
        values[map.at(c, y, x)] = decode(tensor.encoding, at, trace.at(n.program, t.tensor, sample, int_of(at)));
      }
  return values;
}

}  // namespace bitgrid::networks
