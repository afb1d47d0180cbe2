#include "lowering/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <optional>

#include "ir/error.h"
#include "lowering/kernel_dag.h"
#include "lowering/matrix.h"
#include "lowering/resident.h"

namespace bitgrid {
namespace {

std::vector<std::vector<int64_t>> weights_of(const Matrix& m) {
  std::vector<std::vector<int64_t>> rows(static_cast<size_t>(m.outputs));
  for (int r = 0; r < m.outputs; ++r) {
    for (int c = 0; c < m.inputs; ++c) rows[static_cast<size_t>(r)].push_back(m.at(r, c));
  }
  return rows;
}

/// The activation of some of the rows.
Activation slice(const Activation& activation, int first, int count) {
  const auto cut = [&](std::vector<int32_t>& v) {
    if (v.size() > 1) v = {v.begin() + first, v.begin() + first + count};
  };
  Activation part = activation;
  if (auto* rq = std::get_if<Requantise>(&part)) cut(rq->bias), cut(rq->multiplier);
  if (auto* sign = std::get_if<Sign>(&part)) cut(sign->bias);
  return part;
}

/// Rows of a kernel: the cut of `rows` into equal blocks with the fewest cells, or the coarsest within a tenth of it (fewer kernels).
int block_rows(int rows, int columns, int planes, bool strips) {
  constexpr int kStripRows = 16;  // of a typical clamp
  const auto cells = [&](int block) { return (rows / block) * systolic_cells(columns, block, planes, strips, kStripRows); };
  int64_t least = INT64_MAX;
  for (int block = 1; block <= rows; ++block) {
    if (rows % block == 0) least = std::min(least, cells(block));
  }
  for (int block = rows; block >= 1; --block) {
    if (rows % block == 0 && cells(block) <= least + least / 10) return block;
  }
  return rows;
}

/// The stream between layers: its sums as a tensor, and the first activation that reads it where that is already computed.
struct Stream {
  int tensor = -1;                       // -1: the embedding table
  std::optional<TokenSource> embedding;  // the stream is a table row
  Tensor numbers;                        // count, encoding, largest codes
};

class Lowering {
 public:
  explicit Lowering(const Model& model) : model_(model) { out_.program.name = model.name; }

  Lowered run() {
    Stream stream = embed();
    int operand = input_activation(stream, 0);
    for (size_t n = 0; n < model_.layers.size(); ++n) {
      prefix_ = fmt::format("layers.{}.", n);
      layer_ = n;
      std::visit([&](const auto& layer) { operand = lower_layer(layer, stream, operand); }, model_.layers[n]);
    }
    head(stream, operand);
    verify(out_.program);
    return std::move(out_);
  }

 private:
  Tensor& tensor(int id) { return out_.program.tensors[static_cast<size_t>(id)]; }

  int add_tensor(const std::string& name, int count, const Encoding& encoding, const std::vector<uint64_t>& max_code) {
    out_.program.tensors.push_back({name, count, encoding, max_code});
    return static_cast<int>(out_.program.tensors.size()) - 1;
  }

  int add_kernel(LoweredKernel kernel) {
    out_.program.kernels.push_back(std::move(kernel.kernel));
    out_.forms.push_back(std::move(kernel.form));
    return static_cast<int>(out_.program.kernels.size()) - 1;
  }

  static Source source_of(const Stream& s) {
    if (s.embedding) return *s.embedding;
    return TensorSource{s.tensor, 0, 0};
  }

  static void from_row(Source& source, int row) {
    if (auto* t = std::get_if<TensorSource>(&source)) t->first += row;
    if (auto* k = std::get_if<TokenSource>(&source)) k->first += row;
  }

  /// Which activation reads the stream before layer n (n = layers: the head).
  const Activation& reader(size_t n) const {
    if (n == model_.layers.size()) return model_.head.input;
    return std::visit([](const auto& layer) -> const Activation& { return layer.input; }, model_.layers[n]);
  }
  std::string reader_name(size_t n) const { return n == model_.layers.size() ? "head.input" : fmt::format("layers.{}.input", n); }

