#include "lowering/scales/lower_scaled.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "ir/error.h"
#include "lowering/numerics/matrix.h"
#include "lowering/scales/kernels.h"
#include "lowering/scales/vector_steps.h"

namespace bitgrid::scales {
namespace {

constexpr int kHeavyLanes = 1;   // words an invocation of kernels that multiply
constexpr int kLightLanes = 16;  // of others
constexpr int kRotaryFraction = 14, kMixFraction = 8;
constexpr int kScoresAtOnce = 16;  // slots of the cache whose values are mixed in one invocation
constexpr uint64_t kMostWeights = uint64_t{1} << 25;
constexpr const char* kLogitUnit = "logits.unit";

/// Codes and what they are worth.
struct Codes {
  Words codes, unit;
};

class Lowering {
 public:
  Lowering(const ScaledModel& model, const LowerScaledParams& params) : model_(model), steps_(builder_) {
    builder_.params = params.matrices;
    builder_.program.name = model.name;
    context_ = params.context != 0 ? params.context : static_cast<int>(model.context);
    window_ = (context_ + kScoresAtOnce - 1) / kScoresAtOnce * kScoresAtOnce;
  }
  Program run();

 private:
  struct Attention;

  void set_tables();
  uint32_t stream_bits() const;
  Words embed();
  Codes norm(const std::string& name, Words x, const Norm& norm, const Source& eps, const std::string& codes_name);
  Words matrix(const std::string& name, const LinearMap& map, Words codes, const std::string& sums_name);
  Words unit(const std::string& name, Words of_codes, const LinearMap& map, int64_t shift);
  Words add(const std::string& name, Words x, const LinearMap& map, const Codes& codes, const std::string& result);
  Words turned(const std::string& name, Words x, int heads);
  /// The shift of each head's values that keeps `keep` bits of magnitude, and the values cut by it.
  std::pair<Words, Words> head_codes(const std::string& name, Words x, int heads, const std::string& codes_name);
  Words scale(const std::string& name, Words x, Words unit, uint32_t to);
  Words attention(const std::string& name, const SoftmaxAttention& layer, Words x);
  Words attend(const std::string& name, const SoftmaxAttention& layer, Words q, Words unit_q, Words k8, Words k_shift, Words v8,
               Words v_shift, uint32_t out_bits);
  Words feed_forward(const std::string& name, const GatedFeedForward& layer, Words x);
  void head(Words x);
  uint32_t fixed_bits(const LinearMap& map, const Norm& input, int fraction) const;

