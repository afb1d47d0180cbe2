#include "lowering/numerics/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/numerics/attention.h"
#include "lowering/numerics/matrix.h"
#include "lowering/numerics/program_builder.h"

namespace bitgrid::numerics {
namespace {

class Lowering {
 public:
  Lowering(const Model& model, const LowerParams& params) : model_(model) {
    b_.program.name = model.name;
    b_.params = params;
  }

  Program run() {
    Stream stream = embed();
    int operand = input_activation(stream, 0);
    for (size_t n = 0; n < model_.layers.size(); ++n) {
      prefix_ = fmt::format("layers.{}.", n);
      layer_ = n;
      std::visit([&](const auto& layer) { operand = lower_layer(layer, stream, operand); }, model_.layers[n]);
    }
    head(stream, operand);
    verify(b_.program);
    return std::move(b_.program);
  }

 private:
  /// Which activation reads the stream before layer n (n = layers: the head).
  const Activation& reader(size_t n) const {
    if (n == model_.layers.size()) return model_.head.input;
    return std::visit([](const auto& layer) -> const Activation& { return layer.input; }, model_.layers[n]);
  }
  std::string reader_name(size_t n) const { return n == model_.layers.size() ? "head.input" : fmt::format("layers.{}.input", n); }

  /// The token's embedding row: a row of host memory whose codes are ready for the first activation. The sums of several tables are
  /// kernels.
  Stream embed() {
    const auto& tables = model_.embedding.tables;
    const int width = model_.width;
    std::optional<Stream> sum;
    for (size_t age = 0; age < tables.size(); ++age) {
      Stream row = embedding_row(tables[age], int_of(age), width);
      sum = sum ? b_.add_streams(*sum, row, fmt::format("embedding.sum.{}", age)) : row;
    }
    return *sum;
  }

  Stream embedding_row(const std::vector<int8_t>& entries, int age, int width) {
    const auto rows = count_of(model_.vocabulary);
    const int64_t zero = std::min(model_.embedding.lo, 0);
    std::vector<int64_t> zeros(index_of(width), zero);
    if (age == 0) zeros = ready_zeros(width);
    Stream row;
    CodeTable table{fmt::format("embedding.{}", age), rows + 1, width, 0, {}};
    uint64_t largest = 1;
    std::vector<uint64_t> max_code(index_of(width));
    // The last row stands for positions before the start, which add 0. No token is before itself: 0 need not have a code then.
    for (int t = 0; t <= rows; ++t) {
      for (int c = 0; c < width; ++c) {
        const int64_t z = zeros[index_of(c)];
        const int64_t value = t < rows ? entries[index_of(t * width + c)] : std::max<int64_t>(0, z);
        const auto code = static_cast<uint64_t>(value - z);
        table.codes.push_back(code);
        max_code[index_of(c)] = std::max(max_code[index_of(c)], code);
        largest = std::max(largest, code);
      }
    }
    table.bits = id_of(std::bit_width(largest));
    row.numbers = {"embedding", width, {table.bits, 1, zeros}, max_code};
    row.embedding = TokenSource{b_.add_code_table(std::move(table)), age};
    return row;
  }

  /// Zeros that make `code + constant` the word that the first activation's row end needs, with one constant for all channels: its bias per
  /// channel costs no cell.
  std::vector<int64_t> ready_zeros(int width) const {
    const Activation& first = reader(0);
    const std::vector<int32_t>* bias = nullptr;
    if (const auto* rq = std::get_if<Requantise>(&first); rq && rq->multiplier.empty()) bias = &rq->bias;
    if (const auto* sign = std::get_if<Sign>(&first)) bias = &sign->bias;
    std::vector<int64_t> zeros(index_of(width));
    int64_t least = 0;
    for (size_t c = 0; c < zeros.size(); ++c) {
      zeros[c] = bias && !bias->empty() ? -(*bias)[c] : 0;
      least = std::min(least, model_.embedding.lo - zeros[c]);
    }
    for (int64_t& z : zeros) z += least;
    return zeros;
  }

  /// The activation before layer n as a kernel of its own. Returns its tensor, or the stream's where there is no activation.
  int input_activation(const Stream& stream, size_t n) {
    const Activation& activation = reader(n);
    const std::string name = reader_name(n);
    ++b_.stage;
    if (std::holds_alternative<std::monostate>(activation)) {
      if (stream.embedding)
        throw Error(name, "the embedding enters a linear layer as it is", "add `input: {shift: .., range: [..]}` or `input: {sign: ..}`");
      return stream.tensor;
    }
    MatrixLayer layer{name, nullptr, {}, &stream.numbers, activation, false, {}};
    layer.weights.assign(index_of(stream.numbers.count), {});
    const MatrixPlan plan = plan_matrix(layer);
    const int out = b_.add_tensor(name, stream.numbers.count, plan.end->encoding, {plan.end->max_code});
    b_.add_matrix(layer, plan, name, {source_of(stream)}, -1, out);
    return out;
  }

