#include "estimate/shape_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ir/error.h"
#include "lowering/mapping/matrix/row_end_stamps.h"
#include "lowering/numerics/program_builder.h"

namespace bitgrid::estimate {
namespace {

/// Largest and smallest weight.
std::vector<int64_t> entries(const MatrixShape& m) {
  return {m.values == WeightValues::kInt2 ? 2 : 1, -1};
}

constexpr size_t kExtremes = 2;

Tensor tensor_of(const std::string& name, int count, const numerics::RowEnd& end) {
  return {name, count, end.encoding, {end.max_code}};
}

class Walk {
 public:
  Walk(const ShapeModel& model, ShapePlans& plans) : model_(model), plans_(plans) {}

  std::vector<KernelFigures> run() {
    embed();
    Tensor operand = input_activation();
    for (size_t n = 0; n < model_.layers.size(); ++n) {
      layer_ = static_cast<int>(n);
      prefix_ = fmt::format("layers.{}.", n);
      std::visit([&](const auto& layer) { operand = lower_layer(layer, operand); }, model_.layers[n]);
    }
    layer_ = -1;
    ++stage_;
    add_matrix("head", matrix_of(model_.head, operand, {}, true), model_.head.group);
    return std::move(kernels_);
  }

 private:
  const Activation& reader(int n) const {
    if (n == static_cast<int>(model_.layers.size())) return model_.head_input;
    return std::visit([](const auto& layer) -> const Activation& { return layer.input; }, model_.layers[static_cast<size_t>(n)]);
  }
  std::string reader_name(int n) const {
    return n == static_cast<int>(model_.layers.size()) ? "head.input" : fmt::format("layers.{}.input", n);
  }
  bool needs_stream(int n) const {
    return n < static_cast<int>(model_.layers.size()) && !std::holds_alternative<DenseShape>(model_.layers[static_cast<size_t>(n)]);
  }

  /// The stream as it stands in the two extreme rows; both begin with the embedding's range.
  void embed() {
    const Range e = model_.embedding;
    const auto most = std::max<uint64_t>(1, static_cast<uint64_t>(e.hi - std::min<int64_t>(e.lo, 0)));
    stream_ = {"embedding", static_cast<int>(kExtremes), {static_cast<uint32_t>(std::bit_width(most)), 1, {}}, {}};
    stream_.encoding.zero.assign(kExtremes, std::min<int64_t>(e.lo, 0));
    stream_.max_code.assign(kExtremes, most);
    width_ = model_.width;
    for (int t = 1; t < model_.embedding_tables; ++t) {
      ++stage_;
      BitSerialForm form;
      for (uint64_t& m : stream_.max_code) m += most;
      for (int64_t& z : stream_.encoding.zero) z += std::min<int64_t>(e.lo, 0);
      stream_.encoding.bits = static_cast<uint32_t>(std::bit_width(stream_.max_code[0]));
      RowGroup group;
      group.planes.push_back({{}, {}, 0, Word{0, 1, 0, most}});
      group.residual = Word{};
      form.groups.assign(static_cast<size_t>(width_), group);
      form.raw_bits = stream_.encoding.bits;
      form.word_slots = static_cast<int>(stream_.encoding.bits);
      KernelFigures& k = add(fmt::format("embedding.sum.{}", t), mapping::bit_serial_size(form));
      k.port_bits = int64_t{width_} * (3 * stream_.encoding.bits - 2);
    }
  }

  KernelFigures& add(const std::string& name, const mapping::BitSerialSize& size) {
    KernelFigures k;
    k.name = name;
    k.strategy = "bit-serial";
    k.layer = layer_;
    k.width = size.width;
    k.height = size.height;
    k.ii = size.ii;
    k.latency_cycles = size.latency_cycles;
    k.stage = stage_;
    kernels_.push_back(std::move(k));
    return kernels_.back();
  }

  static ShapeMatrix matrix_of(const MatrixShape& m, const Tensor& operand, const Activation& activation, bool raw) {
    return {&operand, m.outputs, entries(m), -1, m.values == WeightValues::kBinary, nullptr, activation, raw};
  }