  /// Adds the kernels and steps of a constant matrix. Destination tensors: -1 = none.
  void add_matrix(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const std::vector<Source>& sources,
                  int raw_tensor, int result_tensor) {
    const int rows = static_cast<int>(layer.weights.size()), columns = layer.operand ? layer.operand->count : 0;
    size_t planes = 1;
    for (const auto& row : plan.weights) planes = std::max(planes, row.empty() ? 1 : digit_planes(row).size());
    const int block = layer.operand ? block_rows(rows, columns, static_cast<int>(planes), plan.end.has_value() || layer.residual) : rows;
    for (int first = 0; first < rows; first += block) {
      const std::string part = block == rows ? name : fmt::format("{}.{}", name, first / block);
      Step step{part, add_kernel(matrix_kernel(layer, plan, part, first, block)), 1, stage_, {}, {}};
      step.inputs = sources;
      if (layer.residual) from_row(step.inputs.back(), first);
      if (raw_tensor >= 0) step.outputs.push_back({raw_tensor, first, 0});
      if (result_tensor >= 0) step.outputs.push_back({result_tensor, first, 0});
      out_.program.steps.push_back(std::move(step));
    }
  }

  /// A linear map with an activation, as one or more kernels side by side. Returns the result's tensor.
  int add_linear(const Linear& linear, int operand, const std::string& name, const std::string& result) {
    MatrixLayer layer{name, &tensor(operand), weights_of(linear.weights), nullptr, linear.activation, false, {}};
    const MatrixPlan plan = plan_matrix(layer);
    const int rows = linear.weights.outputs;
    const bool table = linear.table.has_value();
    const int out = add_tensor(table ? result + ".before_table" : result, rows, plan.end->encoding, {plan.end->max_code});
    layer.operand = &tensor(operand);
    add_matrix(layer, plan, name, {TensorSource{operand, 0, 0}}, -1, out);
    return table ? add_table(*linear.table, out, name + ".table", result) : out;
  }

  /// An element-wise table: one kernel, one invocation a channel.
  int add_table(const Table& table, int operand, const std::string& name, const std::string& result) {
    const Tensor in = tensor(operand);
    const auto [lo, hi] = std::minmax_element(table.values.begin(), table.values.end());
    // Offset binary where a value is negative, so that the result may become resident; plain from 0 up.
    Encoding e;
    if (*lo >= 0) {
      e = {std::max(1u, static_cast<uint32_t>(std::bit_width(static_cast<uint32_t>(*hi)))), 1, {0}};
    } else {
      e.bits = 1 + static_cast<uint32_t>(std::bit_width(static_cast<uint32_t>(std::max(*hi, -*lo - 1))));
      e.zero = {-(int64_t{1} << (e.bits - 1))};
    }
    std::vector<BitVector> words;
    uint64_t max_code = 0;
    for (uint64_t code = 0; code < uint64_t{1} << in.encoding.bits; ++code) {
      const int64_t index = std::clamp<int64_t>(decode(in.encoding, 0, code) - table.lo, 0, static_cast<int64_t>(table.values.size()) - 1);
      const auto value = static_cast<uint64_t>(table.values[static_cast<size_t>(index)] - e.zero[0]);
      max_code = std::max(max_code, value);
      words.emplace_back(e.bits, value);
    }
    LoweredKernel kernel;
    kernel.kernel.name = kernel.kernel.dag.name = name;
    Dag& dag = kernel.kernel.dag;
    add_output(dag, "y", add_lut(dag, add_input(dag, "x", in.encoding.bits), words));
    kernel.kernel.inputs.push_back({1, in.encoding.bits, {(uint64_t{1} << in.encoding.bits) - 1}});
    kernel.kernel.outputs.push_back({1, e.bits, {}});
    out_.program.kernels.push_back(std::move(kernel.kernel));
    out_.forms.emplace_back(std::monostate{});
    const int out = add_tensor(result, in.count, e, {max_code});
    ++stage_;
    out_.program.steps.push_back(
        {name, static_cast<int>(out_.program.kernels.size()) - 1, in.count, stage_, {TensorSource{operand, 0, 1}}, {{out, 0, 1}}});
    return out;
  }

