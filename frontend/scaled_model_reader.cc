// model.yaml of models with scales.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "frontend/checkpoint/safetensors_map.h"
#include "frontend/scaled_model_file.h"
#include "frontend/tokenizer/source_text.h"
#include "frontend/yaml_reader.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::frontend {

namespace {

constexpr uint64_t kMostYaml = uint64_t{1} << 24;
constexpr uint64_t kMostTokenizer = uint64_t{1} << 28;
constexpr char kScaledFormat[] = "bitgrid-scaled-model-1";
constexpr char kPage[] = "docs/model-format.md";

/// A tensor that a key names.
struct Named {
  const SafetensorsMap* weights = nullptr;
  const SafetensorsEntry* entry = nullptr;
  YamlValue value;  // the key, for messages
  std::string name;

  uint64_t count() const { return (entry->end - entry->begin) / dtype_info(entry->dtype).bytes; }
  int64_t at(uint64_t i) const {
    const DTypeInfo& d = dtype_info(entry->dtype);
    const uint64_t raw = little_endian(weights->text.substr(weights->header.data + entry->begin + i * d.bytes, d.bytes));
    if (!d.is_signed || d.bytes == 8) return static_cast<int64_t>(raw);
    const unsigned unused = 64 - 8 * d.bytes;
    return static_cast<int64_t>(raw << unused) >> unused;
  }
  [[noreturn]] void fail(const std::string& problem, const std::string& cure) const {
    throw Error(value.where(), value.path + ": the tensor " + name + " " + problem, cure);
  }
};

/// What `values` may say of weights.
struct WeightKind {
  const char* name;
  WeightStorage storage;
  int lo, hi;
  bool zero;
};
constexpr std::array<WeightKind, 4> kWeightKinds = {{{"binary", WeightStorage::kOneBit, -1, 1, false},
                                                     {"ternary", WeightStorage::kTwoBits, -1, 1, true},
                                                     {"int2", WeightStorage::kTwoBits, -1, 2, true},
                                                     {"int8", WeightStorage::kByte, -128, 127, true}}};
constexpr const WeightKind& kBytes = kWeightKinds[3];

class ScaledReader {
 public:
  ScaledReader(const YamlMap& map, std::shared_ptr<const SafetensorsMap> weights) : map_(map), weights_(std::move(weights)) {}
  ScaledModel run();

 private:
  Named named(const YamlValue& value, size_t rank) const;
  template <typename T>
  std::vector<T> numbers(const YamlValue& value, size_t rank = 1) const;
  std::shared_ptr<const PackedWeights> weights(const YamlValue& tensor, const YamlValue& values) const;
  std::shared_ptr<const PackedWeights> weights(const YamlValue& tensor, const WeightKind& kind) const;
  Scalar scalar_of(const YamlValue& value) const;
  FixedVector fixed(const YamlValue& value) const;
  Norm norm(const YamlValue& value) const;
  std::optional<Norm> optional_norm(const YamlMap& map, const char* key) const;
  LinearMap linear(const YamlValue& value) const;
  Adapter adapter(const YamlValue& value) const;
  ScaledLayer layer(const YamlValue& value) const;
  SoftmaxAttention attention(const YamlValue& value) const;
  GatedFeedForward feed_forward(const YamlValue& value) const;
  ScaledTables tables(const YamlValue& value) const;
  StreamEmbedding embedding(const YamlValue& value, size_t width) const;

