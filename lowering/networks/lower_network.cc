#include "lowering/networks/lower_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/networks/network_kernels.h"
#include "lowering/networks/zero_codes.h"
#include "lowering/numerics/program_builder.h"

namespace bitgrid::networks {
namespace {

constexpr int kLevelsAtOnce = 8;  // thresholds that an invocation compares
constexpr int kPoolLanes = 16;
constexpr int kWindow = -1;  // stands for the map in the program of one place
constexpr uint64_t kMostNetworkWeights = uint64_t{1} << 25;

Encoding encoding_of(const CodeRange& range) {
  return {std::max(1u, id_of(std::bit_width(id_of(range.levels())))), range.step, {range.lo}};
}

struct Geometry {
  FeatureMap in, out;
  Window window;
};
Geometry geometry_of(const NetworkLayer& layer) {
  return std::visit([](const auto& l) { return Geometry{l.in, l.out, l.window}; }, layer);
}

/// Values of one place, or one for all channels, as those of so many places.
template <typename T>
std::vector<T> repeated(const std::vector<T>& values, int places) {
  if (values.size() <= 1) return values;
  std::vector<T> all;
  for (int i = 0; i < places; ++i) all.insert(all.end(), values.begin(), values.end());
  return all;
}
Encoding repeated(const Encoding& e, int places) {
  return {e.bits, e.scale, repeated(e.zero, places)};
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
  NetworkLowering(const IntegerNetwork& network, const numerics::LowerParams& params) : network_(with_zero_codes(network)) {
    b_.params = params;
  }

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
    if (raw && &m == &network_.last())
      for (int r = group * rows; r < (group + 1) * rows; ++r)
        layer.bias.push_back(static_cast<int32_t>(network_.shift[index_of(r) * (network_.shift.size() / index_of(m.out.channels))]));
    return layer;
  }

  Operand matrix(size_t l, const NetworkMatrix& m, const Operand& x) {
    ++b_.stage;
    const bool last = is_last(l), one_level = !last && m.thresholds->range.levels() == 1;
    const std::string name = layer_name(l);
    if (one_level) {
      const Operand y = result(l, m.out, m.thresholds->range, name);
      fill_border(l, y, m.thresholds->range);
      groups(m, x, name, -1, y.tensor, y.layout);
      return y;
    }
    const MapLayout plain{m.out};
    const int raw = b_.add_tensor(last ? "scores" : name + ".sums", plain.words(), {}, {});
    groups(m, x, name, raw, -1, plain);
    out_.traced.push_back({b_.tensor(raw).name, raw, plain});
    if (last) b_.program.logits = raw;
    if (last && network_.decision == Decision::kLargest) return {};
    const Operand y = result(l, m.out, m.thresholds->range, last ? "answer" : name);
    fill_border(l, y, m.thresholds->range);
    thresholds(l, m, raw, y);
    return y;
  }

  /// All groups side by side: each one's rows, at every place of the window. Of groups that are cut, stages as far as the longest goes.
  void groups(const NetworkMatrix& m, const Operand& x, const std::string& layer, int raw, int result_tensor, const MapLayout& to) {
    Tensor operand = x.numbers;
    operand.count = count_of(m.weights) / m.out.channels;
    std::vector<numerics::MatrixLayer> layers;
    std::vector<numerics::MatrixPlan> plans;
    uint32_t bits = 1;
    for (int g = 0; g < m.groups; ++g) {
      layers.push_back(matrix_layer(m, operand, g, raw >= 0));
      plans.push_back(numerics::plan_matrix(layers.back()));
      bits = std::max(bits, plans.back().raw_encoding.bits);
    }
    if (raw >= 0) set_sums(raw, plans, bits, m);
    const int first = b_.stage;
    int last = first;
    for (int g = 0; g < m.groups; ++g) {
      b_.stage = first;
      const std::string name = m.groups == 1 ? layer : fmt::format("{}.group{}", layer, g);
      sums(m, x, g, name, layers[index_of(g)], plans[index_of(g)], raw, result_tensor, to);
      last = std::max(last, b_.stage);
    }
    b_.stage = last;
  }