  /// The token's embedding row. With one table it is a row of host memory whose codes are ready for the first activation; the sums of
  /// several are kernels.
  Stream embed() {
    Stream stream;
    const auto& tables = model_.embedding.tables;
    const int width = model_.width;
    std::optional<Stream> sum;
    for (size_t age = 0; age < tables.size(); ++age) {
      Stream row = embedding_row(tables[age], static_cast<int>(age), width);
      sum = sum ? add_streams(*sum, row, fmt::format("embedding.sum.{}", age)) : row;
    }
    return *sum;
  }

  Stream embedding_row(const std::vector<int8_t>& entries, int age, int width) {
    const auto rows = static_cast<int>(model_.vocabulary.size());
    const int64_t zero = std::min(model_.embedding.lo, 0);
    std::vector<int64_t> zeros(static_cast<size_t>(width), zero);
    if (model_.embedding.tables.size() == 1) zeros = ready_zeros(width);
    Stream row;
    CodeTable table{fmt::format("embedding.{}", age), rows + 1, width, 0, {}};
    uint64_t largest = 1;
    std::vector<uint64_t> max_code(static_cast<size_t>(width));
    for (int t = 0; t <= rows; ++t) {  // the last row stands for positions before the start
      for (int c = 0; c < width; ++c) {
        const int64_t value = t < rows ? entries[static_cast<size_t>(t * width + c)] : 0;
        const auto code = static_cast<uint64_t>(value - zeros[static_cast<size_t>(c)]);
        table.codes.push_back(code);
        max_code[static_cast<size_t>(c)] = std::max(max_code[static_cast<size_t>(c)], code);
        largest = std::max(largest, code);
      }
    }
    table.bits = static_cast<uint32_t>(std::bit_width(largest));
    row.numbers = {"embedding", width, {table.bits, 1, zeros}, max_code};
    out_.program.tables.push_back(std::move(table));
    row.embedding = TokenSource{static_cast<int>(out_.program.tables.size()) - 1, age};
    return row;
  }

  /// Zeros that make `code + constant` the word that the first activation's row end needs, with one constant for all channels: its bias per
  /// channel costs no cell.
  std::vector<int64_t> ready_zeros(int width) const {
    const Activation& first = reader(0);
    const std::vector<int32_t>* bias = nullptr;
    if (const auto* rq = std::get_if<Requantise>(&first); rq && rq->multiplier.empty()) bias = &rq->bias;
    if (const auto* sign = std::get_if<Sign>(&first)) bias = &sign->bias;
    std::vector<int64_t> zeros(static_cast<size_t>(width));
    int64_t least = 0;
    for (size_t c = 0; c < zeros.size(); ++c) {
      zeros[c] = bias && !bias->empty() ? -(*bias)[c] : 0;
      least = std::min(least, model_.embedding.lo - zeros[c]);
    }
    for (int64_t& z : zeros) z += least;
    return zeros;
  }