  const YamlMap& map_;
  std::shared_ptr<const SafetensorsMap> weights_;
  mutable uint64_t named_ = 0;  // bytes of all tensors that keys have named
};

Named ScaledReader::named(const YamlValue& value, size_t rank) const {
  Named t = {weights_.get(), nullptr, value, value.text()};
  const auto it = weights_->header.entries.find(t.name);
  if (it == weights_->header.entries.end()) {
    std::vector<std::string> known;
    for (const auto& [name, entry] : weights_->header.entries) known.push_back(name);
    const std::string near = nearest(t.name, known);
    t.fail("is missing in the weights file", near.empty() ? "export it, or correct the name" : "did you mean " + near + "?");
  }
  t.entry = &it->second;
  if (t.entry->shape.size() != rank)
    t.fail("has the shape " + shape_text(t.entry->shape), fmt::format("give it {} dimension{}", rank, rank == 1 ? "" : "s"));
  // A small file that names a large tensor a thousand times would take all memory.
  named_ += t.entry->end - t.entry->begin;
  if (named_ > 2 * weights_->text.size())
    t.fail("and the tensors named before it take more than twice the size of the weights file", "name each tensor once");
  return t;
}

template <typename T>
std::vector<T> ScaledReader::numbers(const YamlValue& value, size_t rank) const {
  const Named t = named(value, rank);
  std::vector<T> out(t.count());
  for (uint64_t i = 0; i < out.size(); ++i) {
    const int64_t v = t.at(i);
    if (v < std::numeric_limits<T>::min() || v > std::numeric_limits<T>::max())
      t.fail(fmt::format("has the value {} at {}, which needs more than {} bits", v, i, 8 * sizeof(T)), "correct the value");
    out[i] = static_cast<T>(v);
  }
  return out;
}

std::shared_ptr<const PackedWeights> ScaledReader::weights(const YamlValue& tensor, const YamlValue& values) const {
  const std::string name = values.text();
  const auto* kind = std::find_if(kWeightKinds.begin(), kWeightKinds.end(), [&](const WeightKind& k) { return name == k.name; });
  if (kind == kWeightKinds.end())
    throw Error(values.where(), values.path + ": `" + name + "` is unknown", "use binary, ternary, int2 or int8");
  return weights(tensor, *kind);
}

std::shared_ptr<const PackedWeights> ScaledReader::weights(const YamlValue& tensor, const WeightKind& kind) const {
  const Named t = named(tensor, 2);
  const uint64_t rows = t.entry->shape[0], columns = t.entry->shape[1];
  if (rows == 0 || columns == 0) t.fail("has the shape " + shape_text(t.entry->shape), "give it rows and columns");
  auto packed = std::make_shared<PackedWeights>(rows, columns, kind.storage);
  std::vector<int8_t> row(columns);
  const bool bytes = t.entry->dtype == DType::kI8;
  const auto* raw = reinterpret_cast<const int8_t*>(weights_->text.data()) + weights_->header.data + t.entry->begin;
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t c = 0; c < columns; ++c) {
      const int64_t v = bytes ? raw[r * columns + c] : t.at(r * columns + c);
      if (v < kind.lo || v > kind.hi || (v == 0 && !kind.zero))
        t.fail(fmt::format("has the value {} at [{}, {}], which is not {}", v, r, c, kind.name), "correct the value or `values`");
      row[c] = static_cast<int8_t>(v);
    }
    packed->pack(r, row);
  }
  return packed;
}

Scalar ScaledReader::scalar_of(const YamlValue& value) const {
  const std::vector<YamlValue> parts = value.list();
  if (parts.size() != 2) throw Error(value.where(), value.path + fmt::format(" has {} values", parts.size()), "write [MANTISSA, EXPONENT]");
  const Scalar s = {parts[0].integer(0, 65535), parts[1].integer(-4096, 4096)};
  if (s.m != 0 && s.m < 32768)
    throw Error(parts[0].where(), fmt::format("{}: the mantissa {} has fewer than 16 bits", value.path, s.m), "write 32768 .. 65535, or 0");
  return s;
}

FixedVector ScaledReader::fixed(const YamlValue& value) const {
  const YamlMap map(value, {"values", "fraction"});
  return {numbers<int32_t>(map.get("values")), static_cast<int>(map.get("fraction").integer(-256, 256))};
}

Norm ScaledReader::norm(const YamlValue& value) const {
  const YamlMap map(value, {"name", "gain", "code_bits", "code_scale", "root_width", "eps"});
  Norm n;
  n.name = map.get("name").text();
  n.gain = fixed(map.get("gain"));
  n.code_bits = static_cast<int>(map.get("code_bits").integer(2, 12));
  n.code_scale = scalar_of(map.get("code_scale"));
  n.root_width = scalar_of(map.get("root_width"));
  n.eps = scalar_of(map.get("eps"));
  return n;
}

std::optional<Norm> ScaledReader::optional_norm(const YamlMap& map, const char* key) const {
  if (!map.has(key)) return std::nullopt;
  return norm(map.get(key));
}

Adapter ScaledReader::adapter(const YamlValue& value) const {
  const YamlMap map(value, {"a", "b", "a_scales", "b_scales", "alpha"});
  return {weights(map.get("a"), kBytes), weights(map.get("b"), kBytes), fixed(map.get("a_scales")), fixed(map.get("b_scales")),
          scalar_of(map.get("alpha"))};
}