  /// A constant matrix; `experts` of them, of which a token uses `active`. `group`: inputs that share a scale.
  const numerics::MatrixPlan& add_matrix(const std::string& name, const ShapeMatrix& matrix, int group = 0, int experts = 1,
                                         int active = 1) {
    const PlannedMatrix& planned = plans_.matrix(name, matrix);
    for (const ShapePiece& piece : planned.pieces) {
      KernelFigures& k = add(planned.stages == 1 ? name : fmt::format("{}.part{}", name, piece.stage), piece.size);
      k.strategy = piece.strategy;
      k.stage += piece.stage;
      k.tiles = piece.count * experts;
      k.invocations = piece.count * active;
      k.port_bits = piece.port_bits;
      k.bit_macs = piece.bit_macs;
    }
    stage_ += planned.stages - 1;
    const int inputs = matrix.operand ? matrix.operand->count : 0;
    if (group > 0 && inputs > group)
      add_group_scales(name, matrix.rows, (inputs + group - 1) / group, planned.plan.word_slots, experts, active);
    return planned.plan;
  }

  /// The sum of each group of columns times its scale, added up: a multiplier and an adder for each row and group.
  void add_group_scales(const std::string& name, int rows, int groups, int word_slots, int experts, int active) {
    const int height = mapping::multiply_stamp(85, 0, word_slots).rows + mapping::add_words_stamp().rows;
    constexpr int kStrips = 64;  // of a tile
    KernelFigures& k = add(name + ".scales", {2 * kStrips + 1, height, word_slots, kStrips + height / 2 + word_slots});
    const int64_t strips = int64_t{rows} * groups;
    k.tiles = (strips + kStrips - 1) / kStrips * experts;
    k.invocations = k.tiles / experts * active;
    k.port_bits = 0;  // rows run from one tile into the next
    k.modelled = true;
  }

  /// Returns the result of a linear map with an activation.
  Tensor add_linear(const LinearShape& linear, const Tensor& operand, const std::string& name, int experts = 1, int active = 1) {
    const numerics::MatrixPlan& plan =
        add_matrix(prefix_ + name, matrix_of(linear.matrix, operand, linear.activation, false), linear.matrix.group, experts, active);
    Tensor out = tensor_of(name, linear.matrix.outputs, *plan.end);
    return linear.table_bits > 0 ? add_table(linear, std::move(out), name) : out;
  }

  Tensor add_table(const LinearShape& linear, Tensor in, const std::string& name) {
    ++stage_;
    const int bits = static_cast<int>(in.encoding.bits), cubes = 1 << bits;  // at most: ESOP minimisation needs the values
    KernelFigures& k = add(prefix_ + name + ".table", {bits + linear.table_bits, cubes, 1, (bits + linear.table_bits + cubes + 1) / 2});
    k.strategy = "plane";
    k.invocations = k.repeat = in.count;
    k.port_bits = bits + linear.table_bits;
    k.modelled = true;
    in.encoding = {static_cast<uint32_t>(linear.table_bits), 1, {0}};
    in.max_code = {(uint64_t{1} << linear.table_bits) - 1};
    return in;
  }

  Tensor input_activation() {
    ++stage_;
    const Activation& activation = reader(0);
    if (std::holds_alternative<std::monostate>(activation)) return stream_tensor();
    return add_activation(reader_name(0), activation);
  }

  /// Of the stream, as a kernel of its own.
  Tensor add_activation(const std::string& name, const Activation& activation) {
    ShapeMatrix matrix;
    matrix.rows = width_;
    matrix.residual = &stream_;
    matrix.activation = activation;
    return tensor_of(name, width_, *add_matrix(name, matrix).end);
  }

  /// The stream as an operand: all channels as the widest.
  Tensor stream_tensor() const {
    return {"stream",
            width_,
            {stream_.encoding.bits, 1, {*std::min_element(stream_.encoding.zero.begin(), stream_.encoding.zero.end())}},
            {*std::max_element(stream_.max_code.begin(), stream_.max_code.end())}};
  }

