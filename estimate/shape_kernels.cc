#include "estimate/shape_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ir/error.h"
#include "lowering/mapping/matrix/row_end_stamps.h"
#include "lowering/numerics/model_walk.h"
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

/// Makes kernels of shapes: two rows with the extremes that they allow stand for all.
class ShapeMaker {
 public:
  using Operand = Tensor;

  ShapeMaker(const ShapeModel& model, ShapePlans& plans) : model_(model), plans_(plans) {}

  std::vector<KernelFigures> run() {
    embed();
    numerics::ModelWalk(model_.layers, model_.head_input, *this).run();
    return std::move(kernels_);
  }

  // For numerics::ModelWalk.
  int stage = 0;
  int layer = -1;
  std::string prefix;

  /// Returns the result of a linear map with an activation.
  Tensor linear(const LinearShape& linear, const Tensor& operand, const char* name, const char*) {
    const ShapeMatrix matrix = matrix_of(linear.matrix, operand, linear.activation, false);
    Tensor out = tensor_of(name, linear.matrix.outputs, *add_matrix(prefix + name, matrix, linear.matrix.group).end);
    return linear.table_bits > 0 ? add_table(linear, std::move(out), name) : out;
  }

  Tensor hidden(const FeedForwardShape& f, const Tensor& operand) {
    if (f.experts > 1) {
      const MatrixShape router{f.experts, f.up.matrix.inputs, f.up.matrix.values, 0};
      add_matrix(prefix + "router", matrix_of(router, operand, {}, true));
      ++stage;
    }
    experts_ = {f.experts, f.active};
    Tensor hidden = linear(f.up, operand, "up", "hidden");
    if (!f.gated) return hidden;
    linear(f.up, operand, "gate", "hidden");
    ++stage;
    add_products(hidden);
    return hidden;
  }

  /// Of the stream, as a kernel of its own.
  Tensor activation(const std::string& name, const Activation& activation) {
    ShapeMatrix matrix;
    matrix.rows = width_;
    matrix.residual = &stream_;
    matrix.activation = activation;
    return tensor_of(name, width_, *add_matrix(name, matrix).end);
  }

  /// The stream as an operand: all channels as the widest.
  Tensor stream_operand(const std::string&) const {
    return {"stream",
            width_,
            {stream_.encoding.bits, 1, {*std::min_element(stream_.encoding.zero.begin(), stream_.encoding.zero.end())}},
            {*std::max_element(stream_.max_code.begin(), stream_.max_code.end())}};
  }

  void replace_stream(const Tensor& operand) {
    width_ = operand.count;
    stream_ = operand;
    stream_.count = int_of(kExtremes);
    stream_.encoding.zero.resize(kExtremes, stream_.encoding.zero[0]);
    stream_.max_code.resize(kExtremes, stream_.max_code[0]);
  }

  Tensor sums(const LinearShape& linear, const Tensor& operand, const std::string& name, bool residual, const Activation& next,
              const std::string& next_name, bool raw) {
    return sums(linear.matrix, operand, name, residual, next, next_name, raw);
  }
  Tensor sums(const MatrixShape& m, const Tensor& operand, const std::string& name, bool residual, const Activation& next,
              const std::string& next_name, bool raw) {
    const Tensor before = stream_;
    ShapeMatrix matrix = matrix_of(m, operand, next, raw);
    if (residual) matrix.residual = &before;
    const numerics::MatrixPlan& plan = add_matrix(name, matrix, m.group);
    experts_ = {};
    width_ = m.outputs;
    stream_ = {"stream", int_of(kExtremes), plan.raw_encoding, plan.raw_max_code};
    return plan.end ? tensor_of(next_name, m.outputs, *plan.end) : stream_operand(next_name);
  }

  void head(const Tensor& operand) { add_matrix("head", matrix_of(model_.head, operand, {}, true), model_.head.group); }