  /// stream + linear(operand), and what reads it next. Returns the tensor of the next operand.
  int residual(const Linear& linear, int operand, Stream& stream, const std::string& name) {
    ++b_.stage;
    const Activation& next = reader(layer_ + 1);
    const bool stream_goes_on = needs_stream(layer_ + 1) || std::holds_alternative<std::monostate>(next);
    const Tensor x = b_.tensor(operand);
    const Tensor before = stream.numbers;
    MatrixLayer layer{name, &x, weights_of(linear.weights), &before, next, stream_goes_on, {}};
    const MatrixPlan plan = plan_matrix(layer);
    const int rows = linear.weights.outputs;
    const int sums = stream_goes_on ? b_.add_tensor(prefix_ + "stream", rows, plan.raw_encoding, plan.raw_max_code) : -1;
    const int result = plan.end ? b_.add_tensor(reader_name(layer_ + 1), rows, plan.end->encoding, {plan.end->max_code}) : -1;
    b_.add_matrix(layer, plan, name, {TensorSource{operand, 0, 0}, source_of(stream)}, sums, result);
    if (stream_goes_on) {
      stream = {sums, std::nullopt, b_.tensor(sums)};
    }
    return result >= 0 ? result : sums;
  }

  /// Whether layer n adds to the stream (then the sums themselves are needed, not only the next activation of them).
  bool needs_stream(size_t n) const { return n < model_.layers.size() && !std::holds_alternative<Dense>(model_.layers[n]); }

  int lower_layer(const Attention& a, Stream& stream, int operand) {
    return residual(a.output, lower_attention(b_, a, prefix_, operand), stream, prefix_ + "output");
  }

  int lower_layer(const FeedForward& f, Stream& stream, int operand) {
    ++b_.stage;
    const int hidden = b_.add_linear(f.up, operand, prefix_ + "up", prefix_ + "hidden");
    return residual(f.down, hidden, stream, prefix_ + "down");
  }

  int lower_layer(const Dense& d, Stream& stream, int operand) {
    ++b_.stage;
    const std::string name = prefix_ + "linear";
    if (!std::holds_alternative<std::monostate>(d.linear.activation)) {
      const int out = b_.add_linear(d.linear, operand, name, prefix_ + "stream");
      stream = {out, std::nullopt, b_.tensor(out)};
      return input_activation(stream, layer_ + 1);
    }
    const Activation& next = reader(layer_ + 1);  // exact sums: what reads them next is computed at the row ends
    const bool raw = needs_stream(layer_ + 1) || std::holds_alternative<std::monostate>(next);
    const Tensor x = b_.tensor(operand);
    MatrixLayer layer{name, &x, weights_of(d.linear.weights), nullptr, next, raw, {}};
    const MatrixPlan plan = plan_matrix(layer);
    const int rows = d.linear.weights.outputs;
    const int sums = raw ? b_.add_tensor(prefix_ + "stream", rows, plan.raw_encoding, plan.raw_max_code) : -1;
    const int result = plan.end ? b_.add_tensor(reader_name(layer_ + 1), rows, plan.end->encoding, {plan.end->max_code}) : -1;
    b_.add_matrix(layer, plan, name, {TensorSource{operand, 0, 0}}, sums, result);
    if (raw) stream = {sums, std::nullopt, b_.tensor(sums)};
    return result >= 0 ? result : sums;
  }

  void head(const Stream&, int operand) {
    ++b_.stage;
    const Tensor x = b_.tensor(operand);
    const MatrixLayer layer{"head", &x, weights_of(model_.head.weights), nullptr, {}, true, model_.head.bias};
    const MatrixPlan plan = plan_matrix(layer);
    b_.program.logits = b_.add_tensor("logits", model_.head.weights.outputs, plan.raw_encoding, plan.raw_max_code);
    b_.add_matrix(layer, plan, "head", {TensorSource{operand, 0, 0}}, b_.program.logits, -1);
  }

  const Model& model_;
  ProgramBuilder b_;
  std::string prefix_;
  size_t layer_ = 0;
};

}  // namespace

Program lower(const Model& model, const LowerParams& params) {
  return Lowering(model, params).run();
}

}  // namespace bitgrid::numerics
