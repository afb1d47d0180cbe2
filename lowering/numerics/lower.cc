#include "lowering/numerics/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/numerics/attention.h"
#include "lowering/numerics/matrix.h"
#include "lowering/numerics/model_walk.h"
#include "lowering/numerics/program_builder.h"

namespace bitgrid::numerics {
namespace {

/// Makes kernels of a model with its weights.
class ProgramMaker {
  ProgramBuilder b_;

 public:
  using Operand = int;  // a tensor

  ProgramMaker(const Model& model, const LowerParams& params) : stage(b_.stage), model_(model) {
    b_.program.name = model.name;
    b_.params = params;
  }

  Program run() {
    stream_ = embed();
    ModelWalk(model_.layers, model_.head.input, *this).run();
    verify(b_.program);
    return std::move(b_.program);
  }

  // For ModelWalk.
  int& stage;
  int layer = -1;
  std::string prefix;

  int linear(const Linear& linear, int operand, const char* name, const char* result) {
    return b_.add_linear(linear, operand, prefix + name, prefix + result);
  }
  int hidden(const FeedForward& f, int operand) { return linear(f.up, operand, "up", "hidden"); }
  int scores(const Attention& a, int query, int key) { return add_scores(b_, a, prefix, query, key); }
  int mix(const Attention& a, int weights, int value) { return add_mix(b_, a, prefix, weights, value); }

  int stream_operand(const std::string& name) {
    if (stream_.embedding)
      throw Error(name, "the embedding enters a linear layer without an activation",
                  "add `input: {shift: .., range: [..]}` or `input: {sign: ..}`");
    return stream_.tensor;
  }
  void replace_stream(int operand) { stream_ = {operand, std::nullopt, b_.tensor(operand)}; }

  int activation(const std::string& name, const Activation& activation) {
    MatrixLayer matrix{name, nullptr, {}, &stream_.numbers, activation, false, {}};
    matrix.weights.assign(index_of(stream_.numbers.count), {});
    const MatrixPlan plan = plan_matrix(matrix);
    const int out = b_.add_tensor(name, stream_.numbers.count, plan.end->encoding, {plan.end->max_code});
    b_.add_matrix(matrix, plan, name, {source_of(stream_)}, -1, out);
    return out;
  }

  int sums(const Linear& linear, int operand, const std::string& name, bool residual, const Activation& next, const std::string& next_name,
           bool raw) {
    const Tensor x = b_.tensor(operand);
    const Tensor before = stream_.numbers;
    const MatrixLayer matrix{name, &x, weights_of(linear.weights), residual ? &before : nullptr, next, raw, {}};
    const MatrixPlan plan = plan_matrix(matrix);
    const int rows = linear.weights.outputs;
    const int sums = raw ? b_.add_tensor(prefix + "stream", rows, plan.raw_encoding, plan.raw_max_code) : -1;
    const int result = plan.end ? b_.add_tensor(next_name, rows, plan.end->encoding, {plan.end->max_code}) : -1;
    std::vector<Source> sources = {TensorSource{operand, 0, 0}};
    if (residual) sources.push_back(source_of(stream_));
    b_.add_matrix(matrix, plan, name, sources, sums, result);
    if (raw) replace_stream(sums);
    return result >= 0 ? result : sums;
  }

  void head(int operand) {
    const Tensor x = b_.tensor(operand);
    const MatrixLayer matrix{"head", &x, weights_of(model_.head.weights), nullptr, {}, true, model_.head.bias};
    const MatrixPlan plan = plan_matrix(matrix);
    b_.program.logits = b_.add_tensor("logits", model_.head.weights.outputs, plan.raw_encoding, plan.raw_max_code);
    b_.add_matrix(matrix, plan, "head", {TensorSource{operand, 0, 0}}, b_.program.logits, -1);
  }

 private:
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
    const Activation& first = model_.layers.empty()
                                  ? model_.head.input
                                  : std::visit([](const auto& l) -> const Activation& { return l.input; }, model_.layers[0]);
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

  const Model& model_;
  Stream stream_;
};

}  // namespace

Program lower(const Model& model, const LowerParams& params) {
  return ProgramMaker(model, params).run();
}

}  // namespace bitgrid::numerics