  void sums(const NetworkMatrix& m, const Operand& x, int group, const std::string& name, const numerics::MatrixLayer& matrix,
            const numerics::MatrixPlan& plan, int raw, int result_tensor, const MapLayout& to) {
    const int rows = m.out.channels / m.groups;
    const bool is_raw = raw >= 0;
    if (m.out.height * m.out.width == 1 && m.groups == 1 && !is_padded(x.layout)) {
      b_.add_matrix(matrix, plan, name, {x.source(0, 0)}, raw, result_tensor);
      return;
    }
    numerics::ProgramBuilder part;  // for one place; then its steps at every place
    part.params = b_.params;
    const int out = part.add_tensor("out", rows, {}, {});
    part.add_matrix(matrix, plan, name, {TensorSource{kWindow, 0, 0}}, is_raw ? out : -1, is_raw ? -1 : out);
    std::vector<int> states = {-1};  // sums of columns so far, of a row that is cut: for every place
    for (size_t t = 1; t < part.program.tensors.size(); ++t) {
      const Tensor& state = part.program.tensors[t];
      states.push_back(b_.add_tensor(state.name, m.out.height * m.out.width * state.count,
                                     repeated(state.encoding, m.out.height * m.out.width),
                                     repeated(state.max_code, m.out.height * m.out.width)));
    }
    for (const Step& step : part.program.steps) {
      Kernel kernel = part.program.kernels[index_of(step.kernel)];
      const std::vector<WindowPiece> pieces = window_pieces(m, x.layout, std::get<TensorSource>(step.inputs[0]).first,
                                                            kernel.inputs[0].words, group * (m.in.channels / m.groups));
      std::vector<int> words;
      for (const WindowPiece& p : pieces) words.push_back(p.words);
      split_first_input(kernel, words);
      const int id = b_.add_kernel(std::move(kernel));
      const auto state = [&](int tensor) { return std::pair(states[index_of(tensor)], part.tensor(tensor).count); };
      for (int y = 0; y < m.out.height; ++y) {
        Step at{step.name, id, m.out.width, b_.stage + step.stage, {}, {}};
        for (const WindowPiece& p : pieces)
          at.inputs.push_back(x.source(y * m.window.stride_y * x.layout.row_words() + p.first, m.window.stride_x * m.in.channels));
        for (size_t i = 1; i < step.inputs.size(); ++i) {
          const auto [tensor, count] = state(std::get<TensorSource>(step.inputs[i]).tensor);
          at.inputs.push_back(TensorSource{tensor, y * m.out.width * count, count});
        }
        if (step.outputs[0].tensor != out) {
          const auto [tensor, count] = state(step.outputs[0].tensor);
          at.outputs.push_back({tensor, y * m.out.width * count, count});
        } else {
          const auto first = int_of(to.at(group * rows + step.outputs[0].first, y, 0));
          at.outputs.push_back({is_raw ? raw : result_tensor, first, m.out.channels});
        }
        b_.program.steps.push_back(std::move(at));
      }
    }
    b_.stage += part.stage;
  }

  /// The encoding of a layer's sums; the plans of its groups become as wide as the widest.
  void set_sums(int raw, std::vector<numerics::MatrixPlan>& plans, uint32_t bits, const NetworkMatrix& m) {
    std::vector<int64_t> zero;
    std::vector<uint64_t> most;
    const int rows = m.out.channels / m.groups;
    for (numerics::MatrixPlan& plan : plans) {
      for (size_t r = 0; r < index_of(rows); ++r) zero.push_back(plan.raw_encoding.zero[plan.raw_encoding.zero.size() == 1 ? 0 : r]);
      most.insert(most.end(), plan.raw_max_code.begin(), plan.raw_max_code.end());
      plan.raw_encoding.bits = bits;
      plan.word_slots = std::max(plan.word_slots, int_of(bits));
    }
    const int places = m.out.height * m.out.width;
    b_.tensor(raw).encoding = repeated({bits, 1, zero}, places);
    b_.tensor(raw).max_code = repeated(most, places);
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

  /// What stands around the map that layer l gives, for the layer that reads it: the code of 0 for a matrix, for a pool what it never
  /// takes.
  void fill_border(size_t l, const Operand& y, const CodeRange& range) {
    if (!is_padded(y.layout)) return;
    const auto channels = index_of(y.layout.map.channels);
    std::vector<uint64_t> codes(channels, static_cast<uint64_t>((0 - range.lo) / range.step));
    if (const auto* pool = std::get_if<NetworkPool>(&network_.layers[l + 1]))
      for (size_t c = 0; c < channels; ++c) codes[c] = pool->least[c] ? static_cast<uint64_t>(range.levels()) : 0;
    if (std::all_of(codes.begin(), codes.end(), [](uint64_t code) { return code == 0; })) return;  // as memory begins
    const uint32_t bits = y.numbers.encoding.bits;
    const std::vector<WindowPiece> runs = border_runs(y.layout);
    int longest = 0;
    for (const WindowPiece& run : runs) longest = std::max(longest, run.words);
    CodeTable table{y.numbers.name + ".around", 1, longest, bits, {}};
    for (int i = 0; i < longest; ++i) table.codes.push_back(codes[index_of(i) % channels]);
    const int kernel = b_.shared_kernel(copy_word_kernel(bits)), around = b_.add_code_table(std::move(table));
    for (const WindowPiece& run : runs)
      b_.program.steps.push_back(
          {y.numbers.name + ".border", kernel, run.words, b_.stage, {RowSource{around, 0, 0, 1}}, {{y.tensor, run.first, 1}}});
  }

  Operand pool(size_t l, const NetworkPool& p, const Operand& x) {
    ++b_.stage;
    const CodeRange range = operand_range(network_, l);
    const Operand y = result(l, p.out, range, layer_name(l));
    fill_border(l, y, range);
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

  const IntegerNetwork network_;
  numerics::ProgramBuilder b_;
  LoweredNetwork out_;
};

}  // namespace

LoweredNetwork lower_network(const IntegerNetwork& network, const numerics::LowerParams& params) {
  size_t weights = 0;
  for (const NetworkLayer& layer : network.layers)
    if (const auto* m = std::get_if<NetworkMatrix>(&layer)) weights += m->weights.size();
  if (weights > kMostNetworkWeights)
    throw Error(network.name, fmt::format("it has more than {} weights, and every weight owns cells so far", kMostNetworkWeights),
                "run it with --engine cpu");
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
