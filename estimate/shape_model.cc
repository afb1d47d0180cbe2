#include "estimate/shape_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "estimate/shape_graph.h"
#include "frontend/yaml_reader.h"
#include "ir/error.h"

namespace bitgrid::estimate {
namespace {

constexpr char kFormat[] = "bitgrid-shapes-1";

Activation without_channels(Activation a) {
  if (auto* q = std::get_if<Requantise>(&a)) {
    q->bias.clear();
    if (q->multiplier.size() > 1) q->multiplier = {*std::max_element(q->multiplier.begin(), q->multiplier.end())};
  }
  if (auto* s = std::get_if<Sign>(&a)) s->bias.clear();
  return a;
}

MatrixShape shape(const Matrix& m) {
  return {m.outputs, m.inputs, m.values, 0};
}

LinearShape shape(const Linear& l) {
  LinearShape s{shape(l.weights), without_channels(l.activation), 0};
  if (l.table) {
    const auto [lo, hi] = std::minmax_element(l.table->values.begin(), l.table->values.end());
    s.table_bits = *lo < 0 ? signed_bits({*lo, *hi}) : unsigned_bits({*lo, *hi});
  }
  return s;
}

LayerShape shape_of(const Attention& a) {
  AttentionShape s{a.heads,        a.heads, a.window, without_channels(a.input), shape(a.query),         shape(a.key),
                   shape(a.value), {0, 0},  a.score,  without_channels(a.mix),   shape(a.output.weights)};
  for (const int32_t bias : a.position) s.position = hull(s.position, {bias, bias});
  return s;
}
LayerShape shape_of(const FeedForward& f) {
  return FeedForwardShape{without_channels(f.input), shape(f.up), false, shape(f.down.weights), 1, 1};
}
LayerShape shape_of(const Dense& d) {
  return DenseShape{without_channels(d.input), shape(d.linear)};
}

/// Numerics of a shapes file: a sum of n products is shifted so that three standard deviations of it, with independent operands that use
/// their range alike, fill the result's range.
struct Numerics {
  int bits = 8, kv_bits = 8, score_bits = 8, group = 0;
  WeightValues weights = WeightValues::kTernary;

  static int shift(double ratio) { return std::clamp(static_cast<int>(std::lround(std::log2(std::max(1.0, ratio)))), 0, kMaxShift); }
  static int most(int bits) { return (1 << (bits - 1)) - 1; }
  static Activation to_signed(int bits, double ratio) {
    if (bits == 1) return Sign{};
    return Requantise{shift(ratio), -most(bits), most(bits), {}, {}};
  }
  static Requantise from_zero(int bits, double ratio) { return {shift(ratio), 0, (1 << bits) - 1, {}, {}}; }
  static Activation hidden(int bits, double ratio) {
    if (bits == 1) return Sign{};
    return from_zero(bits, ratio);
  }
  MatrixShape matrix(int outputs, int inputs) const { return {outputs, inputs, weights, group}; }
};

WeightValues read_values(const frontend::YamlValue& value) {
  const std::string name = value.text();
  for (const WeightValues v : {WeightValues::kBinary, WeightValues::kTernary, WeightValues::kInt2}) {
    if (name_of(v) == name) return v;
  }
  throw Error(value.where(), value.path + ": `" + name + "` is not a kind of weight that this program knows",
              "use binary, ternary or int2");
}

int read_int(const frontend::YamlMap& map, const std::string& key, int lo, int hi) {
  return static_cast<int>(map.get(key).integer(lo, hi));
}
int read_int(const frontend::YamlMap& map, const std::string& key, int lo, int hi, int absent) {
  return map.has(key) ? read_int(map, key, lo, hi) : absent;
}

bool read_flag(const frontend::YamlValue& value) {
  const std::string text = value.text();
  if (text != "true" && text != "false") throw Error(value.where(), value.path + " is neither true nor false", "write true or false");
  return text == "true";
}

class ShapesReader {
 public:
  ShapesReader(const frontend::YamlMap& map, int context) : map_(map), context_(context) {}

  ShapeModel read() {
    model_.name = map_.get("name").text();
    if (map_.has("description")) model_.description = map_.get("description").text();
    model_.width = read_int(map_, "width", 1, kMaxWidth);
    model_.vocabulary = read_int(map_, "vocabulary", 1, 1 << 24);
    if (context_ == 0) context_ = read_int(map_, "context", 1, kMaxContext);
    n_.weights = read_values(map_.get("weights"));
    n_.group = read_int(map_, "weight_group", 0, kMaxWidth, 0);
    n_.bits = read_int(map_, "activation_bits", 1, kMaxShapeBits);
    n_.kv_bits = read_int(map_, "kv_bits", 1, kMaxShapeBits, n_.bits);
    n_.score_bits = read_int(map_, "score_bits", 1, kMaxShapeBits, 8);
    if (map_.has("assumptions")) {
      for (const frontend::YamlValue& v : map_.get("assumptions").list()) model_.assumptions.push_back(v.text());
    }
    const int most = Numerics::most(8);
    model_.embedding = {-most, most};
    const int layers = read_int(map_, "layers", 1, kMaxLayers);
    for (int n = 0; n < layers; ++n) {
      model_.layers.emplace_back(attention());
      model_.layers.emplace_back(feed_forward());
    }
    model_.head_input = input();
    model_.head = n_.matrix(model_.vocabulary, model_.width);
    if (map_.has("head_weights")) model_.head.values = read_values(map_.get("head_weights"));
    return std::move(model_);
  }