LinearMap ScaledReader::linear(const YamlValue& value) const {
  const YamlMap map(value, {"name", "weights", "values", "scale", "low_rank", "low_rank_values", "group", "scales", "zeros", "adapter"});
  LinearMap m;
  m.name = map.get("name").text();
  m.weights = weights(map.get("weights"), map.get("values"));
  m.scale = scalar_of(map.get("scale"));
  if (map.has("low_rank")) m.low_rank = weights(map.get("low_rank"), map.get("low_rank_values"));
  if (map.has("group")) m.group = static_cast<size_t>(map.get("group").integer(1, 1 << 16));
  if (map.has("scales")) m.scales = numbers<int16_t>(map.get("scales"), m.group != 0 ? 2 : 1);
  if (map.has("zeros")) m.zeros = numbers<int32_t>(map.get("zeros"), 2);
  if (map.has("adapter")) m.adapter = adapter(map.get("adapter"));
  return m;
}

SoftmaxAttention ScaledReader::attention(const YamlValue& value) const {
  const YamlMap map(value, {"type", "input", "query", "key", "value", "output", "key_fraction", "value_fraction", "output_eps",
                            "rotated_output_eps", "query_norm", "key_norm", "sub_norm", "output_gain"});
  constexpr int64_t kMostEps = int64_t{1} << 62;
  SoftmaxAttention a;
  a.input = norm(map.get("input"));
  a.query = linear(map.get("query"));
  a.key = linear(map.get("key"));
  a.value = linear(map.get("value"));
  a.output = linear(map.get("output"));
  a.key_fraction = static_cast<int>(map.get("key_fraction").integer(-64, 64));
  a.value_fraction = static_cast<int>(map.get("value_fraction").integer(-64, 64));
  a.output_eps = map.get("output_eps").integer(0, kMostEps);
  a.rotated_output_eps = map.get("rotated_output_eps").integer(0, kMostEps);
  a.query_norm = optional_norm(map, "query_norm");
  a.key_norm = optional_norm(map, "key_norm");
  a.sub_norm = optional_norm(map, "sub_norm");
  if (map.has("output_gain")) a.output_gain = fixed(map.get("output_gain"));
  return a;
}

GatedFeedForward ScaledReader::feed_forward(const YamlValue& value) const {
  const YamlMap map(value, {"type", "input", "gate", "up", "down", "function", "sub_norm", "down_gain"});
  GatedFeedForward f;
  f.input = norm(map.get("input"));
  f.gate = linear(map.get("gate"));
  f.up = linear(map.get("up"));
  f.down = linear(map.get("down"));
  const YamlValue function = map.get("function");
  if (function.text() != "silu" && function.text() != "relu2")
    throw Error(function.where(), function.path + ": `" + function.text() + "` is unknown", "use silu or relu2");
  f.function = function.text() == "silu" ? GateFunction::kSilu : GateFunction::kReluSquared;
  f.sub_norm = optional_norm(map, "sub_norm");
  if (map.has("down_gain")) f.down_gain = fixed(map.get("down_gain"));
  return f;
}

ScaledLayer ScaledReader::layer(const YamlValue& value) const {
  const YAML::Node type = value.is_map() ? value.node["type"] : YAML::Node();
  const std::string name = type && type.IsScalar() ? type.Scalar() : "";
  if (name == "softmax_attention") return attention(value);
  if (name == "gated_feedforward") return feed_forward(value);
  throw Error(value.where(), value.path + ": the type `" + name + "` is unknown", "use softmax_attention or gated_feedforward");
}

ScaledTables ScaledReader::tables(const YamlValue& value) const {
  const YamlMap map(value, {"cosine", "sine", "exponential", "sigmoid", "sampling", "softmax", "one_over_127", "mean_step"});
  ScaledTables t;
  t.cosine = numbers<int16_t>(map.get("cosine"), 2);
  t.sine = numbers<int16_t>(map.get("sine"), 2);
  t.exponential = numbers<int32_t>(map.get("exponential"));
  t.sigmoid = numbers<int32_t>(map.get("sigmoid"));
  t.sampling = numbers<int32_t>(map.get("sampling"));
  t.softmax = scalar_of(map.get("softmax"));
  t.one_over_127 = scalar_of(map.get("one_over_127"));
  for (const YamlValue& step : map.get("mean_step").list()) t.mean_step.push_back(scalar_of(step));
  return t;
}