  Tensor scores(const AttentionShape& a, const Tensor& q, const Tensor& k) {
    const auto term = key_sums(a, q, k);
    ++stage;
    const int head_width = k.count / a.kv_heads;
    const numerics::ResidentMatrix whole{a.window, head_width, k.encoding, true};
    numerics::ResidentLayer resident = resident_layer(prefix + "score", whole, q, a.score);
    resident.start = Range{0, 0};
    resident.term = term;
    const int64_t masked = std::min(std::min<int64_t>(0, a.position.lo), -numerics::resident_sums(resident).hi);
    resident.start = Range{masked, std::max<int64_t>(0, a.position.hi)};
    resident.matrix.rows = numerics::block_rows(a.window, head_width, static_cast<int>(whole.encoding.bits), true);
    const PlannedResident& plan = plans_.resident(resident);
    KernelFigures& figures = add_resident(resident, plan);
    const int64_t blocks = a.window / resident.matrix.rows;
    figures.tiles = a.kv_heads * blocks;
    figures.uses[0].repeat = a.heads / a.kv_heads;
    figures.invocations = a.heads * blocks;
    figures.window = a.window;
    return tensor_of("attention", a.window, plan.plan.end);
  }

  Tensor mix(const AttentionShape& a, const Tensor& e, const Tensor& v) {
    ++stage;
    const int head_width = v.count / a.kv_heads;
    const int block = numerics::block_rows(head_width, a.window, static_cast<int>(v.encoding.bits), true);
    const numerics::ResidentLayer resident = resident_layer(prefix + "mix", {block, a.window, v.encoding, false}, e, a.mix);
    const PlannedResident& plan = plans_.resident(resident);
    KernelFigures& figures = add_resident(resident, plan);
    const int64_t blocks = head_width / block;
    figures.tiles = a.kv_heads * blocks;
    figures.uses[0].repeat = a.heads / a.kv_heads;
    figures.invocations = a.heads * blocks;
    figures.window = a.window;
    return tensor_of("mix", a.heads * head_width, plan.plan.end);
  }

 private:
  struct Experts {
    int all = 1;
    int active = 1;  // for a token
  };