 private:
  /// Of the stream, whose variance grows with every sum that is added.
  Activation input() const {
    return Numerics::to_signed(n_.bits, std::sqrt(variance_) * Numerics::most(8) / Numerics::most(n_.bits + (n_.bits == 1)));
  }
  void add_to_stream(double inputs) {
    const double x = static_cast<double>(Numerics::most(n_.bits + (n_.bits == 1))) / Numerics::most(8);
    variance_ += inputs * x * x;
  }

  AttentionShape attention() {
    const frontend::YamlMap a(map_.get("attention"), {"heads", "kv_heads", "head_width"});
    AttentionShape s;
    s.heads = read_int(a, "heads", 1, kMaxWidth);
    s.kv_heads = read_int(a, "kv_heads", 1, kMaxWidth, s.heads);
    if (s.heads % s.kv_heads != 0)
      throw Error(a.get("kv_heads").where(), fmt::format("{} heads are not a multiple of {} key/value heads", s.heads, s.kv_heads),
                  "give a divisor of heads");
    const int head = read_int(a, "head_width", 1, kMaxWidth);
    if (int64_t{s.heads} * head > 1 << 20) throw Error(a.where(), "the heads are wider than 2^20 channels", "use fewer or narrower heads");
    s.window = context_;
    const double n = std::sqrt(model_.width);
    s.input = input();
    s.query = {n_.matrix(s.heads * head, model_.width), Numerics::hidden(n_.bits, n / 2), 0};
    s.key = {n_.matrix(s.kv_heads * head, model_.width), Numerics::to_signed(n_.kv_bits, n * scale(n_.bits, n_.kv_bits)), 0};
    s.value = s.key;
    s.score = Numerics::from_zero(n_.score_bits, std::sqrt(head) * (1 << n_.bits) * (1 << n_.kv_bits) / 2 / (1 << n_.score_bits));
    s.mix = Numerics::to_signed(n_.bits, std::sqrt(context_) * (1 << n_.score_bits) * scale(n_.kv_bits, n_.bits));
    s.output = n_.matrix(model_.width, s.heads * head);
    add_to_stream(s.heads * head);
    return s;
  }

  FeedForwardShape feed_forward() {
    const frontend::YamlMap f(map_.get("feedforward"), {"hidden", "gated", "experts", "active"});
    FeedForwardShape s;
    const int hidden = read_int(f, "hidden", 1, 1 << 20);
    s.gated = f.has("gated") && read_flag(f.get("gated"));
    s.experts = read_int(f, "experts", 1, 1 << 16, 1);
    s.active = read_int(f, "active", 1, s.experts, s.experts == 1 ? 1 : std::min(8, s.experts));
    s.input = input();
    s.up = {n_.matrix(hidden, model_.width), Numerics::hidden(n_.bits, std::sqrt(model_.width) / 2), 0};
    s.down = n_.matrix(model_.width, hidden);
    add_to_stream(double{1} * hidden * s.active);
    return s;
  }

  /// Values of `from` bits in units of values of `to` bits.
  static double scale(int from, int to) { return std::pow(2.0, from - to); }

  const frontend::YamlMap& map_;
  int context_;
  Numerics n_;
  ShapeModel model_;
  double variance_ = 1;
};

}  // namespace

ShapeModel shapes_of(const Model& model) {
  ShapeModel s;
  s.name = model.name;
  s.description = model.description;
  s.width = model.width;
  s.vocabulary = static_cast<int>(model.vocabulary.size());
  s.embedding_tables = static_cast<int>(model.embedding.tables.size());
  s.embedding = {model.embedding.lo, model.embedding.hi};
  for (const Layer& layer : model.layers) std::visit([&](const auto& l) { s.layers.push_back(shape_of(l)); }, layer);
  s.head_input = without_channels(model.head.input);
  s.head = shape(model.head.weights);
  return s;
}

bool is_shapes_text(const std::string& yaml, const std::string& path) {
  const frontend::YamlValue top = frontend::parse_yaml(yaml, path, "docs/model-format.md");
  if (!top.is_map()) return false;
  const YAML::Node format = top.node["format"];
  return format && format.IsScalar() && format.Scalar() == kFormat;
}

ShapeModel parse_shapes(const std::string& yaml, const std::string& path, int context,
                        const std::vector<std::pair<std::string, std::string>>& overrides) {
  if (yaml.size() > size_t{1} << 20) throw Error(path, "the shapes file is larger than 1 MiB", "describe each layer only once");
  frontend::YamlValue top = frontend::parse_yaml(yaml, path, "docs/estimate.md");
  if (top.is_map()) {
    for (const auto& [key, value] : overrides) top.node[key] = value;
  }
  const frontend::YamlMap map(top, shape_keys());
  if (map.get("format").text() != kFormat)
    throw Error(map.get("format").where(), "the format is not " + std::string(kFormat), "write `format: " + std::string(kFormat) + "`");
  return ShapesReader(map, context).read();
}

void set_context(ShapeModel& model, int context) {
  for (LayerShape& layer : model.layers) {
    if (auto* a = std::get_if<AttentionShape>(&layer)) a->window = context;
  }
}

}  // namespace bitgrid::estimate