  Tensor add_sums(const MatrixShape& m, const Tensor& operand, const std::string& name, bool residual, int experts = 1, int active = 1) {
    const Activation& next = reader(layer_ + 1);
    const bool raw = needs_stream(layer_ + 1) || std::holds_alternative<std::monostate>(next);
    const Tensor before = stream_;
    ShapeMatrix matrix = matrix_of(m, operand, next, raw);
    if (residual) matrix.residual = &before;
    const numerics::MatrixPlan& plan = add_matrix(prefix_ + name, matrix, m.group, experts, active);
    width_ = m.outputs;
    stream_ = {"stream", static_cast<int>(kExtremes), plan.raw_encoding, plan.raw_max_code};
    return plan.end ? tensor_of(reader_name(layer_ + 1), m.outputs, *plan.end) : stream_tensor();
  }

  Tensor lower_layer(const DenseShape& d, const Tensor& operand) {
    ++stage_;
    if (std::holds_alternative<std::monostate>(d.linear.activation)) return add_sums(d.linear.matrix, operand, "linear", false);
    const Tensor out = add_linear(d.linear, operand, "linear");
    width_ = d.linear.matrix.outputs;
    stream_ = out;
    stream_.count = static_cast<int>(kExtremes);
    stream_.encoding.zero.resize(kExtremes, stream_.encoding.zero[0]);
    stream_.max_code.resize(kExtremes, stream_.max_code[0]);
    ++stage_;
    const Activation& activation = reader(layer_ + 1);
    if (std::holds_alternative<std::monostate>(activation)) return out;
    return add_activation(reader_name(layer_ + 1), activation);
  }

  Tensor lower_layer(const FeedForwardShape& f, const Tensor& operand) {
    ++stage_;
    if (f.experts > 1) {
      const MatrixShape router{f.experts, f.up.matrix.inputs, f.up.matrix.values, 0};
      add_matrix(prefix_ + "router", matrix_of(router, operand, {}, true));
      ++stage_;
    }
    Tensor hidden = add_linear(f.up, operand, "up", f.experts, f.active);
    if (f.gated) {
      add_linear(f.up, operand, "gate", f.experts, f.active);
      ++stage_;
      add_products(hidden, f.experts, f.active);
    }
    ++stage_;
    return add_sums(f.down, hidden, "down", true, f.experts, f.active);
  }

  /// Word by word products of two tensors, requantised: strips of a product of 27 cells for 8 x 8 bits and a requantisation of 64.
  void add_products(const Tensor& x, int experts, int active) {
    constexpr int kStrips = 64;
    const auto bits = static_cast<int>(x.encoding.bits);
    const int height = (27 * bits * bits / 64 + 64 * bits / 8 + 1) / 2, slots = 2 * bits + 3;
    KernelFigures& k = add(prefix_ + "product", {2 * kStrips + 1, height, slots, kStrips + height / 2 + slots});
    k.tiles = int64_t{(x.count + kStrips - 1) / kStrips} * experts;
    k.invocations = k.tiles / experts * active;
    k.port_bits = int64_t{3} * kStrips * bits;
    k.modelled = true;
  }

  Tensor lower_layer(const AttentionShape& a, const Tensor& operand) {
    ++stage_;
    const Tensor q = add_linear(a.query, operand, "query");
    const Tensor k = add_linear(a.key, operand, "key");
    const Tensor v = add_linear(a.value, operand, "value");
    const Tensor e = scores(a, q, k);
    const Tensor m = mix(a, e, v);
    ++stage_;
    return add_sums(a.output, m, "output", true);
  }

  /// zero of the query times the sum of each key.
  std::optional<numerics::RowTerm> key_sums(const AttentionShape& a, const Tensor& q, const Tensor& k) {
    const int64_t zero = q.encoding.zero[0];
    if (zero == 0) return std::nullopt;
    ++stage_;
    // A row holds `zero` in the columns of its head and 0 in the others: as many planes and sums as this one.
    ShapeMatrix matrix = matrix_of({a.kv_heads, k.count, WeightValues::kTernary, 0}, k, {}, true);
    matrix.entries = {zero};
    matrix.filled = k.count / a.kv_heads;
    const numerics::MatrixPlan& plan = add_matrix(prefix_ + "keysum", matrix);
    return numerics::RowTerm{plan.raw_encoding.bits, plan.raw_max_code[0], plan.raw_encoding.zero[0]};
  }