  /// The stream as it stands in the two extreme rows; both begin with the embedding's range.
  void embed() {
    const Range e = model_.embedding;
    const auto most = std::max<uint64_t>(1, static_cast<uint64_t>(e.hi - std::min<int64_t>(e.lo, 0)));
    stream_ = {"embedding", int_of(kExtremes), {static_cast<uint32_t>(std::bit_width(most)), 1, {}}, {}};
    stream_.encoding.zero.assign(kExtremes, std::min<int64_t>(e.lo, 0));
    stream_.max_code.assign(kExtremes, most);
    width_ = model_.width;
    for (int t = 1; t < model_.embedding_tables; ++t) {
      ++stage;
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
    k.layer = layer;
    k.width = size.width;
    k.height = size.height;
    k.ii = size.ii;
    k.latency_cycles = size.latency_cycles;
    k.uses[0].stage = stage;
    kernels_.push_back(std::move(k));
    return kernels_.back();
  }

  static ShapeMatrix matrix_of(const MatrixShape& m, const Tensor& operand, const Activation& activation, bool raw) {
    return {&operand, m.outputs, entries(m), -1, m.values == WeightValues::kBinary, nullptr, activation, raw};
  }

  /// A constant matrix, one for each of the experts. `group`: inputs that share a scale.
  const numerics::MatrixPlan& add_matrix(const std::string& name, const ShapeMatrix& matrix, int group = 0) {
    const PlannedMatrix& planned = plans_.matrix(name, matrix);
    for (const ShapePiece& piece : planned.pieces) {
      KernelFigures& k = add(planned.stages == 1 ? name : fmt::format("{}.part{}", name, piece.stage), piece.size);
      k.strategy = piece.strategy;
      k.uses[0].stage += piece.stage;
      k.tiles = piece.count * experts_.all;
      k.invocations = piece.count * experts_.active;
      k.port_bits = piece.port_bits;
      k.bit_macs = piece.bit_macs;
    }
    stage += planned.stages - 1;
    const int inputs = matrix.operand ? matrix.operand->count : 0;
    if (group > 0 && inputs > group) add_group_scales(name, matrix.rows, (inputs + group - 1) / group, planned.plan.word_slots);
    return planned.plan;
  }

  /// The sum of each group of columns times its scale, added up: a multiplier and an adder for each row and group.
  void add_group_scales(const std::string& name, int rows, int groups, int word_slots) {
    const int height = mapping::multiply_stamp(85, 0, word_slots).rows + mapping::add_words_stamp().rows;
    constexpr int kStrips = 64;  // of a tile
    KernelFigures& k = add(name + ".scales", {2 * kStrips + 1, height, word_slots, kStrips + height / 2 + word_slots});
    const int64_t strips = int64_t{rows} * groups;
    k.tiles = (strips + kStrips - 1) / kStrips * experts_.all;
    k.invocations = k.tiles / experts_.all * experts_.active;
    k.port_bits = 0;  // rows run from one tile into the next
    k.modelled = true;
  }

  Tensor add_table(const LinearShape& linear, Tensor in, const std::string& name) {
    ++stage;
    const int bits = static_cast<int>(in.encoding.bits), cubes = 1 << bits;  // at most: ESOP minimisation needs the values
    KernelFigures& k = add(prefix + name + ".table", {bits + linear.table_bits, cubes, 1, (bits + linear.table_bits + cubes + 1) / 2});
    k.strategy = "plane";
    k.invocations = k.uses[0].repeat = in.count;
    k.port_bits = bits + linear.table_bits;
    k.modelled = true;
    in.encoding = {static_cast<uint32_t>(linear.table_bits), 1, {0}};
    in.max_code = {(uint64_t{1} << linear.table_bits) - 1};
    return in;
  }

  /// Word by word products of two tensors, requantised: strips of a product of 27 cells for 8 x 8 bits and a requantisation of 64.
  void add_products(const Tensor& x) {
    constexpr int kStrips = 64;
    const auto bits = static_cast<int>(x.encoding.bits);
    const int height = (27 * bits * bits / 64 + 64 * bits / 8 + 1) / 2, slots = 2 * bits + 3;
    KernelFigures& k = add(prefix + "product", {2 * kStrips + 1, height, slots, kStrips + height / 2 + slots});
    k.tiles = int64_t{(x.count + kStrips - 1) / kStrips} * experts_.all;
    k.invocations = k.tiles / experts_.all * experts_.active;
    k.port_bits = int64_t{3} * kStrips * bits;
    k.modelled = true;
  }

  /// zero of the query times the sum of each key.
  std::optional<numerics::RowTerm> key_sums(const AttentionShape& a, const Tensor& q, const Tensor& k) {
    const int64_t zero = q.encoding.zero[0];
    if (zero == 0) return std::nullopt;
    ++stage;
    // A row holds `zero` in the columns of its head and 0 in the others: as many planes and sums as this one.
    ShapeMatrix matrix = matrix_of({a.kv_heads, k.count, WeightValues::kTernary, 0}, k, {}, true);
    matrix.entries = {zero};
    matrix.filled = k.count / a.kv_heads;
    const numerics::MatrixPlan& plan = add_matrix(prefix + "keysum", matrix);
    return numerics::RowTerm{plan.raw_encoding.bits, plan.raw_max_code[0], plan.raw_encoding.zero[0]};
  }

  static numerics::ResidentLayer resident_layer(const std::string& name, const numerics::ResidentMatrix& matrix, const Tensor& x,
                                                const Activation& activation) {
    const auto shift = static_cast<uint32_t>(std::countr_zero(static_cast<uint64_t>(x.encoding.scale)));
    return {name, matrix, x.encoding.bits, shift, x.max_code[0], activation, std::nullopt, std::nullopt};
  }

  KernelFigures& add_resident(const numerics::ResidentLayer& resident, const PlannedResident& planned) {
    const numerics::ResidentMatrix& m = resident.matrix;
    const numerics::ResidentPlan& plan = planned.plan;
    KernelFigures& k = add(resident.name, planned.size);
    k.resident_cells = planned.resident_cells;
    k.port_bits = int64_t{m.columns} * resident.stream_bits +
                  int64_t{m.rows} * (plan.end.encoding.bits + plan.start_bits + (resident.term ? resident.term->bits : 0));
    k.bit_macs = int64_t{m.rows} * m.columns * resident.stream_bits;
    return k;
  }

  const ShapeModel& model_;
  ShapePlans& plans_;
  std::vector<KernelFigures> kernels_;
  Tensor stream_;    // of the extreme rows
  int width_ = 0;    // of the stream
  Experts experts_;  // of the matrices that are made now
};

}  // namespace

std::vector<KernelFigures> shape_kernels(const ShapeModel& model, ShapePlans& plans) {
  return ShapeMaker(model, plans).run();
}

std::vector<KernelFigures> shape_kernels(const ShapeModel& model, const numerics::LowerParams& params) {
  ShapePlans plans(params);
  return shape_kernels(model, plans);
}

}  // namespace bitgrid::estimate