  /// Channel by channel sums of two streams.
  Stream add_streams(const Stream& a, const Stream& b, const std::string& name) {
    ++stage_;
    const int count = a.numbers.count;
    const uint32_t a_bits = a.numbers.encoding.bits, b_bits = b.numbers.encoding.bits;
    Stream sum;
    sum.numbers = {name, count, {0, 1, {}}, {}};
    for (size_t c = 0; c < static_cast<size_t>(count); ++c) {
      sum.numbers.max_code.push_back(a.numbers.max_code[c] + b.numbers.max_code[c]);
      sum.numbers.encoding.zero.push_back(a.numbers.encoding.zero[c] + b.numbers.encoding.zero[c]);
    }
    const uint64_t largest = *std::max_element(sum.numbers.max_code.begin(), sum.numbers.max_code.end());
    const auto bits = static_cast<uint32_t>(std::bit_width(largest));
    sum.numbers.encoding.bits = bits;
    LoweredKernel kernel;
    kernel.kernel.name = kernel.kernel.dag.name = name;
    kernel.kernel.inputs = {{count, b_bits, b.numbers.max_code}, {count, a_bits, a.numbers.max_code}};
    kernel.kernel.outputs = {{count, bits, {}}};
    Dag& dag = kernel.kernel.dag;
    const auto n = static_cast<uint32_t>(count);
    const NodeId x = add_input(dag, "x", n * b_bits), r = add_input(dag, "r", n * a_bits);
    std::vector<NodeId> sums;
    for (uint32_t c = 0; c < n; ++c) {
      sums.push_back(add_node(dag, Op::kAdd, bits, {add_slice(dag, x, c * b_bits, b_bits), add_slice(dag, r, c * a_bits, a_bits)}));
      RowGroup group;
      group.planes.push_back({{}, {}, 0, Word{c * b_bits, b_bits, 0, b.numbers.max_code[c]}});
      group.residual = Word{n * b_bits + c * a_bits, a_bits, 0, a.numbers.max_code[c]};
      kernel.form.groups.push_back(std::move(group));
    }
    add_output(dag, "sum", pack(dag, sums));
    kernel.form.raw_bits = bits;
    kernel.form.word_slots = static_cast<int>(bits);
    const int id = add_kernel(std::move(kernel));
    sum.tensor = add_tensor(name, count, sum.numbers.encoding, sum.numbers.max_code);
    out_.program.steps.push_back({name, id, 1, stage_, {source_of(b), source_of(a)}, {{sum.tensor, 0, 0}}});
    return sum;
  }

  /// The activation before layer n as a kernel of its own. Returns its tensor, or the stream's where there is no activation.
  int input_activation(const Stream& stream, size_t n) {
    const Activation& activation = reader(n);
    const std::string name = reader_name(n);
    ++stage_;
    if (std::holds_alternative<std::monostate>(activation)) {
      if (stream.embedding)
        throw Error(name, "the embedding enters a linear layer as it is", "add `input: {shift: .., range: [..]}` or `input: {sign: ..}`");
      return stream.tensor;
    }
    MatrixLayer layer{name, nullptr, {}, &stream.numbers, activation, false, {}};
    layer.weights.assign(static_cast<size_t>(stream.numbers.count), {});
    const MatrixPlan plan = plan_matrix(layer);
    const int out = add_tensor(name, stream.numbers.count, plan.end->encoding, {plan.end->max_code});
    add_matrix(layer, plan, name, {source_of(stream)}, -1, out);
    return out;
  }

  /// stream + linear(operand), and what reads it next. Returns the tensor of the next operand.
  int residual(const Linear& linear, int operand, Stream& stream, const std::string& name) {
    ++stage_;
    const Activation& next = reader(layer_ + 1);
    const bool stream_goes_on = needs_stream(layer_ + 1) || std::holds_alternative<std::monostate>(next);
    const Tensor x = tensor(operand);
    const Tensor before = stream.numbers;
    MatrixLayer layer{name, &x, weights_of(linear.weights), &before, next, stream_goes_on, {}};
    const MatrixPlan plan = plan_matrix(layer);
    const int rows = linear.weights.outputs;
    const int sums = stream_goes_on ? add_tensor(prefix_ + "stream", rows, plan.raw_encoding, plan.raw_max_code) : -1;
    const int result = plan.end ? add_tensor(reader_name(layer_ + 1), rows, plan.end->encoding, {plan.end->max_code}) : -1;
    add_matrix(layer, plan, name, {TensorSource{operand, 0, 0}, source_of(stream)}, sums, result);
    if (stream_goes_on) {
      stream = {sums, std::nullopt, tensor(sums)};
    }
    return result >= 0 ? result : sums;
  }

  /// Whether layer n adds to the stream (then the sums themselves are needed, not only the next activation of them).
  bool needs_stream(size_t n) const { return n < model_.layers.size() && !std::holds_alternative<Dense>(model_.layers[n]); }

  int lower_layer(const Attention& a, Stream& stream, int operand) {
    ++stage_;
    const int q = add_linear(a.query, operand, prefix_ + "query", prefix_ + "query");
    const int k = add_linear(a.key, operand, prefix_ + "key", prefix_ + "key");
    const int v = add_linear(a.value, operand, prefix_ + "value", prefix_ + "value");
    const int e = scores(a, q, k);
    const int mixed = mix(a, e, v);
    return residual(a.output, mixed, stream, prefix_ + "output");
  }