StreamEmbedding ScaledReader::embedding(const YamlValue& value, size_t width) const {
  const YamlMap map(value, {"tensor", "fraction"});
  const Named t = named(map.get("tensor"), 2);
  if (t.entry->shape[1] != width) t.fail("has the shape " + shape_text(t.entry->shape), fmt::format("give it {} columns", width));
  StreamEmbedding e;
  e.vocabulary = t.entry->shape[0];
  e.fraction = static_cast<int>(map.get("fraction").integer(-64, 64));
  e.row = [t, keep = weights_](size_t token, std::span<int64_t> row) {
    for (size_t c = 0; c < row.size(); ++c) row[c] = t.at(token * row.size() + c);
  };
  return e;
}

ScaledModel ScaledReader::run() {
  ScaledModel m;
  const auto size = [&](const char* key, int64_t least, int64_t most) { return static_cast<size_t>(map_.get(key).integer(least, most)); };
  map_.get("format");
  m.name = map_.get("name").text();
  m.architecture = map_.get("architecture").text();
  m.width = size("width", 1, 1 << 16);
  m.heads = size("heads", 1, 1 << 12);
  m.kv_heads = size("kv_heads", 1, 1 << 12);
  m.head_width = size("head_width", 2, 1024);
  m.context = size("context", 1, 1 << 24);
  m.activation_group = size("activation_group", 0, 1 << 16);
  const YamlValue pairs = map_.get("rotary_pairs");
  if (pairs.text() != "halves" && pairs.text() != "neighbours")
    throw Error(pairs.where(), pairs.path + ": `" + pairs.text() + "` is unknown", "use halves or neighbours");
  m.rope_interleaved = pairs.text() == "neighbours";
  m.stream_eps = map_.get("stream_eps").integer(0, int64_t{1} << 62);
  m.embedding = embedding(map_.get("embedding"), m.width);
  m.tables = tables(map_.get("tables"));
  for (const YamlValue& l : map_.get("layers").list()) m.layers.push_back(layer(l));
  const YamlMap head(map_.get("head"), {"norm", "grouped", "map"});
  m.head.norm = norm(head.get("norm"));
  const std::string grouped = head.get("grouped").text();
  if (grouped != "true" && grouped != "false")
    throw Error(head.get("grouped").where(), "head.grouped: `" + grouped + "` is unknown", "use true or false");
  m.head.grouped = grouped == "true";
  m.head.map = linear(head.get("map"));
  if (const auto p = find_problem(m)) throw Error(map_.where(), m.name + ": " + p->where + ": " + p->problem, p->cure);
  m.files = std::const_pointer_cast<SafetensorsMap>(weights_);
  return m;
}

YamlMap top_of(const std::string& yaml, const std::string& path) {
  return {parse_yaml(yaml, path, kPage),
          {"format", "name", "architecture", "weights", "width", "heads", "kv_heads", "head_width", "context", "activation_group",
           "rotary_pairs", "stream_eps", "embedding", "tables", "layers", "head", "tokenizer"}};
}

}  // namespace

ScaledModelFile load_scaled_model(const std::string& yaml_path) {
  const YamlMap map = top_of(read_file(yaml_path, kMostYaml), yaml_path);
  const auto beside = [&](const char* key) { return (std::filesystem::path(yaml_path).parent_path() / map.get(key).text()).string(); };
  ScaledModelFile file;
  file.model = ScaledReader(map, std::make_shared<SafetensorsMap>(beside("weights"), DTypes::kIntegers)).run();
  if (!map.has("tokenizer")) return file;
  const std::string path = beside("tokenizer");
  file.tokenizer = parse_tokenizer_source(read_file(path, kMostTokenizer), path);
  return file;
}

ScaledModel parse_scaled_model(const std::string& yaml, const std::string& yaml_path, std::string_view weights,
                               const std::string& weights_path) {
  return ScaledReader(top_of(yaml, yaml_path), std::make_shared<SafetensorsMap>(weights, weights_path, DTypes::kIntegers)).run();
}

bool is_scaled_model_file(const std::string& path) {
  if (!is_regular_file(path) || !path.ends_with(".yaml")) return false;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("format:")) return line.find(kScaledFormat) != std::string::npos;
  return false;
}

}  // namespace bitgrid::frontend