  const ScaledModel& model_;
  numerics::ProgramBuilder builder_;
  VectorSteps steps_;
  int context_ = 0, window_ = 0;
  int cosine_ = -1, sine_ = -1, written_ = -1;
};

double value_of(const Scalar& s) {
  return std::ldexp(static_cast<double>(s.m), static_cast<int>(s.e));
}

int64_t largest(const std::vector<int32_t>& values) {
  int64_t top = 1;
  for (const int32_t v : values) top = std::max<int64_t>(top, std::abs(int64_t{v}));
  return top;
}

/// What an output of a map may be: codes are at most what a norm gives, sqrt(n) times the largest gain.
double largest_output(const LinearMap& map, const Norm& norm, size_t inputs) {
  double weights = 0.0;
  std::vector<int8_t> row(map.inputs());
  for (size_t r = 0; r < map.outputs(); ++r) {
    map.weights->unpack(r, row);
    double sum = 0.0;
    for (const int8_t w : row) sum += std::abs(static_cast<double>(w));
    weights = std::max(weights, sum);
  }
  const double gain = std::ldexp(static_cast<double>(largest(norm.gain.values)), -norm.gain.fraction);
  return 1.02 * value_of(map.scale) * weights * gain * std::sqrt(static_cast<double>(inputs));
}

uint32_t signed_bits(double magnitude) {
  return static_cast<uint32_t>(std::max(8.0, std::min(47.0, std::ceil(std::log2(magnitude + 1.0)) + 2.0)));
}

/// Bits of the stream: the embedding and all that layers add to it.
uint32_t Lowering::stream_bits() const {
  double sum = 0.0;
  std::vector<int64_t> row(model_.width);
  for (size_t t = 0; t < model_.embedding.vocabulary; ++t) {
    model_.embedding.row(t, row);
    for (const int64_t v : row) sum = std::max(sum, std::abs(static_cast<double>(v)));
  }
  for (const ScaledLayer& layer : model_.layers) {
    if (const auto* a = std::get_if<SoftmaxAttention>(&layer))
      sum += std::ldexp(largest_output(a->output, *a->sub_norm, a->output.inputs()), model_.embedding.fraction);
    else {
      const auto& f = std::get<GatedFeedForward>(layer);
      sum += std::ldexp(largest_output(f.down, *f.sub_norm, f.down.inputs()), model_.embedding.fraction);
    }
  }
  return signed_bits(sum);
}

/// Of keys or values as fixed-point numbers.
uint32_t Lowering::fixed_bits(const LinearMap& map, const Norm& input, int fraction) const {
  return signed_bits(1.5 * std::ldexp(largest_output(map, input, model_.width), fraction));
}

void Lowering::set_tables() {
  const auto half = static_cast<int>(model_.head_width / 2);
  const auto turns = [&](const char* name, const std::vector<int16_t>& values) {
    CodeTable table{name, context_, half, kGainBits, {}};
    for (size_t i = 0; i < static_cast<size_t>(context_ * half); ++i)
      table.codes.push_back(static_cast<uint64_t>(int64_t{values[i]} + (int64_t{1} << (kGainBits - 1))));
    return builder_.add_code_table(std::move(table));
  };
  cosine_ = turns("cosine", model_.tables.cosine);
  sine_ = turns("sine", model_.tables.sine);
  CodeTable written{"written", 1, window_ + 1, 1, std::vector<uint64_t>(static_cast<size_t>(window_), 1)};
  written.codes.push_back(0);
  written_ = builder_.add_code_table(std::move(written));
}

Words Lowering::embed() {
  const auto n = static_cast<int>(model_.width), vocabulary = static_cast<int>(model_.embedding.vocabulary);
  const uint32_t bits = stream_bits();
  CodeTable table{"embedding", vocabulary, n, bits, {}};
  std::vector<int64_t> row(model_.width);
  for (int t = 0; t < vocabulary; ++t) {
    model_.embedding.row(static_cast<size_t>(t), row);
    for (const int64_t v : row) table.codes.push_back(static_cast<uint64_t>(v + (int64_t{1} << (bits - 1))));
  }
  const Words x = steps_.signed_words("model.layers.0.x", n, bits);
  const int lanes = lanes_of(n, kLightLanes);
  steps_.step("embed", copy_kernel(lanes, bits), n / lanes, {TokenSource{builder_.add_code_table(std::move(table)), 0, 0, lanes}},
              {x.to(0, lanes)});
  return x;
}

Codes Lowering::norm(const std::string& name, Words x, const Norm& norm, const Source& eps, const std::string& codes_name) {
  const int n = x.count, heavy = lanes_of(n, kHeavyLanes), parts = n / heavy;
  std::vector<int64_t> gain(norm.gain.values.begin(), norm.gain.values.end());
  RowSource gains = steps_.constants(name + ".gain", gain, kGainBits, true, heavy);
  const Words y = steps_.signed_words(name + ".y", n, x.bits + kGainBits);
  const Words or_x = steps_.unsigned_words(name + ".or_x", parts, x.bits), or_y = steps_.unsigned_words(name + ".or_y", parts, y.bits);
  steps_.step(name + ".times_gain", gain_kernel(heavy, x.bits), parts, {x.from(0, heavy), gains},
              {y.to(0, heavy), or_x.to(0, 1), or_y.to(0, 1)});
  const Words all_x = steps_.reduce(name + ".or_of_x", or_x, parts, or_kernel),
              all_y = steps_.reduce(name + ".or_of_y", or_y, parts, or_kernel);
  const Words shift_x = steps_.unsigned_words(name + ".shift_x", 1, kShiftBits),
              shift_y = steps_.unsigned_words(name + ".shift_y", 1, kShiftBits);
  steps_.step(name + ".shift_of_x", shift_kernel(x.bits, kNormBits - 1), 1, {all_x.from()}, {shift_x.to()});
  steps_.step(name + ".shift_of_y", shift_kernel(y.bits, kCutBits - 1), 1, {all_y.from()}, {shift_y.to()});
  const Kernel squares = squares_kernel(heavy, x.bits);
  const Words partial = steps_.unsigned_words(name + ".squares", parts, squares.outputs[0].bits);
  steps_.step(name + ".squares", squares, parts, {x.from(0, heavy), shift_x.from()}, {partial.to(0, 1)});
  const Words sum = steps_.reduce(name + ".sum", partial, parts, total_kernel);
  const Words cut = steps_.signed_words(name + ".cut", n, kCutBits), tops = steps_.unsigned_words(name + ".tops", parts, kCutBits - 1);
  steps_.step(name + ".cut", cut_and_maximum_kernel(heavy, y.bits), parts, {y.from(0, heavy), shift_y.from()},
              {cut.to(0, heavy), tops.to(0, 1)});
  const Words top = steps_.reduce(name + ".top", tops, parts, maximum_kernel);
  const Words unit = steps_.scalar_word(name + ".unit"), reciprocal = steps_.unsigned_words(name + ".reciprocal", 1, kReciprocalBits),
              shift = steps_.unsigned_words(name + ".code_shift", 1, kCodeShiftBits);
  steps_.step(name + ".scalars", norm_kernel(sum.bits, norm.code_bits), 1,
              {sum.from(), shift_x.from(), eps, top.from(), shift_y.from(), steps_.constant(name + ".code_scale", norm.code_scale)},
              {unit.to(), reciprocal.to(), shift.to()});
  const Words codes = steps_.signed_words(codes_name, n, static_cast<uint32_t>(norm.code_bits));
  steps_.step(name + ".codes", code_kernel(heavy, norm.code_bits), parts, {cut.from(0, heavy), reciprocal.from(), shift.from()},
              {codes.to(0, heavy)});
  return {codes, unit};
}

Words Lowering::matrix(const std::string& name, const LinearMap& map, Words codes, const std::string& sums_name) {
  numerics::MatrixLayer layer;
  layer.name = name;
  const Tensor operand = builder_.tensor(codes.tensor);
  layer.operand = &operand;
  layer.raw = true;
  std::vector<int8_t> row(map.inputs());
  for (size_t r = 0; r < map.outputs(); ++r) {
    map.weights->unpack(r, row);
    layer.weights.emplace_back(row.begin(), row.end());
  }
  const numerics::MatrixPlan plan = numerics::plan_matrix(layer);
  const auto rows = static_cast<int>(map.outputs());
  const int raw = builder_.add_tensor(name + ".raw", rows, plan.raw_encoding, plan.raw_max_code);
  builder_.add_matrix(layer, plan, name, {codes.from()}, raw, -1);
  ++builder_.stage;
  // Rows of all matrices of a shape have one width from here on.
  const auto weight_bits = map.weights->storage() == WeightStorage::kByte ? 8u : 2u;
  const uint32_t to = codes.bits + weight_bits + bits_of_count(static_cast<int>(map.inputs())), zero_bits = to + 2;
  const Words sums = steps_.signed_words(sums_name, rows, to);
  const int lanes = lanes_of(rows, kLightLanes);
  steps_.step(name + ".recentre", recentre_kernel(lanes, plan.raw_encoding.bits, zero_bits, to), rows / lanes,
              {TensorSource{raw, 0, lanes}, steps_.constants(name + ".zero", {plan.raw_encoding.zero[0]}, zero_bits, true)},
              {sums.to(0, lanes)});
  return sums;
}

Words Lowering::unit(const std::string& name, Words of_codes, const LinearMap& map, int64_t shift) {
  const Words u = steps_.scalar_word(name);
  steps_.step(name, unit_kernel(), 1,
              {of_codes.from(), steps_.constant(name + ".scale", map.scale),
               steps_.constants(name + ".shift", {shift & ((int64_t{1} << kExponentBits) - 1)}, kExponentBits, false)},
              {u.to()});
  return u;
}

Words Lowering::add(const std::string& name, Words x, const LinearMap& map, const Codes& codes, const std::string& result) {
  const Words y = matrix(name, map, codes.codes, name + ".sums");
  const Words u = unit(name + ".unit", codes.unit, map, model_.embedding.fraction);
  const Words out = steps_.signed_words(result, x.count, x.bits);
  const int lanes = lanes_of(x.count, kHeavyLanes);
  steps_.step(name + ".add", add_scaled_kernel(lanes, x.bits, y.bits), x.count / lanes, {x.from(0, lanes), y.from(0, lanes), u.from()},
              {out.to(0, lanes)});
  return out;
}

Words Lowering::turned(const std::string& name, Words x, int heads) {
  const int half = x.count / heads / 2, lanes = lanes_of(half, kHeavyLanes);
  const Words out = steps_.signed_words(name, x.count, x.bits + kGainBits + 1);
  const Kernel kernel = turn_kernel(lanes, x.bits);
  steps_.begin();
  for (int h = 0; h < heads; ++h) {
    const int first = 2 * h * half;
    steps_.step(fmt::format("{}.{}", name, h), kernel, half / lanes,
                {x.from(first, lanes), x.from(first + half, lanes), PositionSource{cosine_, 0, lanes}, PositionSource{sine_, 0, lanes}},
                {out.to(first, lanes), out.to(first + half, lanes)});
  }
  steps_.end();
  return out;
}

std::pair<Words, Words> Lowering::head_codes(const std::string& name, Words x, int heads, const std::string& codes_name) {
  const int width = x.count / heads, lanes = lanes_of(width, kLightLanes);
  const Words parts = steps_.unsigned_words(name + ".magnitudes", x.count / lanes, x.bits);
  steps_.step(name + ".magnitudes", magnitude_kernel(lanes, x.bits), x.count / lanes, {x.from(0, lanes)}, {parts.to(0, 1)});
  const Words any = steps_.reduce(name + ".or", parts, width / lanes, or_kernel);
  const Words shift = steps_.unsigned_words(name + ".shift", heads, kShiftBits), codes = steps_.signed_words(codes_name, x.count, 8);
  steps_.step(name + ".shift", shift_kernel(x.bits, 7), heads, {any.from(0, 1)}, {shift.to(0, 1)});
  const int heavy = lanes_of(width, kHeavyLanes);
  const Kernel kernel = cut_kernel(heavy, x.bits, 8);
  steps_.begin();
  for (int h = 0; h < heads; ++h)
    steps_.step(fmt::format("{}.codes.{}", name, h), kernel, width / heavy, {x.from(h * width, heavy), shift.from(h)},
                {codes.to(h * width, heavy)});
  steps_.end();
  return {shift, codes};
}

Words Lowering::scale(const std::string& name, Words x, Words unit, uint32_t to) {
  const Words y = steps_.signed_words(name, x.count, to);
  const int lanes = lanes_of(x.count, kHeavyLanes);
  steps_.step(name, scale_kernel(lanes, x.bits, to), x.count / lanes, {x.from(0, lanes), unit.from()}, {y.to(0, lanes)});
  return y;
}

/// Scores, their weights, and the mix of values, head by head; window_ slots, of which those never written weigh nothing.
Words Lowering::attend(const std::string& name, const SoftmaxAttention& layer, Words q, Words unit_q, Words k8, Words k_shift, Words v8,
                       Words v_shift, uint32_t out_bits) {
  const auto heads = static_cast<int>(model_.heads), kv = static_cast<int>(model_.kv_heads), hd = static_cast<int>(model_.head_width);
  const int keys = builder_.add_cache(k8.tensor, window_), key_shifts = builder_.add_cache(k_shift.tensor, window_);
  const int values = builder_.add_cache(v8.tensor, window_), value_shifts = builder_.add_cache(v_shift.tensor, window_);
  const auto [q_shift, q8] = head_codes(name + "query", q, heads, name + "q8");
  const Words score_unit = steps_.unsigned_words(name + "score_unit", heads, kScalarWord);
  const RowSource n =
      steps_.constants(name + "score_shift", {-int64_t{layer.key_fraction} & ((int64_t{1} << kExponentBits) - 1)}, kExponentBits, false);
  steps_.step(name + "score_unit", score_unit_kernel(), heads,
              {unit_q.from(), q_shift.from(0, 1), n, steps_.constant(name + "softmax", model_.tables.softmax)}, {score_unit.to(0, 1)});
  const Words scores = steps_.signed_words(name + "scores", heads * window_, kScoreBits);
  steps_.begin();
  for (int h = 0; h < heads; ++h) {
    const int g = h / (heads / kv);
    steps_.step(fmt::format("{}scores.{}", name, h), score_kernel(hd), window_,
                {q8.from(h * hd), CacheSource{keys, 0, 1, g * hd, hd, 1, 0}, CacheSource{key_shifts, 0, 1, g, 1, 1, 0}, score_unit.from(h),
                 DistanceSource{written_, 0, window_, 0, 1}},
                {scores.to(h * window_, 1)});
  }
  steps_.end();
  const Words top = steps_.reduce(name + "top_score", scores, window_, maximum_kernel);
  const int lanes = lanes_of(window_, kHeavyLanes);
  const Words weights = steps_.unsigned_words(name + "all_weights", heads * window_, kWeightBits);
  const Words aligned = steps_.unsigned_words(name + "aligned", heads * window_, kWeightBits);
  steps_.begin();
  for (int h = 0; h < heads; ++h)
    steps_.step(fmt::format("{}weights.{}", name, h), weight_kernel(lanes, model_.tables), window_ / lanes,
                {scores.from(h * window_, lanes), top.from(h)}, {weights.to(h * window_, lanes)});
  steps_.end();
  const Words sum = steps_.reduce(name + "weight_sum", weights, window_, total_kernel);
  const Words reciprocal = steps_.unsigned_words(name + "reciprocal", heads, kScalarWord);
  steps_.step(name + "reciprocal", reciprocal_kernel(sum.bits), heads, {sum.from(0, 1)}, {reciprocal.to(0, 1)});
  // The largest shift of the cached values: slots never written have 0, which changes nothing.
  const int chunks = window_ / kScoresAtOnce;
  const Words shift_parts = steps_.unsigned_words(name + "shift_parts", kv * chunks, kShiftBits);
  steps_.begin();
  for (int g = 0; g < kv; ++g)
    steps_.step(fmt::format("{}shift_parts.{}", name, g), maximum_kernel(kScoresAtOnce, kShiftBits), chunks,
                {CacheSource{value_shifts, 0, kScoresAtOnce, g, 1, kScoresAtOnce, 0}}, {shift_parts.to(g * chunks, 1)});
  steps_.end();
  const Words top_shift = steps_.reduce(name + "top_shift", shift_parts, chunks, maximum_kernel);
  const Words mix_unit = steps_.unsigned_words(name + "mix_unit", heads, kScalarWord);
  const Words parts = steps_.signed_words(name + "mix_parts", chunks * heads * hd, kWeightBits + 8 + bits_of_count(kScoresAtOnce));
  steps_.begin();
  for (int h = 0; h < heads; ++h) {
    const int g = h / (heads / kv);
    steps_.step(
        fmt::format("{}aligned.{}", name, h), align_kernel(kScoresAtOnce), chunks,
        {weights.from(h * window_, kScoresAtOnce), CacheSource{value_shifts, 0, kScoresAtOnce, g, 1, kScoresAtOnce, 0}, top_shift.from(g)},
        {aligned.to(h * window_, kScoresAtOnce)});
    steps_.step(fmt::format("{}mix_unit.{}", name, h), mix_unit_kernel(kMixFraction), 1, {reciprocal.from(h), top_shift.from(g)},
                {mix_unit.to(h)});
  }
  steps_.end();
  steps_.begin();
  for (int h = 0; h < heads; ++h)
    for (int c = 0; c < chunks; ++c)
      steps_.step(fmt::format("{}mix.{}.{}", name, h, c), mix_kernel(kScoresAtOnce), hd,
                  {aligned.from(h * window_ + c * kScoresAtOnce),
                   CacheSource{values, c * kScoresAtOnce, kScoresAtOnce, h / (heads / kv) * hd, 1, 0, 1}},
                  {parts.to((c * heads + h) * hd, 1)});
  steps_.end();
  Words mixed = parts;
  for (int level = 0, left = chunks; left > 1; ++level) {
    const int ports = lanes_of(left, kLightLanes) == 1 ? left : lanes_of(left, kLightLanes), rest = left / ports;
    const Kernel kernel = signed_total_kernel(ports, mixed.bits);
    const Words y = steps_.signed_words(fmt::format("{}mixed.{}", name, level), rest * heads * hd, kernel.outputs[0].bits);
    std::vector<Source> inputs;
    for (int p = 0; p < ports; ++p) inputs.emplace_back(mixed.from(p * rest * heads * hd, 1));
    steps_.step(fmt::format("{}mixed.{}", name, level), kernel, rest * heads * hd, inputs, {y.to(0, 1)});
    mixed = y;
    left = rest;
  }
  const std::string layer_name = name.substr(0, name.size() - std::string("self_attn.").size());
  const Words o = steps_.signed_words(layer_name + "o", heads * hd, out_bits);
  const int heavy = lanes_of(hd, kHeavyLanes);
  const Kernel kernel = scale_kernel(heavy, mixed.bits, out_bits);
  steps_.begin();
  for (int h = 0; h < heads; ++h)
    steps_.step(fmt::format("{}o.{}", name, h), kernel, hd / heavy, {mixed.from(h * hd, heavy), mix_unit.from(h)}, {o.to(h * hd, heavy)});
  steps_.end();
  return o;
}

Words Lowering::attention(const std::string& name, const SoftmaxAttention& layer, Words x) {
  const std::string self = name + "self_attn.";
  const auto heads = static_cast<int>(model_.heads), kv = static_cast<int>(model_.kv_heads);
  const Source eps = steps_.constants(name + "stream_eps", {model_.stream_eps}, kEpsBits, false);
  const Codes a = norm(name + "input_norm", x, layer.input, eps, name + "a");
  const Words q = matrix(self + "q_proj", layer.query, a.codes, self + "q"), k = matrix(self + "k_proj", layer.key, a.codes, self + "k"),
              v = matrix(self + "v_proj", layer.value, a.codes, self + "v");
  const Words unit_q = unit(self + "unit_q", a.unit, layer.query, -kRotaryFraction);
  const Words unit_k = unit(self + "unit_k", a.unit, layer.key, layer.key_fraction - kRotaryFraction);
  const Words unit_v = unit(self + "unit_v", a.unit, layer.value, layer.value_fraction);
  const Words turned_q = turned(self + "turned_q", q, heads), turned_k = turned(self + "turned_k", k, kv);
  const uint32_t value_bits = fixed_bits(layer.value, layer.input, layer.value_fraction);
  const Words key = scale(self + "key", turned_k, unit_k, fixed_bits(layer.key, layer.input, layer.key_fraction));
  const Words value = scale(self + "value", v, unit_v, value_bits);
  const auto [k_shift, k8] = head_codes(self + "keys", key, kv, self + "k8");
  const auto [v_shift, v8] = head_codes(self + "values", value, kv, self + "v8");
  const Words o = attend(self, layer, turned_q, unit_q, k8, k_shift, v8, v_shift, std::min(47u, value_bits + kMixFraction + 2));
  const Source output_eps = steps_.constants(name + "output_eps", {layer.output_eps}, kEpsBits, false);
  const Codes b = norm(self + "sub_norm", o, *layer.sub_norm, output_eps, self + "o_codes");
  return add(self + "o_proj", x, layer.output, b, name + "x_mid");
}

Words Lowering::feed_forward(const std::string& name, const GatedFeedForward& layer, Words x) {
  const std::string mlp = name + "mlp.";
  const Source stream_eps = steps_.constants(mlp + "stream_eps", {model_.stream_eps}, kEpsBits, false);
  const Codes a = norm(mlp + "input_norm", x, layer.input, stream_eps, mlp + "a");
  const Words gate = matrix(mlp + "gate_proj", layer.gate, a.codes, mlp + "gate"),
              up = matrix(mlp + "up_proj", layer.up, a.codes, mlp + "up");
  const Words unit_gate = unit(mlp + "unit_gate", a.unit, layer.gate, 0), unit_up = unit(mlp + "unit_up", a.unit, layer.up, 0);
  const int n = gate.count, light = lanes_of(n, kLightLanes), heavy = lanes_of(n, kHeavyLanes);
  const Words or_gate = steps_.unsigned_words(mlp + "or_gate", n / light, gate.bits),
              or_up = steps_.unsigned_words(mlp + "or_up", n / light, up.bits);
  steps_.step(mlp + "magnitudes", gate_magnitude_kernel(light, gate.bits), n / light, {gate.from(0, light), up.from(0, light)},
              {or_gate.to(0, 1), or_up.to(0, 1)});
  const Words all_gate = steps_.reduce(mlp + "or_of_gate", or_gate, n / light, or_kernel),
              all_up = steps_.reduce(mlp + "or_of_up", or_up, n / light, or_kernel);
  const Words gate_shift = steps_.unsigned_words(mlp + "gate_shift", 1, kShiftBits),
              up_shift = steps_.unsigned_words(mlp + "up_shift", 1, kShiftBits),
              product_shift = steps_.unsigned_words(mlp + "product_shift", 1, kShiftBits);
  steps_.step(mlp + "gate_shift", shift_kernel(gate.bits, kGateBits - 1), 1, {all_gate.from()}, {gate_shift.to()});
  steps_.step(mlp + "up_shift", shift_kernel(up.bits, kGateBits - 1), 1, {all_up.from()}, {up_shift.to()});
  const Words products = steps_.signed_words(mlp + "products", n, kProductBits),
              or_products = steps_.unsigned_words(mlp + "or_products", n / heavy, kProductBits);
  steps_.step(mlp + "products", relu_squared_kernel(heavy, gate.bits), n / heavy,
              {gate.from(0, heavy), up.from(0, heavy), gate_shift.from(), up_shift.from()}, {products.to(0, heavy), or_products.to(0, 1)});
  const Words all_products = steps_.reduce(mlp + "or_of_products", or_products, n / heavy, or_kernel);
  steps_.step(mlp + "product_shift", shift_kernel(kProductBits, kHiddenBits - 1), 1, {all_products.from()}, {product_shift.to()});
  const Words hidden = steps_.signed_words(mlp + "hidden", n, kHiddenBits), eps = steps_.unsigned_words(mlp + "eps", 1, kEpsBits);
  steps_.step(mlp + "hidden", cut_kernel(heavy, kProductBits, kHiddenBits), n / heavy, {products.from(0, heavy), product_shift.from()},
              {hidden.to(0, heavy)});
  steps_.step(mlp + "eps", gate_eps_kernel(), 1,
              {unit_gate.from(), unit_up.from(), steps_.constant(mlp + "eps_constant", layer.sub_norm->eps), gate_shift.from(),
               up_shift.from(), product_shift.from()},
              {eps.to()});
  const Codes b = norm(mlp + "sub_norm", hidden, *layer.sub_norm, eps.from(), name + "ffn");
  return add(mlp + "down_proj", x, layer.down, b, mlp + "result");
}

void Lowering::head(Words x) {
  const Source eps = steps_.constants("head.stream_eps", {model_.stream_eps}, kEpsBits, false);
  const Codes a = norm("head.norm", x, model_.head.norm, eps, "a_final");
  const Words sums = matrix("lm_head", model_.head.map, a.codes, "lm_head.sums");
  const Words z = steps_.signed_words("logits", sums.count, sums.bits + kGainBits);
  const int lanes = lanes_of(sums.count, kHeavyLanes);
  const std::vector<int64_t> scales(model_.head.map.scales.begin(), model_.head.map.scales.end());
  steps_.step("lm_head.scales", row_scale_kernel(lanes, sums.bits), sums.count / lanes,
              {sums.from(0, lanes), steps_.constants("lm_head.scale", scales, kGainBits, true, lanes)}, {z.to(0, lanes)});
  unit(kLogitUnit, a.unit, model_.head.map, 0);
  builder_.program.logits = z.tensor;
}

Program Lowering::run() {
  set_tables();
  Words x = embed();
  size_t block = 0;
  for (const ScaledLayer& layer : model_.layers) {
    const std::string name = fmt::format("model.layers.{}.", block);
    if (const auto* a = std::get_if<SoftmaxAttention>(&layer)) {
      x = attention(name, *a, x);
    } else {
      x = feed_forward(name, std::get<GatedFeedForward>(layer), x);
      ++block;
      builder_.tensor(x.tensor).name = block < model_.layers.size() / 2 ? fmt::format("model.layers.{}.x", block) : "x_final";
    }
  }
  head(x);
  verify(builder_.program);
  return std::move(builder_.program);
}

bool plain(const LinearMap& map) {
  return map.group == 0 && map.scales.empty() && !map.low_rank && !map.adapter;
}

}  // namespace

std::optional<ScaledModelProblem> find_lowering_problem(const ScaledModel& model, const CacheForms& cache) {
  const std::string cure = "run it with --engine cpu";
  const auto problem = [&](const std::string& where, const std::string& what) { return ScaledModelProblem{where, what, cure}; };
  uint64_t weights = model.head.map.outputs() * model.head.map.inputs();
  const auto count = [&](const LinearMap& map) { weights += map.outputs() * map.inputs(); };
  for (const ScaledLayer& layer : model.layers) {
    if (const auto* a = std::get_if<SoftmaxAttention>(&layer))
      for (const LinearMap* map : {&a->query, &a->key, &a->value, &a->output}) count(*map);
    else
      for (const LinearMap* map :
           {&std::get<GatedFeedForward>(layer).gate, &std::get<GatedFeedForward>(layer).up, &std::get<GatedFeedForward>(layer).down})
        count(*map);
  }
  if (weights > kMostWeights)
    return problem(model.name, fmt::format("it has {} weights, and every weight owns cells so far: {} at most", weights, kMostWeights));
  if (cache != CacheForms{}) return problem("--kv", "kernels cache keys and values as k=8:shift,v=8:shift only so far");
  if (model.rope_interleaved) return problem(model.name, "kernels turn rotary pairs (j, j + half) only so far");
  for (const ScaledLayer& layer : model.layers) {
    if (const auto* a = std::get_if<SoftmaxAttention>(&layer)) {
      if (!a->sub_norm || a->query_norm || a->key_norm)
        return problem(a->input.name, "kernels have attention with a sub-norm and without head norms only so far");
      for (const LinearMap* map : {&a->query, &a->key, &a->value, &a->output})
        if (!plain(*map)) return problem(map->name, "kernels have one scale for a matrix only so far");
    } else {
      const auto& f = std::get<GatedFeedForward>(layer);
      if (!f.sub_norm || f.function != GateFunction::kReluSquared)
        return problem(f.input.name, "kernels have the gate ReLU squared with a sub-norm only so far");
      for (const LinearMap* map : {&f.gate, &f.up, &f.down})
        if (!plain(*map)) return problem(map->name, "kernels have one scale for a matrix only so far");
    }
  }
  const LinearMap& head = model.head.map;
  if (model.head.grouped || head.group != 0 || head.scales.empty() || head.low_rank || head.adapter)
    return problem(head.name, "kernels have a head of bytes with a scale a row only so far");
  return std::nullopt;
}

Scalar logit_unit(const Program& program, const HostTrace& trace, int position) {
  for (size_t t = 0; t < program.tensors.size(); ++t)
    if (program.tensors[t].name == kLogitUnit) return scalar_of_code(trace.at(program, static_cast<int>(t), position, 0));
  return {};
}

Program lower_scaled(const ScaledModel& model, const CacheForms& cache, const LowerScaledParams& params) {
  if (const auto p = find_lowering_problem(model, cache)) throw Error(p->where, p->problem, p->cure);
  return Lowering(model, params).run();
}

}  // namespace bitgrid::scales