  /// zero of the query times the sum of the key, one number a head: what q.k lacks where the query travels as codes. -1: nothing.
  int key_sums(const Attention& a, int q, int k) {
    const int64_t zero = tensor(q).encoding.zero[0];
    if (zero == 0) return -1;
    ++stage_;
    const Tensor key = tensor(k);
    MatrixLayer layer{prefix_ + "keysum", &key, {}, nullptr, {}, true, {}};
    const auto width = static_cast<size_t>(key.count), heads = static_cast<size_t>(a.heads);
    layer.weights.assign(heads, std::vector<int64_t>(width));
    for (size_t c = 0; c < width; ++c) layer.weights[c * heads / width][c] = zero;
    const MatrixPlan plan = plan_matrix(layer);
    const int sums = add_tensor(layer.name, a.heads, plan.raw_encoding, plan.raw_max_code);
    add_matrix(layer, plan, layer.name, {TensorSource{k, 0, 0}}, sums, -1);
    return sums;
  }

  /// A resident matrix times codes of a tensor.
  ResidentLayer resident_layer(const std::string& name, const ResidentMatrix& matrix, int streams, const Activation& activation) {
    const Tensor& x = tensor(streams);
    const auto shift = static_cast<uint32_t>(std::countr_zero(static_cast<uint64_t>(x.encoding.scale)));
    return {name, matrix, x.encoding.bits, shift, x.max_code[0], activation, std::nullopt, std::nullopt};
  }

  int add_cache(int of_tensor, int window) {
    out_.program.caches.push_back({of_tensor, window});
    return static_cast<int>(out_.program.caches.size()) - 1;
  }

  int scores(const Attention& a, int q, int k) {
    const int sums = key_sums(a, q, k);
    ++stage_;
    const int head_width = tensor(q).count / a.heads;
    const ResidentMatrix whole{a.window, head_width, tensor(k).encoding, true};
    ResidentLayer layer = resident_layer(prefix_ + "score", whole, q, a.score);
    layer.start = Range{0, 0};
    if (sums >= 0) {
      const Tensor& t = tensor(sums);
      layer.term = RowTerm{t.encoding.bits, *std::max_element(t.max_code.begin(), t.max_code.end()), t.encoding.zero[0]};
    }
    int64_t lo = 0, hi = 0;
    for (const int32_t b : a.position) lo = std::min<int64_t>(lo, b), hi = std::max<int64_t>(hi, b);
    const int64_t masked = std::min(lo, -resident_sums(layer).hi);  // with it a score is never positive: weight 0
    layer.start = Range{masked, hi};
    layer.matrix.rows = block_rows(a.window, head_width, static_cast<int>(whole.encoding.bits), true);
    const ResidentPlan plan = plan_resident(layer);
    CodeTable table{prefix_ + "position", a.heads, a.window + 1, plan.start_bits, {}};
    for (int h = 0; h < a.heads; ++h) {
      for (int d = 0; d <= a.window; ++d) {
        const int64_t b = d == a.window ? masked : a.position.empty() ? 0 : a.position[static_cast<size_t>(h * a.window + d)];
        table.codes.push_back(static_cast<uint64_t>(b + plan.start_zero));
      }
    }
    out_.program.tables.push_back(std::move(table));
    const int table_id = static_cast<int>(out_.program.tables.size()) - 1;
    const int cache = add_cache(k, a.window), sums_cache = sums >= 0 ? add_cache(sums, a.window) : -1;
    const int e = add_tensor(prefix_ + "attention", a.heads * a.window, plan.end.encoding, {plan.end.max_code});
    const int kernel = add_kernel(resident_kernel(layer, plan, prefix_ + "score"));
    const int block = layer.matrix.rows;
    for (int h = 0; h < a.heads; ++h) {
      for (int first = 0; first < a.window; first += block) {
        Step step{fmt::format("{}score.head{}.slot{}", prefix_, h, first), kernel, 1, stage_, {}, {{e, h * a.window + first, 0}}};
        step.inputs = {TensorSource{q, h * head_width, 0}, DistanceSource{table_id, h, a.window, first}};
        if (sums >= 0) step.inputs.emplace_back(CacheSource{sums_cache, first, block, h, 1});
        step.inputs.emplace_back(CacheSource{cache, first, block, h * head_width, head_width});
        out_.program.steps.push_back(std::move(step));
      }
    }
    return e;
  }