  static numerics::ResidentLayer resident_layer(const std::string& name, const numerics::ResidentMatrix& matrix, const Tensor& x,
                                                const Activation& activation) {
    const auto shift = static_cast<uint32_t>(std::countr_zero(static_cast<uint64_t>(x.encoding.scale)));
    return {name, matrix, x.encoding.bits, shift, x.max_code[0], activation, std::nullopt, std::nullopt};
  }

  KernelFigures& add_resident(const numerics::ResidentLayer& layer, const PlannedResident& planned) {
    const numerics::ResidentMatrix& m = layer.matrix;
    const numerics::ResidentPlan& plan = planned.plan;
    KernelFigures& k = add(layer.name, planned.size);
    k.resident_cells = planned.resident_cells;
    k.port_bits = int64_t{m.columns} * layer.stream_bits +
                  int64_t{m.rows} * (plan.end.encoding.bits + plan.start_bits + (layer.term ? layer.term->bits : 0));
    k.bit_macs = int64_t{m.rows} * m.columns * layer.stream_bits;
    return k;
  }

  Tensor scores(const AttentionShape& a, const Tensor& q, const Tensor& k) {
    const auto term = key_sums(a, q, k);
    ++stage_;
    const int head_width = k.count / a.kv_heads;
    const numerics::ResidentMatrix whole{a.window, head_width, k.encoding, true};
    numerics::ResidentLayer layer = resident_layer(prefix_ + "score", whole, q, a.score);
    layer.start = Range{0, 0};
    layer.term = term;
    const int64_t masked = std::min(std::min<int64_t>(0, a.position.lo), -numerics::resident_sums(layer).hi);
    layer.start = Range{masked, std::max<int64_t>(0, a.position.hi)};
    layer.matrix.rows = numerics::block_rows(a.window, head_width, static_cast<int>(whole.encoding.bits), true);
    const PlannedResident& plan = plans_.resident(layer);
    KernelFigures& figures = add_resident(layer, plan);
    const int64_t blocks = a.window / layer.matrix.rows;
    figures.tiles = a.kv_heads * blocks;
    figures.repeat = a.heads / a.kv_heads;
    figures.invocations = a.heads * blocks;
    figures.window = a.window;
    return tensor_of("attention", a.window, plan.plan.end);
  }

  Tensor mix(const AttentionShape& a, const Tensor& e, const Tensor& v) {
    ++stage_;
    const int head_width = v.count / a.kv_heads;
    const int block = numerics::block_rows(head_width, a.window, static_cast<int>(v.encoding.bits), true);
    const numerics::ResidentLayer layer = resident_layer(prefix_ + "mix", {block, a.window, v.encoding, false}, e, a.mix);
    const PlannedResident& plan = plans_.resident(layer);
    KernelFigures& figures = add_resident(layer, plan);
    const int64_t blocks = head_width / block;
    figures.tiles = a.kv_heads * blocks;
    figures.repeat = a.heads / a.kv_heads;
    figures.invocations = a.heads * blocks;
    figures.window = a.window;
    return tensor_of("mix", a.heads * head_width, plan.plan.end);
  }

  const ShapeModel& model_;
  ShapePlans& plans_;
  std::vector<KernelFigures> kernels_;
  Tensor stream_;  // of the extreme rows
  int width_ = 0;  // of the stream
  std::string prefix_;
  int layer_ = -1;
  int stage_ = 0;
};

}  // namespace

std::vector<KernelFigures> shape_kernels(const ShapeModel& model, ShapePlans& plans) {
  return Walk(model, plans).run();
}

std::vector<KernelFigures> shape_kernels(const ShapeModel& model, const numerics::LowerParams& params) {
  ShapePlans plans(params);
  return shape_kernels(model, plans);
}

}  // namespace bitgrid::estimate