  int mix(const Attention& a, int e, int v) {
    ++stage_;
    const int head_width = tensor(v).count / a.heads;
    const int cache = add_cache(v, a.window);
    const int out = add_tensor(prefix_ + "mix", tensor(v).count, activation_encoding(a.mix), {activation_max_code(a.mix)});
    const int block = block_rows(head_width, a.window, static_cast<int>(tensor(v).encoding.bits), true);
    for (int h = 0; h < a.heads; ++h) {
      for (int first = 0; first < head_width; first += block) {
        const int channel = h * head_width + first;
        const std::string name =
            block == head_width ? fmt::format("{}mix.head{}", prefix_, h) : fmt::format("{}mix.head{}.{}", prefix_, h, first / block);
        const ResidentMatrix values{block, a.window, tensor(v).encoding, false};
        const ResidentLayer layer = resident_layer(name, values, e, slice(a.mix, channel, block));
        const int kernel = add_kernel(resident_kernel(layer, plan_resident(layer), name));
        out_.program.steps.push_back({name,
                                      kernel,
                                      1,
                                      stage_,
                                      {TensorSource{e, h * a.window, 0}, CacheSource{cache, 0, a.window, channel, block}},
                                      {{out, channel, 0}}});
      }
    }
    return out;
  }

  int lower_layer(const FeedForward& f, Stream& stream, int operand) {
    ++stage_;
    const int hidden = add_linear(f.up, operand, prefix_ + "up", prefix_ + "hidden");
    return residual(f.down, hidden, stream, prefix_ + "down");
  }

  int lower_layer(const Dense& d, Stream& stream, int operand) {
    ++stage_;
    const std::string name = prefix_ + "linear";
    if (!std::holds_alternative<std::monostate>(d.linear.activation)) {
      const int out = add_linear(d.linear, operand, name, prefix_ + "stream");
      stream = {out, std::nullopt, tensor(out)};
      return input_activation(stream, layer_ + 1);
    }
    const Activation& next = reader(layer_ + 1);  // exact sums: what reads them next is computed at the row ends
    const bool raw = needs_stream(layer_ + 1) || std::holds_alternative<std::monostate>(next);
    const Tensor x = tensor(operand);
    MatrixLayer layer{name, &x, weights_of(d.linear.weights), nullptr, next, raw, {}};
    const MatrixPlan plan = plan_matrix(layer);
    const int rows = d.linear.weights.outputs;
    const int sums = raw ? add_tensor(prefix_ + "stream", rows, plan.raw_encoding, plan.raw_max_code) : -1;
    const int result = plan.end ? add_tensor(reader_name(layer_ + 1), rows, plan.end->encoding, {plan.end->max_code}) : -1;
    add_matrix(layer, plan, name, {TensorSource{operand, 0, 0}}, sums, result);
    if (raw) stream = {sums, std::nullopt, tensor(sums)};
    return result >= 0 ? result : sums;
  }

  void head(const Stream&, int operand) {
    ++stage_;
    const Tensor x = tensor(operand);
    const MatrixLayer layer{"head", &x, weights_of(model_.head.weights), nullptr, {}, true, model_.head.bias};
    const MatrixPlan plan = plan_matrix(layer);
    out_.program.logits = add_tensor("logits", model_.head.weights.outputs, plan.raw_encoding, plan.raw_max_code);
    add_matrix(layer, plan, "head", {TensorSource{operand, 0, 0}}, out_.program.logits, -1);
  }

  const Model& model_;
  Lowered out_;
  std::string prefix_;
  size_t layer_ = 0;
  int stage_ = 0;
};

}  // namespace

Lowered lower(const Model& model) {
  return Lowering(model).run();
}

}  // namespace bitgrid
